//! §13: calls.

use phone::PhoneEvent;
use sip::header::To;
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, number, picked_up, reply, rows, titles, uri, within};

const BOB: &str = "sip:bob@biloxi.example";

fn sdp(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

/// Proves: rfc3261-13.1-1.
#[test]
fn a_phone_takes_all_that_belongs_to_an_invite() {
    let mut bench = Bench::new();
    let options = bench.request("OPTIONS", "", "");
    bench.tell(options);
    let allow = rows(&bench.only(), Name::Allow).concat();
    for method in ["INVITE", "ACK", "CANCEL", "BYE"] {
        assert!(allow.split(", ").any(|name| name == method), "{method}");
    }
}

/// Proves: rfc3261-13.2.1-1, rfc3261-13.2.1-2, rfc3261-13.2.1-3, rfc3261-13.2.1-5, rfc3261-13.2.1-11.
#[test]
fn an_invite_offers_and_says_what_we_can() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    assert!(rows(&invite, Name::Allow)[0].contains("INFO"));
    assert_eq!(
        (rows(&invite, Name::Supported), rows(&invite, Name::ContentType)),
        (
            vec!["100rel, timer, replaces, join, norefersub, gruu, outbound".into()],
            vec!["application/sdp".into()]
        )
    );
    let offer = sdp(&invite);
    assert!(
        offer.starts_with("v=0\r\n") && offer.contains("m=audio 20002 RTP/AVP 96 9 8 0 "),
        "{offer}"
    );
}

/// The first description is the answer; what comes later in the same fork is ignored.
/// Proves: rfc3261-13.2.1-6, rfc3261-13.2.1-7, rfc3261-13.2.1-10.
#[test]
fn the_first_answer_of_a_fork_counts() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 183, "bob", ("Contact: <sip:bob@192.0.2.9>", SDP)));
    assert!(bench.phone.quality(call).is_some(), "early sound flows");
    let unplayable = SDP.replace("RTP/AVP 8 0", "RTP/AVP 31");
    bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &unplayable)));
    assert_eq!(bench.titles(), ["ACK"]);
    assert!(bench.events().contains(&PhoneEvent::Established { call }));
}

/// Proves: rfc3261-13.2.2-1.
#[test]
fn after_the_first_final_answer_others_are_ignored() {
    let mut bench = Bench::new();
    let (_, invite, _) = bench.up();
    bench.events();
    bench.tell(reply(&invite, 486, "x", ("", "")));
    assert!(bench.sent().is_empty() && bench.events().is_empty());
    assert_eq!(bench.phone.calls().count(), 1);
}

/// Traps 4 and 5: each 2xx is acknowledged, by the routes of its own dialog, again for each repeat; and whoever picks up too late is
/// hung up.
/// Proves: rfc3261-13.2.2-3, rfc3261-13.2.2-4, rfc3261-13.2.2-9, rfc3261-13.2.2-10, rfc3261-17.1.1.3-1.
#[test]
fn trap_05_every_2xx_is_acknowledged_and_one_is_the_call() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    let from = |tag: &str| {
        let rows = format!(
            "Contact: <sip:{tag}@192.0.2.9>\nRecord-Route: <sip:192.0.2.9;lr;{tag}>, <sip:192.0.2.8;lr>"
        );
        reply(&invite, 200, tag, (&rows, SDP))
    };
    bench.tell(from("one"));
    let ack = bench.only();
    assert_eq!(rows(&ack, Name::Route), ["<sip:192.0.2.8;lr>", "<sip:192.0.2.9;lr;one>"]);
    assert_eq!(uri(&ack), "sip:one@192.0.2.9");
    for tag in ["two", "three"] {
        bench.tell(from(tag));
        let sent = bench.sent();
        assert_eq!(titles(&sent), ["ACK", "BYE"]);
        for message in &sent {
            assert_eq!(message.get::<To<'_>>().unwrap().tag(), Some(tag.as_bytes()));
            assert_eq!(rows(message, Name::Route)[1], format!("<sip:192.0.2.9;lr;{tag}>"));
        }
        assert_eq!(number(&sent[0]), number(&invite));
    }
    for (tag, ack) in [("one", Some(&ack)), ("two", None), ("three", None)] {
        bench.tell(from(tag));
        let again = bench.only();
        assert_eq!(again.method(), Some(Method::Ack));
        if let Some(ack) = ack {
            assert_eq!(again.wire(), ack.wire());
        }
    }
    assert_eq!(
        bench.events().iter().filter(|event| **event == PhoneEvent::Established { call }).count(),
        1
    );
}

/// A new ACK is a new transaction: its branch is its own (trap 4).
#[test]
fn trap_04_the_ack_of_a_2xx_has_its_own_branch_and_that_of_a_refusal_the_invite_s() {
    let mut bench = Bench::new();
    let (_, invite, ack) = bench.up();
    assert_ne!(rows(&invite, Name::Via), rows(&ack, Name::Via));
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 486, "x", ("", "")));
    let ack = bench.only();
    // Trap 3: the same branch, the same Request-URI.
    assert_eq!((rows(&invite, Name::Via), uri(&invite)), (rows(&ack, Name::Via), uri(&ack)));
}

/// Trap 3 with an outbound proxy: the Routes are copied.
#[test]
fn trap_03_the_ack_of_a_refusal_copies_the_routes() {
    let account = crate::handset::account().through("sip:192.0.2.9;lr").unwrap();
    let mut bench = Bench::with(account);
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 486, "x", ("", "")));
    let ack = bench.only();
    assert_eq!(rows(&ack, Name::Route), rows(&invite, Name::Route));
    assert_eq!(rows(&ack, Name::To), rows(&reply(&invite, 486, "x", ("", "")), Name::To));
}

/// Proves: rfc3261-13.2.2-6.
#[test]
fn the_ack_has_the_credentials_of_its_invite() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let challenge = r#"Proxy-Authenticate: Digest realm="r", nonce="1", qop="auth""#;
    bench.tell(reply(&invite, 407, "x", (challenge, "")));
    let second = bench.sent().remove(1);
    bench.tell(picked_up(&second));
    let ack = bench.only();
    assert_eq!(rows(&ack, Name::ProxyAuthorization), rows(&second, Name::ProxyAuthorization));
    assert!(ack.has(Name::ProxyAuthorization));
}

/// An answer that we cannot use: acknowledged, and hung up at once.
/// Proves: rfc3261-13.2.2-10.
#[test]
fn a_2xx_that_agrees_on_nothing_is_acknowledged_and_hung_up() {
    for answer in ["", &SDP.replace("m=audio 4000", "m=audio 0"), "v=0\r\nnonsense"] {
        let mut bench = Bench::new();
        let (_, invite) = bench.calls(BOB);
        bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", answer)));
        assert_eq!(bench.titles(), ["ACK", "BYE"], "{answer}");
        assert_eq!(bench.ended(), Some(488));
    }
}

/// Proves: rfc3261-13.3.1-1.
#[test]
fn an_invitation_that_has_expired_is_487() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "Expires: 20\r\n", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    bench.wait(19_999);
    assert_eq!(bench.titles(), ["180"]);
    bench.wait(1);
    assert_eq!((bench.titles(), bench.ended()), (vec!["487".into()], Some(487)));
}

/// Proves: rfc3261-13.3.1.1-2.
#[test]
fn a_ringing_phone_says_so_every_minute_and_not_for_ever() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    bench.wait(174_999);
    let times: Vec<_> = bench.sent_with_times().iter().map(|(time, ..)| *time).collect();
    assert_eq!(times, [0, 60_000, 120_000]);
    bench.wait(1);
    assert_eq!((bench.titles(), bench.ended()), (vec!["480".into()], Some(480)));
}

/// Proves: rfc3261-13.3.1.3-1, rfc3261-13.3.1.3-2.
#[test]
fn a_call_is_refused_with_the_status_that_the_program_wants() {
    for status in [480, 486, 600, 603] {
        let mut bench = Bench::new();
        let invite = bench.request("INVITE", "", SDP);
        bench.tell(invite);
        let call = bench.incoming();
        bench.act(|phone, now, out| phone.refuse(now, call, status, out)).unwrap();
        assert_eq!((bench.titles(), bench.ended()), (vec![status.to_string()], Some(status)));
        assert!(bench.act(|phone, now, out| phone.refuse(now, call, 200, out)).is_err());
    }
}

/// Proves: rfc3261-13.3.1.3-3, rfc3261-13.3.1.3-4.
#[test]
fn an_offer_without_a_codec_of_ours_is_488_with_a_warning() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", &SDP.replace("RTP/AVP 8 0", "RTP/AVP 31"));
    bench.tell(invite);
    let no = bench.only();
    assert_eq!(titles(std::slice::from_ref(&no)), ["488"]);
    assert!(rows(&no, Name::Warning)[0].starts_with("305 offhook \""), "{no:?}");
    let invite = bench.request("INVITE", "", "v=0\r\nthis is none");
    bench.tell(invite);
    assert_eq!(bench.titles(), ["400"]);
    assert!(bench.events().is_empty());
}

/// Proves: rfc3261-13.3.1.4-1, rfc3261-13.3.1.4-2, rfc3261-13.2.1-9.
#[test]
fn a_2xx_answers_what_was_offered() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    assert_eq!(rows(&ok, Name::Allow).len(), 1);
    assert_eq!(rows(&ok, Name::Supported).len(), 1);
    assert!(sdp(&ok).contains("m=audio 20002 RTP/AVP 8 0"), "{}", sdp(&ok));
}

/// Trap 40: an INVITE without an offer. We offer in the 2xx, and the ACK answers.
/// Proves: rfc3261-13.2.1-8, rfc3261-13.3.1-2, rfc3261-13.3.1.4-3.
#[test]
fn trap_40_without_an_offer_we_offer_and_the_ack_answers() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", "");
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    assert!(sdp(&ok).contains("m=audio 20002 RTP/AVP 96 9 8 0"), "{}", sdp(&ok));
    assert!(bench.phone.quality(call).is_none(), "nothing flows before the answer");
    bench.tell(within(&ok, "ACK", 1, "", SDP));
    assert!(bench.phone.quality(call).is_some());
    // An ACK without an answer, or with one that is none, ends the call.
    let invite = bench.request("INVITE", "", "");
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    bench.tell(within(&ok, "ACK", 1, "", ""));
    assert_eq!((bench.titles(), bench.ended()), (vec!["BYE".into()], Some(488)));
}

/// Proves: rfc3261-13.3.1.4-4, rfc3261-14.2-6.
#[test]
fn a_2xx_is_repeated_until_the_ack_and_then_the_call_is_ended() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    bench.wait(31_999);
    let times: Vec<_> = bench.sent_with_times().iter().map(|(time, ..)| *time).collect();
    assert_eq!(times, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    bench.wait(1);
    assert_eq!((bench.titles(), bench.ended()), (vec!["BYE".into()], Some(408)));
    // Nobody answers the BYE either.
    bench.wait(32_000);
    bench.sent();
    // With an ACK there is one 2xx only.
    let (..) = bench.taken();
    bench.sent();
    bench.wait(31_000);
    assert!(!bench.titles().contains(&"200".to_owned()));
    assert_eq!(bench.phone.calls().count(), 1);
}
