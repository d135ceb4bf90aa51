//! §14: changing a call that stands.

use phone::{Call, PhoneEvent};
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, back, number, picked_up, reply, rows, titles, within};

fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

/// The version in the `o=` line.
fn version(message: &Message) -> u64 {
    let sdp = text(message);
    let origin = sdp.lines().find(|line| line.starts_with("o=")).unwrap();
    origin.split(' ').nth(2).unwrap().parse().unwrap()
}

/// Their description, held, as the `number`th version.
fn held(number: u32) -> String {
    SDP.replace("o=- 1 1", &format!("o=- 1 {number}")) + "a=sendonly\r\n"
}

fn resume(bench: &mut Bench, call: Call) {
    bench.act(|phone, now, out| phone.resume(now, call, out)).unwrap();
}

/// Proves: rfc3261-14.1-1.
#[test]
fn a_change_has_the_next_version_and_says_what_it_wants() {
    let mut bench = Bench::new();
    let (call, invite, _) = bench.up();
    bench.hold(call);
    let hold = bench.only();
    assert_eq!(version(&hold), version(&invite) + 1);
    assert!(text(&hold).contains("a=sendonly"), "{}", text(&hold));
    bench.tell(picked_up(&hold));
    assert_eq!(bench.titles(), ["ACK"]);
    assert_eq!(
        bench.events().last(),
        Some(&PhoneEvent::HoldDone { call, hold: true, status: 200 })
    );
    resume(&mut bench, call);
    let resumed = bench.only();
    assert_eq!(version(&resumed), version(&hold) + 1);
    assert!(text(&resumed).contains("a=sendrecv"), "{}", text(&resumed));
}

/// One INVITE at a time: ours has to be answered before the next goes out.
/// Proves: rfc3261-14.1-2, rfc3261-14.1-3.
#[test]
fn a_second_change_waits_for_the_answer_to_the_first() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    bench.hold(call);
    let hold = bench.only();
    bench.tell(reply(&hold, 100, "", ("", "")));
    resume(&mut bench, call);
    bench.wait(10_000);
    assert!(bench.sent().is_empty());
    bench.tell(picked_up(&hold));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["ACK", "INVITE"]);
    assert_eq!(number(&sent[1]), number(&hold) + 1);
}

/// Theirs has to be acknowledged before ours goes out.
/// Proves: rfc3261-14.1-2, rfc3261-14.1-4.
#[test]
fn a_change_of_ours_waits_for_the_ack_of_theirs() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.tell(within(&ok, "INVITE", 2, "", &held(2)));
    assert_eq!(bench.titles(), ["200"]);
    bench.hold(call);
    assert!(bench.sent().is_empty());
    bench.tell(within(&ok, "ACK", 2, "", ""));
    assert_eq!(bench.titles(), ["INVITE"]);
}

/// Proves: rfc3261-14.1-5.
#[test]
fn a_change_that_is_refused_has_never_been() {
    for status in [403, 488, 500, 606] {
        let mut bench = Bench::new();
        let (call, invite, ack) = bench.up();
        bench.hold(call);
        let hold = bench.only();
        bench.tell(reply(&hold, status, "", ("", "")));
        assert_eq!(bench.titles(), ["ACK"]);
        assert_eq!(bench.events().last(), Some(&PhoneEvent::HoldDone { call, hold: true, status }));
        // Asked for an offer we still want to hear.
        bench.tell(back(&ack, "INVITE", 1, "", ""));
        let offer = bench.only();
        assert!(text(&offer).contains("a=sendrecv"), "{}", text(&offer));
        assert!(version(&offer) > version(&invite));
    }
}

/// Trap 40: both sides ask at once. The one who called waits longer than the one who was called, so they do not meet again.
/// Proves: rfc3261-14.1-6, rfc3261-14.1-7.
#[test]
fn trap_40_after_a_491_we_ask_again_in_our_own_time() {
    let waited = |bench: &mut Bench, call| {
        bench.hold(call);
        let hold = bench.only();
        bench.tell(reply(&hold, 491, "", ("", "")));
        assert_eq!(bench.titles(), ["ACK"]);
        let begun = bench.millis();
        bench.wait(4_000);
        let sent = bench.sent_with_times();
        let ours = |message: &Message| message.call_id() == hold.call_id();
        let (time, _, again) = sent.iter().find(|(.., message)| ours(message)).unwrap();
        assert_eq!((again.method(), number(again)), (Some(Method::Invite), number(&hold) + 1));
        assert_eq!(again.body().len(), hold.body().len());
        time - begun
    };
    let mut bench = Bench::new();
    let mut times = Vec::new();
    for _ in 0..20 {
        let (call, ..) = bench.up();
        let time = waited(&mut bench, call);
        assert!((2_100..=4_000).contains(&time) && time % 10 == 0, "{time}");
        times.push(time);
        let (call, ..) = bench.taken();
        let time = waited(&mut bench, call);
        assert!(time <= 2_000 && time % 10 == 0, "{time}");
        bench.sent();
    }
    times.dedup();
    assert!(times.len() > 10, "{times:?}");
}

/// Whoever has changed his mind while we waited is not asked again.
#[test]
fn a_hold_that_was_taken_back_is_not_asked_for_again() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    bench.hold(call);
    let hold = bench.only();
    bench.tell(reply(&hold, 491, "", ("", "")));
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["ACK", "BYE"]);
    bench.wait(5_000);
    assert!(!bench.titles().contains(&"INVITE".to_owned()));
}

/// Trap 40: a second INVITE or UPDATE while their first is not settled.
/// Proves: rfc3261-14.2-1.
#[test]
fn trap_40_a_second_offer_before_the_first_is_settled_is_500() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "INVITE", 2, "", &held(2)));
    bench.sent();
    for (method, cseq) in [("INVITE", 3), ("UPDATE", 4)] {
        bench.tell(within(&ok, method, cseq, "", &held(3)));
        let no = bench.only();
        assert_eq!(titles(std::slice::from_ref(&no)), ["500"], "{method}");
        let seconds: u64 = rows(&no, Name::RetryAfter)[0].parse().unwrap();
        assert!(seconds <= 10);
    }
}

/// Trap 40: their INVITE or UPDATE while ours is under way.
/// Proves: rfc3261-14.2-2.
#[test]
fn trap_40_an_offer_that_meets_ours_is_491() {
    let mut bench = Bench::new();
    let (call, _, ack) = bench.up();
    bench.hold(call);
    bench.sent();
    for (method, cseq) in [("INVITE", 1), ("UPDATE", 2)] {
        bench.tell(back(&ack, method, cseq, "", &held(2)));
        assert_eq!(bench.titles(), ["491"], "{method}");
    }
    // An UPDATE without an offer is no offer: it only says where they are.
    bench.tell(back(&ack, "UPDATE", 3, "", ""));
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(bench.ended(), None);
}

/// Trap 57: hold by direction and by the old `0.0.0.0`; what has not changed changes nothing.
/// Proves: rfc3261-14.2-3, rfc3261-14.2-4.
#[test]
fn trap_57_what_has_changed_takes_effect_and_what_has_not_does_not() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.events();
    let nowhere =
        SDP.replace("o=- 1 1", "o=- 1 5").replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0");
    let inactive = SDP.replace("o=- 1 1", "o=- 1 7") + "a=inactive\r\n";
    let steps = [
        (SDP.to_owned(), None, "a=sendrecv"),
        (held(2), Some(true), "a=recvonly"),
        (held(2), None, "a=recvonly"),
        (SDP.replace("o=- 1 1", "o=- 1 4"), Some(false), "a=sendrecv"),
        (nowhere, Some(true), "a="),
        (SDP.replace("o=- 1 1", "o=- 1 6"), Some(false), "a=sendrecv"),
        (inactive, Some(true), "a=inactive"),
    ];
    for ((sdp, told, ours), cseq) in steps.iter().zip(2..) {
        bench.tell(within(&ok, "INVITE", cseq, "", sdp));
        let answer = bench.only();
        assert!(text(&answer).contains(ours), "{cseq}: {}", text(&answer));
        bench.tell(within(&ok, "ACK", cseq, "", ""));
        let expected: Vec<_> =
            told.iter().map(|held| PhoneEvent::Held { call, held: *held }).collect();
        assert_eq!(bench.events(), expected, "{cseq}");
    }
}

/// Proves: rfc3261-14.2-5.
#[test]
fn a_change_that_cannot_be_is_488_with_a_warning_and_the_call_goes_on() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    let video = SDP.replace("m=audio 4000 RTP/AVP 8 0", "m=video 4000 RTP/AVP 31");
    bench.tell(within(&ok, "INVITE", 2, "", &video));
    let no = bench.only();
    assert_eq!(
        (titles(std::slice::from_ref(&no)), rows(&no, Name::Warning).len()),
        (vec!["488".into()], 1)
    );
    assert_eq!(bench.ended(), None);
    bench.hold(call);
    assert_eq!(bench.titles(), ["INVITE"]);
}

/// Proves: rfc3261-14.2-7, rfc3261-14.2-8, rfc3261-14.2-9.
#[test]
fn asked_for_an_offer_within_a_call_we_offer_all_that_we_can() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    let first = SDP.replace("RTP/AVP 8 0", "RTP/AVP 0");
    bench.tell(within(&ok, "INVITE", 2, "", &first));
    bench.tell(within(&ok, "ACK", 2, "", ""));
    bench.sent();
    bench.tell(within(&ok, "INVITE", 3, "", ""));
    let offer = bench.only();
    let sdp = text(&offer);
    let line = sdp.lines().find(|line| line.starts_with("m=audio 20002 RTP/AVP ")).unwrap();
    let formats: Vec<_> = line.split(' ').skip(3).collect();
    assert!(formats.contains(&"0") && formats.contains(&"8"), "{line}");
    bench.tell(within(&ok, "ACK", 3, "", &first));
    assert_eq!((bench.sent().len(), bench.ended()), (0, None));
}

/// Proves: rfc3261-14.2-6, rfc3261-14.2-10.
#[test]
fn a_change_that_is_never_settled_ends_the_call() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "INVITE", 2, "", &held(2)));
    bench.wait(32_000);
    assert_eq!(bench.sent().last().unwrap().method(), Some(Method::Bye));
    assert_eq!(bench.ended(), Some(408));
    // Their answer in the ACK is none that we could use.
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "INVITE", 2, "", ""));
    bench.sent();
    bench.tell(within(&ok, "ACK", 2, "", &SDP.replace("RTP/AVP 8 0", "RTP/AVP 31")));
    assert_eq!((bench.titles(), bench.ended()), (vec!["BYE".into()], Some(488)));
}
