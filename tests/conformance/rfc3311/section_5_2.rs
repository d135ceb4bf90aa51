//! §5.2: what the phone answers to UPDATE.

use media::Silence;
use sip::{Message, Name};

use crate::handset::{Bench, SDP, back, reply, rows, titles, within};

fn code(message: &Message) -> u16 {
    message.status().unwrap().code()
}

fn seconds(message: &Message) -> u32 {
    rows(message, Name::RetryAfter)[0].parse().unwrap()
}

/// A call of Bob's with an early answer that he has acknowledged.
fn early(bench: &mut Bench) -> Message {
    let invite = bench.request("INVITE", "Require: 100rel\r\n", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out)).unwrap();
    let early = bench.only();
    let rack = format!("RAck: {} 1 INVITE\r\n", rows(&early, Name::RSeq)[0]);
    bench.tell(within(&early, "PRACK", 2, &rack, ""));
    bench.sent();
    early
}

/// "If an UPDATE is received that contains an offer, and the UAS has generated an offer … to which it has not yet received an answer, the UAS MUST
/// reject the UPDATE with a 491 response": our re-INVITE, our UPDATE, our INVITE, our reliable response to a call without an offer.
/// Proves: rfc3311-A-2.
#[test]
fn two_offers_that_meet_are_both_refused() {
    let mut bench = Bench::new();
    let (call, _, ack) = bench.up();
    bench.hold(call);
    bench.sent();
    bench.tell(back(&ack, "UPDATE", 7, "", SDP));
    assert_eq!(bench.titles(), ["491"]);

    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    bench.tell(reply(&invite, 180, "bob", ("Contact: <sip:bob@192.0.2.9>", "")));
    let ringing = reply(&invite, 180, "bob", ("", ""));
    bench.tell(back(&ringing, "UPDATE", 1, "", SDP));
    assert_eq!(bench.titles(), ["491"], "the INVITE's offer waits for its answer");

    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "Require: 100rel\r\n", "");
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    bench.tell(within(&ringing, "UPDATE", 2, "", SDP));
    assert_eq!(bench.titles(), ["491"], "the offer in our 180 waits for its PRACK");
}

/// "if an UPDATE is received that contains an offer, and the UAS has received an offer … to which it has not yet generated an answer, the UAS MUST
/// reject the UPDATE with a 500 response, and MUST include a Retry-After header field with a randomly chosen value between 0 and 10 seconds".
/// Proves: rfc3311-A-3.
#[test]
fn an_offer_before_the_answer_to_the_last_has_to_wait() {
    let mut waits = Vec::new();
    let mut bench = Bench::new();
    for number in 2..14 {
        let invite = bench.request("INVITE", "", SDP);
        bench.tell(invite);
        let call = bench.incoming();
        bench.ring(call);
        let ringing = bench.only();
        bench.tell(within(&ringing, "UPDATE", number, "", SDP));
        let no = bench.only();
        assert_eq!(code(&no), 500);
        waits.push(seconds(&no));
    }
    assert!(waits.iter().all(|wait| *wait <= 10), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

/// "it MUST check any version identifiers in the session description …. If the session description has changed, the UAS MUST adjust the session
/// parameters accordingly and generate an answer in the 2xx response"; promptly, before and after somebody has picked up.
/// Proves: rfc3311-A-1, rfc3311-A-4, rfc3311-A-5, rfc3311-A-6.
#[test]
fn an_update_is_answered_at_once() {
    let mut bench = Bench::new();
    let before = early(&mut bench);
    let held = format!("{SDP}a=sendonly\r\n").replace("1 1", "1 2");
    bench.tell(within(&before, "UPDATE", 3, "", &held));
    let answer = bench.only();
    assert_eq!(code(&answer), 200);
    assert!(String::from_utf8_lossy(answer.body()).contains("a=recvonly"));

    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.tell(within(&ok, "UPDATE", 2, "", &held));
    let answer = bench.only();
    assert!(String::from_utf8_lossy(answer.body()).contains("a=recvonly"));
    let held = phone::PhoneEvent::Held { call, held: true };
    assert!(bench.events().contains(&held));
    // And again at once: nothing of the last waits for anything.
    bench.tell(within(&ok, "UPDATE", 3, "", &SDP.replace("1 1", "1 3")));
    let answer = bench.only();
    assert!(String::from_utf8_lossy(answer.body()).contains("m=audio 2"), "{answer:?}");
    bench.tell(within(&ok, "UPDATE", 4, "", ""));
    let nothing = bench.only();
    assert_eq!((code(&nothing), nothing.has(Name::ContentType)), (200, false));
}

/// "If the UAS cannot change the session parameters without prompting the user, it SHOULD reject the request with a 504": ours never asks anybody;
/// what it cannot do it refuses with a Warning that says why.
/// Proves: rfc3311-A-8.
#[test]
fn what_cannot_be_agreed_on_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.tell(within(&ok, "UPDATE", 2, "", &SDP.replace("8 0", "99").replace("1 1", "1 2")));
    let no = bench.only();
    assert_eq!((code(&no), no.has(Name::Warning)), (488, true));
    bench.wait(1000);
    let quality = bench.act(|phone, _, _| phone.quality(call)).unwrap();
    assert!(quality.sent > 40, "it goes on as before: {quality:?}");
}

/// UPDATE of one of many places where it rings: that one's early answer is changed, and no other's.
#[test]
fn whoever_rings_may_change_its_early_answer() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let early = "Contact: <sip:bob@192.0.2.9>\r\nRequire: 100rel\r\nRSeq: 1";
    bench.tell(reply(&invite, 183, "bob", (early, SDP)));
    bench.sent();
    let ringing = reply(&invite, 183, "bob", ("", ""));
    bench.tell(back(&ringing, "UPDATE", 1, "", &SDP.replace("1 1", "1 2").replace("4000", "5000")));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200"]);
    assert!(sent[0].has(Name::ContentType) && sent[0].has(Name::Contact));
    let stranger = reply(&invite, 183, "nobody", ("", ""));
    bench.tell(back(&stranger, "UPDATE", 2, "", SDP));
    assert_eq!(bench.titles(), ["481"]);
}
