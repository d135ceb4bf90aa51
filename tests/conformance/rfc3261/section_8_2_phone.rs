//! §8.2: what a user agent answers.

use phone::PhoneEvent;
use protocol::Transport;
use protocol::doors::{Call, Input};
use sip::header::{To, Via};
use sip::{Header as _, Message, Name};

use crate::handset::{Bench, SDP, flow, rows, titles, within};

/// The answer to a request of Bob's.
fn answer_to(method: &str, more: &str, body: &str) -> Message {
    let mut bench = Bench::new();
    let request = bench.request(method, more, body);
    bench.tell(request);
    bench.only()
}

fn code(message: &Message) -> u16 {
    message.status().unwrap().code()
}

/// Trap 19: a method that we know and do not take is 405, one that nobody knows is 501; both say what we take.
/// Proves: rfc3261-8.2.1-1, rfc3261-8.2.1-2, rfc3261-8.2.1-3, rfc3261-8.2.1-4.
#[test]
fn trap_19_other_methods_are_refused_with_the_list_of_ours() {
    let allowed =
        "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE";
    for method in ["REGISTER", "PUBLISH"] {
        let answer = answer_to(method, "", "");
        assert_eq!(
            (code(&answer), rows(&answer, Name::Allow)),
            (405, vec![allowed.into()]),
            "{method}"
        );
    }
    // Trap 20: the case of a method counts.
    for method in ["FROBNICATE", "invite", "Options"] {
        let answer = answer_to(method, "", "");
        assert_eq!(
            (code(&answer), rows(&answer, Name::Allow)),
            (501, vec![allowed.into()]),
            "{method}"
        );
    }
    // What is on the list is taken: nobody hears 405 or 501.
    for method in allowed.split(", ").filter(|method| !matches!(*method, "ACK" | "INVITE")) {
        assert!(!matches!(code(&answer_to(method, "", "")), 405 | 501), "{method}");
    }
}

/// "If the types include one that can describe media capabilities, the UAS SHOULD include a body in the response for that purpose."
/// Proves: rfc3261-11.2-4.
#[test]
fn an_options_is_told_what_can_be_talked_with() {
    let answer = answer_to("OPTIONS", "Accept: application/sdp\r\n", "");
    assert_eq!(rows(&answer, Name::ContentType), ["application/sdp"]);
    let said = sdp::Description::parse(answer.body()).unwrap();
    let [sound] = &said.media[..] else { panic!("{said:?}") };
    assert_eq!(sound.port, 0, "nothing is offered by it");
    assert_eq!(
        sound.formats.join(" "),
        "96 9 8 0 13 97 98",
        "Opus, G.722, A-law, µ-law, comfort noise, keys at both clocks"
    );
}

/// Trap 49: the list that OPTIONS gives is the list by which we refuse; in a call and outside of one.
#[test]
fn trap_49_options_says_what_is_true() {
    let mut bench = Bench::new();
    let options = bench.request("OPTIONS", "", "");
    bench.tell(options);
    let outside = bench.only();
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "OPTIONS", 2, "", ""));
    for answer in [outside, bench.only()] {
        assert_eq!(code(&answer), 200);
        assert_eq!(
            rows(&answer, Name::Allow),
            [
                "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE"
            ]
        );
        assert_eq!(rows(&answer, Name::Accept), ["application/sdp"]);
        assert_eq!(rows(&answer, Name::AcceptEncoding), ["identity"]);
        assert_eq!(rows(&answer, Name::AcceptLanguage), ["en"]);
        assert_eq!(
            rows(&answer, Name::Supported),
            ["100rel, timer, replaces, join, norefersub, gruu, outbound"]
        );
    }
}

/// Proves: rfc3261-8.2.2-1, rfc3261-8.2.2-2.
#[test]
fn headers_that_nobody_knows_and_headers_that_nobody_needs_do_no_harm() {
    let strange = "X-Frobnicate: yes\r\nDate: not a date\r\nAlert-Info: <<<\r\nP-Whatever: ;;;\r\nSubject: \u{fffd}\r\n";
    assert_eq!(code(&answer_to("OPTIONS", strange, "")), 200);
}

/// Proves: rfc3261-8.2.2.1-1, rfc3261-8.2.2.1-3, rfc3261-8.2.2.1-4.
#[test]
fn the_to_may_be_anybody_and_the_request_uri_must_be_us() {
    let ask = |uri: &[u8], to: &[u8]| {
        let mut bench = Bench::new();
        let options = bench.request("OPTIONS", "", "");
        bench.tell(options.edit().request_uri(uri).replace_raw(Name::To, to).finish().unwrap());
        code(&bench.only())
    };
    assert_eq!(ask(b"sip:alice@192.0.2.1", b"<tel:+12345>"), 200);
    assert_eq!(ask(b"sip:%61lice@192.0.2.1", b"<urn:service:sos>"), 200);
    assert_eq!(ask(b"sip:192.0.2.1", b"<sip:somebody@else>"), 200);
    assert_eq!(ask(b"sip:carol@192.0.2.1", b"<sip:alice@atlanta.example>"), 404);
    assert_eq!(ask(b"http://192.0.2.1/", b"<sip:alice@atlanta.example>"), 416);
}

/// Trap 6: the same request by another path.
/// Proves: rfc3261-8.2.2.2-1, rfc3261-8.2.2.2-2.
#[test]
fn trap_06_a_request_that_comes_again_by_another_path_is_482() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.ring(call);
    assert_eq!(bench.titles(), ["180"]);
    let other = invite
        .edit()
        .replace_raw(Name::Via, b"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKother")
        .finish()
        .unwrap();
    bench.tell(other);
    let merged = bench.only();
    assert_eq!(code(&merged), 482);
    assert!(bench.events().is_empty());
    // The very same again is a repeat, and gets what it got before.
    bench.tell(invite.clone());
    assert_eq!(bench.titles(), ["180"]);
    // With the next number it is another request.
    let next = invite
        .edit()
        .replace_raw(Name::Via, b"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKnext")
        .replace_raw(Name::CSeq, b"2 INVITE")
        .finish()
        .unwrap();
    bench.tell(next);
    assert!(matches!(bench.events()[..], [PhoneEvent::Incoming { .. }]));
}

/// Trap 47. Every option that we do not have is named.
/// Proves: rfc3261-8.2.2.3-1, rfc3261-8.2.2.3-2.
#[test]
fn trap_47_what_we_do_not_have_cannot_be_required() {
    for method in ["INVITE", "OPTIONS"] {
        let answer = answer_to(method, "Require: baz, foo\r\nRequire: bar\r\n", "");
        assert_eq!(
            (code(&answer), rows(&answer, Name::Unsupported)),
            (420, vec!["baz, foo, bar".into()])
        );
    }
}

/// Proves: rfc3261-8.2.2.3-4.
#[test]
fn trap_47_require_in_cancel_and_ack_is_ignored() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite.clone());
    bench.tell(follow_up(&invite, "CANCEL", "Require: foo\r\n"));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "487"]);
    let tagged = sent[1].get::<To<'_>>().unwrap().text();
    let ack = follow_up(&invite, "ACK", "Require: foo\r\n")
        .edit()
        .replace_raw(Name::To, tagged.as_bytes())
        .finish()
        .unwrap();
    bench.tell(ack);
    bench.wait(10_000);
    assert!(bench.sent().is_empty(), "the 487 is acknowledged");
}

/// CANCEL or ACK of an INVITE: the same top Via.
fn follow_up(invite: &Message, method: &str, rows: &str) -> Message {
    let row = |name: Name| String::from_utf8_lossy(invite.rows(name).next().unwrap()).into_owned();
    let wire = format!(
        "{method} {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 {method}\r\n{rows}\r\n",
        String::from_utf8_lossy(invite.request_uri().unwrap()),
        row(Name::Via),
        row(Name::From),
        row(Name::To),
        row(Name::CallId),
    );
    Message::parse(wire).unwrap()
}

/// Trap 48.
/// Proves: rfc3261-8.2.3-1, rfc3261-8.2.3-2, rfc3261-8.2.3-3.
#[test]
fn trap_48_a_body_that_we_cannot_read_is_refused_unless_it_is_optional() {
    let html = answer_to("INVITE", "Content-Type: text/html\r\n", "<p>hello");
    assert_eq!((code(&html), rows(&html, Name::Accept)), (415, vec!["application/sdp".into()]));
    let packed =
        answer_to("INVITE", "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", SDP);
    assert_eq!(
        (code(&packed), rows(&packed, Name::AcceptEncoding)),
        (415, vec!["identity".into()])
    );
    let mut bench = Bench::new();
    let optional = "Content-Type: text/html\r\nContent-Disposition: render;handling=optional\r\n";
    let invite = bench.request("INVITE", optional, "<p>hello");
    bench.tell(invite);
    bench.incoming();
    let parts = format!(
        "--x\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--x\r\nContent-Type: text/plain\r\n\
         Content-Disposition: render;handling=optional\r\n\r\nhello\r\n--x--\r\n"
    );
    let invite = bench.request("INVITE", "Content-Type: multipart/mixed;boundary=x\r\n", &parts);
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    assert!(bench.sent().iter().any(|answer| answer.body().starts_with(b"v=0")));
    let parts = parts.replace("optional", "required");
    assert_eq!(
        code(&answer_to("INVITE", "Content-Type: multipart/mixed;boundary=x\r\n", &parts)),
        415
    );
}

/// No answer of ours has an extension applied to it.
/// Proves: rfc3261-8.2.4-1, rfc3261-8.2.4-2, rfc3261-8.2.4-5, rfc3261-8.2.4-6.
#[test]
fn answers_apply_no_extension() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "Supported: 100rel, timer, replaces\r\n", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    bench.answer(call);
    for answer in bench.sent() {
        assert!(
            !answer.has(Name::Require)
                && !answer.has(Name::RSeq)
                && !answer.has(Name::SessionExpires)
        );
    }
}

/// Trap 43: 100 within 200 ms when nobody rings, with the Timestamp, how long we took for it, and without a tag of anybody's.
/// Proves: rfc3261-8.2.6.1-1, rfc3261-8.2.6.1-2, rfc3261-8.2.6.1-3, rfc3261-8.2.6.1-4, rfc3261-8.2.6.1-5.
#[test]
fn trap_43_a_silent_phone_says_trying_and_others_are_answered_at_once() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "Timestamp: 54.5\r\n", SDP);
    bench.tell(invite);
    assert!(bench.sent().is_empty());
    bench.wait(200);
    let trying = bench.only();
    assert_eq!((code(&trying), rows(&trying, Name::Timestamp)), (100, vec!["54.5 0.200".into()]));
    assert_eq!(trying.get::<To<'_>>().unwrap().tag(), None);
    assert_eq!(code(&answer_to("OPTIONS", "", "")), 200);
}

/// Proves: rfc3261-8.2.6.2-1, rfc3261-8.2.6.2-2, rfc3261-8.2.6.2-3, rfc3261-8.2.6.2-4, rfc3261-8.2.6.2-5, rfc3261-8.2.6.2-6,
/// rfc3261-8.2.6.2-7.
#[test]
fn an_answer_is_made_of_its_request_and_one_tag_of_ours() {
    let mut bench = Bench::new();
    let more = "Via: SIP/2.0/TCP p1.example;branch=z9hG4bKa, SIP/2.0/UDP p2.example;branch=z9hG4bKb;x=y\r\n";
    let invite = bench.request("INVITE", more, SDP);
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.ring(call);
    bench.wait(60_000);
    bench.answer(call);
    let answers = bench.sent();
    assert_eq!(titles(&answers)[..3], ["180", "180", "200"]);
    let tag = answers[0].get::<To<'_>>().unwrap().tag().unwrap();
    for answer in &answers {
        for name in [Name::From, Name::CallId, Name::CSeq, Name::Via] {
            assert_eq!(rows(answer, name), rows(&invite, name));
        }
        let to = answer.get::<To<'_>>().unwrap();
        assert_eq!((to.uri, to.tag()), (invite.get::<To<'_>>().unwrap().uri, Some(tag)));
    }
    // Where the request has a tag, it stays.
    bench.tell(within(&answers[2], "OPTIONS", 2, "", ""));
    let answer = bench.sent().pop().unwrap();
    assert_eq!(answer.get::<To<'_>>().unwrap().tag(), Some(tag));
}

/// Proves: rfc3261-8.2-1, rfc3261-8.2-2, rfc3261-8.2-3.
#[test]
fn what_is_refused_changes_nothing_and_what_is_accepted_all() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    let elsewhere = "Contact: <sip:bob@192.0.2.200>\r\n";
    let unplayable = SDP.replace("RTP/AVP 8 0", "RTP/AVP 31");
    let refused = within(&ok, "INVITE", 2, "", &unplayable);
    let refused =
        refused.edit().replace_raw(Name::Contact, b"<sip:bob@192.0.2.200>").finish().unwrap();
    bench.tell(refused);
    let no = bench.only();
    assert_eq!(code(&no), 488);
    assert!(rows(&no, Name::Warning)[0].starts_with("305 "), "{no:?}");
    let held = SDP.replace("o=- 1 1", "o=- 1 2") + "a=sendonly\r\n";
    let accepted = within(&ok, "INVITE", 3, elsewhere, &held);
    let accepted = accepted.edit().remove_first(Name::Contact).finish().unwrap();
    bench.tell(accepted);
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(bench.events().last(), Some(&PhoneEvent::Held { call, held: true }));
    bench.tell(within(&ok, "ACK", 3, "", ""));
    bench.hang_up(call);
    let bye = bench.sent_with_times().pop().unwrap();
    assert_eq!(bye.1.peer.to_string(), "192.0.2.200:5060");
    // Before the refused one had its chance, the target was where the INVITE had said.
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    let refused = within(&ok, "INVITE", 2, "", &unplayable);
    bench.tell(
        refused.edit().replace_raw(Name::Contact, b"<sip:bob@192.0.2.200>").finish().unwrap(),
    );
    bench.hang_up(call);
    assert_eq!(bench.sent_with_times().pop().unwrap().1.peer.to_string(), "192.0.2.9:5060");
}

#[test]
fn a_message_that_is_wrong_gets_a_400_that_names_the_fault() {
    let ask = |edit: &dyn Fn(&Message) -> Message| {
        let mut bench = Bench::new();
        let options = bench.request("OPTIONS", "", "");
        bench.tell(edit(&options));
        let answer = bench.only();
        let sip::Start::Response(status, phrase) = answer.start() else { panic!("no answer") };
        (status.code(), String::from_utf8_lossy(phrase).into_owned())
    };
    let (status, phrase) = ask(&|ok| ok.edit().replace_raw(Name::CSeq, b"1 BYE").finish().unwrap());
    assert!(status == 400 && phrase.contains("CSeq"), "{phrase}");
    let (status, phrase) =
        ask(&|ok| ok.edit().replace_raw(Name::MaxForwards, b"many").finish().unwrap());
    assert!(status == 400 && phrase.contains("Max-Forwards"), "{phrase}");
}

/// A request that came over a stream is answered over it.
#[test]
fn a_stream_is_answered_over_itself() {
    let mut bench = Bench::new();
    let options = bench.request("OPTIONS", "", "");
    let options = options
        .edit()
        .replace_raw(Name::Via, b"SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bKt;rport")
        .finish()
        .unwrap();
    bench.input(Input::Received(flow(Transport::Tcp), options));
    let sent = bench.sent_with_times();
    assert_eq!(sent[0].1, flow(Transport::Tcp));
    let via = sent[0].2.get::<Via<'_>>().unwrap();
    assert_eq!(via.rport(), Some(Some(5060)));
}

/// RFC 6086 §4.2.2, and keys as old gateways send them.
#[test]
fn an_info_brings_keys_or_is_refused_as_its_rfc_says() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.events();
    let relay = within(&ok, "INFO", 2, "Content-Type: application/dtmf-relay\r\n", "");
    let relay = relay.edit().body(b"Signal=7\r\nDuration=100\r\n").finish().unwrap();
    bench.tell(relay);
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(bench.events(), [PhoneEvent::Key { call, key: '7' }]);
    bench.tell(within(&ok, "INFO", 3, "Info-Package: foo\r\n", ""));
    assert_eq!(code(&bench.only()), 469);
    bench.tell(within(&ok, "INFO", 4, "", ""));
    assert_eq!(code(&bench.only()), 200);
}

#[test]
fn there_is_a_limit_to_the_calls_that_wait() {
    let mut bench = Bench::new();
    for _ in 0..phone::limits::CALLS {
        let invite = bench.request("INVITE", "", SDP);
        bench.tell(invite);
    }
    assert!(bench.sent().is_empty());
    let one_more = bench.request("INVITE", "", SDP);
    bench.tell(one_more);
    assert_eq!(bench.titles(), ["486"]);
    let options = bench.request("OPTIONS", "", "");
    bench.tell(options);
    assert_eq!(bench.titles(), ["486"]);
    let calls: Vec<Call> = bench.phone.calls().collect();
    bench.hang_up(calls[0]);
    assert_eq!(bench.titles(), ["603"]);
    let again = bench.request("INVITE", "", SDP);
    bench.tell(again);
    assert!(bench.sent().is_empty());
}
