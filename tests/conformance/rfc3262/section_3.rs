//! §3: what is repeated until its PRACK comes, and when nothing is.

use media::Silence;
use phone::Call;
use sip::{Message, Name};

use super::{DEMANDED, POSSIBLE, is_reliable, prack, rseq};
use crate::handset::{Bench, SDP, rows, titles, within};

/// Bob calls, with more rows.
fn called(rows: &str) -> (Bench, Call) {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", rows, SDP);
    bench.tell(invite);
    let call = bench.incoming();
    (bench, call)
}

fn announce(bench: &mut Bench, call: Call) {
    bench.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out)).unwrap();
}

fn times(bench: &mut Bench) -> Vec<(u64, Message)> {
    bench.sent_with_times().into_iter().map(|(at, _, message)| (at, message)).collect()
}

/// "MUST send any non-100 provisional response reliably if the initial request contained a Require header field with the option tag 100rel";
/// "MUST contain a Require header field containing the option tag 100rel, and MUST include an RSeq header field", "between 1 and 2**31 - 1".
/// Proves: rfc3262-3-1, rfc3262-3-9, rfc3262-3-10, rfc3262-8.1-1.
#[test]
fn who_demands_reliable_responses_gets_no_others() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let ringing = bench.only();
    assert!(is_reliable(&ringing), "{ringing:?}");
    assert!((1..1 << 31).contains(&rseq(&ringing)));
    bench.tell(prack(&ringing, 2, ""));
    bench.sent();
    announce(&mut bench, call);
    assert!(is_reliable(&bench.only()));
}

/// "If the request did not include either a Supported or Require header field indicating this feature, the UAS MUST NOT send the provisional
/// response reliably"; nor within a dialog, where we say nothing provisional; nor is there a 100 of ours.
/// Proves: rfc3262-3-3, rfc3262-3-4, rfc3262-3-5.
#[test]
fn who_does_not_know_them_gets_none() {
    let (mut bench, call) = called("");
    bench.ring(call);
    announce(&mut bench, call);
    bench.wait(40_000);
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["180", "183"]);
    assert!(sent.iter().all(|response| !response.has(Name::RSeq) && !response.has(Name::Require)));
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "INVITE", 2, DEMANDED, SDP));
    assert_eq!(bench.titles(), ["200"]);
}

/// The list of RSeq is thrown anew for each call: seeds are what makes two of our phones differ, calls what makes two numbers of one.
/// Proves: rfc3262-3-11.
#[test]
fn the_first_number_is_anything() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let mut seen = vec![rseq(&bench.only())];
    for _ in 0..7 {
        let invite = bench.request("INVITE", DEMANDED, SDP);
        bench.tell(invite);
        let call = bench.incoming();
        bench.ring(call);
        seen.push(rseq(&bench.only()));
    }
    seen.sort_unstable();
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
    assert!(seen[7] > 1 << 28, "eight small ones would be a miracle: {seen:?}");
}

/// Repeated from T1 on, doubling; "If a reliable provisional response is retransmitted for 64*T1 seconds without reception of a corresponding
/// PRACK, the UAS SHOULD reject the original request with a 5xx response".
/// Proves: rfc3262-3-15.
#[test]
fn what_nobody_acknowledges_is_repeated_and_then_the_call_is_refused() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    bench.wait(33_000);
    let sent: Vec<_> = times(&mut bench)
        .into_iter()
        .map(|(at, message)| (at, message.status().unwrap().code()))
        .collect();
    let ringing = [0, 500, 1500, 3500, 7500, 15_500, 31_500].map(|at| (at, 180));
    assert_eq!(sent[..7], ringing);
    assert_eq!(sent[7], (32_000, 504));
    assert_eq!(bench.ended(), Some(504));
}

/// "does not match any unacknowledged reliable provisional response, the UAS MUST respond to the PRACK with a 481"; "does match …, it MUST be
/// responded to with a 2xx"; "SHOULD cease retransmissions …, and MUST remove it from the list".
/// Proves: rfc3262-3-12, rfc3262-3-13, rfc3262-3-14.
#[test]
fn a_prack_that_fits_is_taken_once_and_ends_the_repeats() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let ringing = bench.only();
    let wrong = format!("RAck: {} 1 INVITE\r\n", rseq(&ringing) + 1);
    bench.tell(within(&ringing, "PRACK", 2, &wrong, ""));
    assert_eq!(bench.titles(), ["481"]);
    let wrong = format!("RAck: {} 2 INVITE\r\n", rseq(&ringing));
    bench.tell(within(&ringing, "PRACK", 3, &wrong, ""));
    assert_eq!(bench.titles(), ["481"]);
    bench.tell(prack(&ringing, 4, ""));
    assert_eq!(bench.titles(), ["200"]);
    bench.wait(40_000);
    assert_eq!(bench.titles(), [""; 0]);
    bench.tell(prack(&ringing, 5, ""));
    assert_eq!(bench.titles(), ["481"], "it is on no list any more");
}

/// "The UAS MUST NOT send a second reliable provisional response until the first is acknowledged"; "RSeq in each subsequent reliable provisional
/// response for the same request MUST be greater by exactly one".
/// Proves: rfc3262-3-16, rfc3262-3-17, rfc3262-3-18.
#[test]
fn the_next_waits_for_the_first() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let ringing = bench.only();
    announce(&mut bench, call);
    assert_eq!(bench.titles(), [""; 0]);
    bench.tell(prack(&ringing, 2, ""));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "183"]);
    assert_eq!(rseq(&sent[1]), rseq(&ringing) + 1);
}

/// "As a more efficient alternative, the UAS can send the response reliably, in which case the UAS SHOULD send provisional responses once every
/// two and a half minutes."
/// Proves: rfc3262-3-7, rfc3262-3-8.
#[test]
fn a_long_ringing_is_said_again_after_two_and_a_half_minutes() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let ringing = bench.only();
    bench.tell(prack(&ringing, 2, ""));
    bench.sent();
    bench.wait(160_000);
    let sent = times(&mut bench);
    assert!(sent.iter().all(|(at, again)| *at >= 150_000 && is_reliable(again)), "{sent:?}");
    assert_eq!(sent[0].0, 150_000);
}

/// A session description in an unacknowledged response delays the 2xx; "In that case, it MUST NOT send a final response until those provisional
/// responses are acknowledged." "MUST NOT send new reliable provisional responses … after sending a final response".
/// Proves: rfc3262-3-20, rfc3262-3-22.
#[test]
fn the_200_waits_for_the_prack() {
    let (mut bench, call) = called(POSSIBLE);
    announce(&mut bench, call);
    let early = bench.only();
    assert!(is_reliable(&early) && early.has(Name::ContentType));
    bench.answer(call);
    let again = bench.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out));
    assert!(again.is_err());
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(500);
    assert_eq!(bench.titles(), ["183"], "the PRACK may be lost");
    bench.tell(prack(&early, 2, ""));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "200"]);
    assert!(!sent[1].has(Name::ContentType), "the answer was given, and was received");
}

/// "it SHOULD NOT continue to retransmit the unacknowledged reliable provisional responses, but it MUST be prepared to process PRACK requests
/// for those outstanding responses".
/// Proves: rfc3262-3-21.
#[test]
fn after_a_refusal_nothing_is_repeated_and_the_late_prack_is_taken() {
    let (mut bench, call) = called(DEMANDED);
    bench.ring(call);
    let ringing = bench.only();
    bench.act(|phone, now, out| phone.refuse(now, call, 486, out)).unwrap();
    assert_eq!(bench.titles(), ["486"]);
    bench.tell(prack(&ringing, 2, ""));
    assert_eq!(bench.titles(), ["200"]);
    bench.tell(prack(&ringing, 3, ""));
    assert_eq!(bench.titles(), ["481"]);
    assert!(rows(&ringing, Name::Allow)[0].contains("PRACK"));
}
