//! §17.1: client transactions, what `pure/protocol/src/transaction/tests.rs` does not show.

use std::time::Duration;

use offhook_tests::bench::{Bench, answer, ms};
use protocol::Transport;
use protocol::transaction::{Timers, Up};

fn timers(t1: u64) -> Timers {
    Timers { t1: Duration::from_millis(t1), ..Timers::default() }
}

/// "Whatever the value of T1, the exponential backoffs … MUST be used"
/// Proves: rfc3261-17.1.1.2-8, rfc3261-17.1.1.2-12.
#[test]
fn whatever_t1_is_the_intervals_double_and_64_of_it_are_the_end() {
    for t1 in [100, 500, 1000, 2500] {
        let mut bench = Bench::new(Transport::Udp, timers(t1));
        bench.begin("INVITE");
        bench.sent();
        let mut ends = Vec::new();
        let mut moments = Vec::new();
        while let Some(at) = bench.all.deadline() {
            let mut up = Vec::new();
            bench.all.wake(at, &mut bench.out, &mut up);
            moments.extend(bench.sent().iter().map(|_| (at - ms(0)).as_millis()));
            ends.extend(up.iter().map(|_| (at - ms(0)).as_millis()));
        }
        let t1 = u128::from(t1);
        assert_eq!(moments, [1, 3, 7, 15, 31, 63].map(|times| times * t1));
        assert_eq!(ends, [64 * t1]);
    }
}

/// Once something was heard, an INVITE is not repeated, and timer B no longer ends it.
/// Proves: rfc3261-17.1.1.2-9, rfc3261-17.1.1.2-15.
#[test]
fn an_invite_is_repeated_only_while_calling() {
    for heard_at in [100, 600, 16_000, 31_600] {
        let mut bench = Bench::new(Transport::Udp, Timers::default());
        bench.begin("INVITE");
        let mut up = Vec::new();
        while let Some(at) = bench.all.deadline().filter(|at| *at < ms(heard_at)) {
            bench.all.wake(at, &mut bench.out, &mut up);
        }
        bench.sent();
        bench.hear(heard_at, answer("INVITE", 180));
        let (moments, up) = bench.live();
        assert!(moments.is_empty() && up.is_empty(), "{heard_at}");
        assert_eq!(bench.all.len(), 1);
    }
}

/// A 1xx that comes again does not put off timer E.
/// Proves: rfc3261-17.1.2.2-7.
#[test]
fn timer_e_is_not_put_off_by_one_more_100() {
    let mut bench = Bench::new(Transport::Udp, Timers::default());
    bench.begin("OPTIONS");
    bench.sent();
    let mut moments = Vec::new();
    for second in 1..=40 {
        while let Some(at) = bench.all.deadline().filter(|at| *at < ms(second * 1000)) {
            bench.all.wake(at, &mut bench.out, &mut Vec::new());
            moments.extend(bench.sent().iter().map(|_| (at - ms(0)).as_millis()));
        }
        bench.hear(second * 1000, answer("OPTIONS", 100));
    }
    assert_eq!(moments, [500, 1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
    assert!(bench.all.is_empty());
}

/// The ACK for a refusal is small: no body, nothing but what §17.1.1.3 names.
/// Proves: rfc3261-17.1.1.3-7.
#[test]
fn an_ack_for_a_refusal_has_no_body() {
    let mut bench = Bench::new(Transport::Udp, Timers::default());
    let invite = bench.all.request(
        ms(0),
        bench.flow,
        offhook_tests::bench::message(
            "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
        ),
        &mut bench.out,
    );
    bench.sent();
    assert!(
        matches!(bench.hear(9, answer("INVITE", 486)), Some(Up::Response(id, ..)) if id == invite)
    );
    let ack = sip::Message::parse(bench.sent().pop().unwrap().1).unwrap();
    assert!(ack.body().is_empty() && !ack.has(sip::Name::ContentType));
}
