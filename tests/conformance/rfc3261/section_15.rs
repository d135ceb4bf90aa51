//! §15: the end of a call.

use phone::PhoneEvent;
use protocol::doors::Question;
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, back, number, reply, rows, titles, within};

/// True when the sockets of a call were given back since the last look: nothing can be sent or heard any more.
fn silent(bench: &mut Bench) -> bool {
    bench.questions().iter().any(|question| matches!(question, Question::CloseMedia(..)))
}

/// Proves: rfc3261-15-1, rfc3261-15.1.2-2, rfc3261-15.1.2-3, rfc3261-15.1.2-4.
#[test]
fn a_bye_of_theirs_is_answered_and_silences_the_call() {
    let mut bench = Bench::new();
    let (_, _, ack) = bench.up();
    assert!(!silent(&mut bench));
    bench.tell(back(&ack, "BYE", 7, "", ""));
    assert_eq!((bench.titles(), bench.ended()), (vec!["200".into()], Some(200)));
    assert!(silent(&mut bench));
    // The same again is a repeat, and an older one belongs to nothing.
    bench.tell(back(&ack, "BYE", 7, "", ""));
    bench.tell(back(&ack, "BYE", 6, "", ""));
    assert_eq!(bench.titles(), ["200", "481"]);
}

/// Proves: rfc3261-15-2, rfc3261-15-3.
#[test]
fn nobody_says_bye_before_there_is_a_call() {
    let mut bench = Bench::new();
    let (call, _) = bench.calls("sip:bob@biloxi.example");
    bench.hang_up(call);
    bench.wait(100_000);
    assert!(bench.titles().iter().all(|title| title == "INVITE"));
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["180", "603"]);
}

/// Proves: rfc3261-15-4.
#[test]
fn who_picked_up_waits_with_the_bye_for_the_ack() {
    let answered = |bench: &mut Bench| {
        let invite = bench.request("INVITE", "", SDP);
        bench.tell(invite);
        let call = bench.incoming();
        bench.answer(call);
        let ok = bench.only();
        bench.hang_up(call);
        assert!(bench.sent().is_empty());
        ok
    };
    let mut bench = Bench::new();
    let ok = answered(&mut bench);
    bench.wait(600);
    assert_eq!(bench.titles(), ["200"]);
    bench.tell(within(&ok, "ACK", 1, "", ""));
    assert_eq!((bench.titles(), bench.ended()), (vec!["BYE".into()], Some(200)));
    answered(&mut bench);
    bench.wait(32_000);
    assert_eq!(bench.sent().last().unwrap().method(), Some(Method::Bye));
}

/// Proves: rfc3261-15.1.1-1.
#[test]
fn the_sound_stops_as_the_bye_goes_out() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    silent(&mut bench);
    bench.hang_up(call);
    assert_eq!((bench.titles(), bench.ended()), (vec!["BYE".into()], Some(200)));
    assert!(silent(&mut bench));
    assert!(bench.phone.quality(call).is_none());
}

/// Proves: rfc3261-15.1.1-2.
#[test]
fn whatever_the_bye_is_answered_with_the_call_is_over() {
    for status in [Some(481), Some(408), Some(200), Some(500), None] {
        let mut bench = Bench::new();
        let (call, ..) = bench.up();
        bench.hang_up(call);
        let bye = bench.only();
        if let Some(status) = status {
            bench.tell(reply(&bye, status, "", ("", "")));
        }
        bench.wait(70_000);
        assert!(bench.phone.is_quiet(), "{status:?}");
        assert!(bench.act(|phone, now, out| phone.hang_up(now, call, out)).is_err());
    }
}

/// Trap 41: a BYE while an INVITE waits for its answer.
/// Proves: rfc3261-15.1.2-5, rfc3261-15.1.2-6.
#[test]
fn trap_41_a_bye_ends_the_invite_that_waits() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    bench.tell(within(&ringing, "BYE", 2, "", ""));
    let sent = bench.sent();
    assert_eq!((titles(&sent), bench.ended()), (vec!["200".into(), "487".into()], Some(487)));
    assert_eq!(rows(&sent[1], Name::To), rows(&ringing, Name::To));
}

/// Trap 41: their BYE meets our re-INVITE. The call is over, and what still comes does no harm.
#[test]
fn trap_41_a_bye_that_meets_our_invite_ends_the_call() {
    let mut bench = Bench::new();
    let (call, _, ack) = bench.up();
    bench.hold(call);
    let hold = bench.only();
    bench.tell(back(&ack, "BYE", 1, "", ""));
    assert_eq!((bench.titles(), bench.ended()), (vec!["200".into()], Some(200)));
    bench.tell(reply(&hold, 487, "", ("", "")));
    assert_eq!(bench.titles(), ["ACK"]);
    bench.wait(70_000);
    assert!(bench.phone.is_quiet());
}

/// A BYE that is asked who it is from comes again with the answer and the next number.
#[test]
fn a_challenged_bye_comes_again() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    bench.hang_up(call);
    let bye = bench.only();
    let challenge = r#"Proxy-Authenticate: Digest realm="r", nonce="1", qop="auth""#;
    bench.tell(reply(&bye, 407, "", (challenge, "")));
    let again: Message = bench.only();
    assert_eq!((again.method(), number(&again)), (Some(Method::Bye), number(&bye) + 1));
    assert!(again.has(Name::ProxyAuthorization));
    bench.tell(reply(&again, 200, "", ("", "")));
    let ends = bench.events().into_iter().filter(|event| matches!(event, PhoneEvent::Ended { .. }));
    assert_eq!(ends.count(), 1);
}
