//! §5: offers and answers in reliable responses and their PRACKs.

use media::Silence;
use sip::Name;

use super::{DEMANDED, POSSIBLE, is_reliable, other_sdp, prack};
use crate::handset::{Bench, SDP, number, reply, rows, titles, within};

fn ringing(bench: &mut Bench, rows: &str, body: &str) -> (phone::Call, sip::Message) {
    let invite = bench.request("INVITE", rows, body);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    (call, bench.only())
}

/// "if a reliable provisional response is the first reliable message sent back to the UAC, and the INVITE did not contain an offer, one MUST
/// appear in that reliable provisional response"; its answer comes in the PRACK, and the session begins with it.
/// Proves: rfc3262-5-1, rfc3262-5-4, rfc3262-5-6.
#[test]
fn a_call_without_an_offer_gets_ours_with_the_first_reliable_response() {
    let mut bench = Bench::new();
    let (call, ringing) = ringing(&mut bench, DEMANDED, "");
    assert!(is_reliable(&ringing) && rows(&ringing, Name::ContentType) == ["application/sdp"]);
    bench.tell(prack(&ringing, 2, SDP));
    assert_eq!(bench.titles(), ["200"]);
    bench.answer(call);
    let ok = bench.only();
    assert!(!ok.has(Name::ContentType), "offer and answer are made");
    bench.tell(within(&ok, "ACK", 1, "", ""));
    bench.wait(100);
    let quality = bench.act(|phone, _, _| phone.quality(call)).unwrap();
    assert!(quality.sent > 3, "it speaks to where the PRACK said: {quality:?}");
    assert_eq!(bench.ended(), None);
}

/// A PRACK without the answer that we wait for, or with one that nobody can talk by, ends the call.
#[test]
fn a_prack_that_brings_no_answer_ends_the_call() {
    for body in ["", "v=0\r\n"] {
        let mut bench = Bench::new();
        let (_, ringing) = ringing(&mut bench, DEMANDED, "");
        bench.tell(prack(&ringing, 2, body));
        let sent = bench.titles();
        assert_eq!(sent[0], "200");
        assert!(["488", "400"].contains(&&*sent[1]), "{sent:?}");
    }
}

/// "If the UAS receives a PRACK with an offer, it MUST place the answer in the 2xx to the PRACK."
/// Proves: rfc3262-5-3.
#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", POSSIBLE, SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out)).unwrap();
    let early = bench.only();
    bench.tell(prack(&early, 2, &other_sdp()));
    let ok = bench.only();
    assert_eq!(titles(std::slice::from_ref(&ok)), ["200"]);
    assert!(String::from_utf8_lossy(ok.body()).contains("m=audio 2"), "{ok:?}");
}

/// "If the UAS had placed a session description in any reliable provisional response that is unacknowledged when the INVITE is accepted, the UAS
/// MUST delay sending the 2xx until the provisional response is acknowledged."
/// Proves: rfc3262-5-5.
#[test]
fn the_2xx_comes_after_the_prack() {
    let mut bench = Bench::new();
    let (call, ringing) = ringing(&mut bench, DEMANDED, "");
    bench.answer(call);
    assert_eq!(bench.titles(), [""; 0]);
    bench.tell(prack(&ringing, 2, SDP));
    assert_eq!(bench.titles(), ["200", "200"]);
}

/// The answer of a reliable response holds; the 2xx need not say it again, and the call speaks before it.
#[test]
fn the_answer_in_a_reliable_response_is_the_answer() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    let early = "Contact: <sip:bob@192.0.2.9>\r\nRequire: 100rel\r\nRSeq: 1";
    bench.tell(reply(&invite, 183, "bob", (early, SDP)));
    bench.sent();
    bench.wait(100);
    assert!(bench.act(|phone, _, _| phone.quality(call)).unwrap().sent > 3);
    bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", "")));
    assert_eq!(bench.titles(), ["ACK"]);
    assert_eq!(bench.ended(), None);
}

/// Where it rings in two places, each has its own answer; whoever picks up is heard.
#[test]
fn every_fork_has_its_own_answer() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    for tag in ["carol", "bob"] {
        let early = "Contact: <sip:bob@192.0.2.9>\r\nRequire: 100rel\r\nRSeq: 1";
        bench.tell(reply(&invite, 183, tag, (early, SDP)));
    }
    assert_eq!(bench.titles(), ["PRACK", "PRACK"]);
    bench.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", "")));
    assert_eq!(bench.titles(), ["ACK"]);
    // One more that picks up is acknowledged and hung up, with a number that is higher than that of its PRACK.
    bench.tell(reply(&invite, 200, "carol", ("Contact: <sip:bob@192.0.2.9>", "")));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["ACK", "BYE"]);
    assert_eq!(number(&sent[1]), number(&invite) + 2);
    assert_eq!(bench.ended(), None);
}
