//! §18.1: what a client's transport does, as far as transactions have to do with it.

use offhook_tests::bench::{Bench, answer, message, ms, request};
use protocol::transaction::{Timers, Up};
use protocol::{Flow, Transport};
use sip::Message;

/// Responses come back by the connection that the request left by, by one that the server opens to the sent-by, or as a datagram
/// from anywhere: all find their transaction.
/// Proves: rfc3261-18.1.1-8, rfc3261-18.1.1-9, rfc3261-18.1.1-11, rfc3261-18.1.1-12, rfc3261-18.1.2-2.
#[test]
fn a_response_finds_its_transaction_whatever_way_it_came() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let bench = || Bench::new(transport, Timers::default());
        let sent = bench().flow.any_connection();
        let elsewhere = "192.0.2.77:33333".parse().unwrap();
        let others = [Flow { connection: 9, ..sent }, Flow { peer: elsewhere, ..sent }];
        for came in [sent, bench().flow].into_iter().chain(others) {
            let mut bench = Bench { flow: sent, ..bench() };
            let id = bench.begin("INVITE");
            bench.flow = came;
            let up = bench.hear(100, answer("INVITE", 180));
            assert!(matches!(up, Some(Up::Response(found, ..)) if found == id), "{came:?}");
        }
    }
}

fn with_via(via: &str) -> Message {
    message(&format!(
        "SIP/2.0 180 Ringing\r\nVia: {via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: x\r\n\
         CSeq: 7 INVITE\r\n\r\n"
    ))
}

/// A sent-by that we did not write, a branch or a method that we do not know: no transaction hears of it. What has our sent-by
/// goes up to the core as a stray.
/// Proves: rfc3261-18.1.2-1, rfc3261-18.1.2-3.
#[test]
fn a_response_to_nothing_of_ours_meets_no_transaction() {
    let mut bench = Bench::new(Transport::Udp, Timers::default());
    bench.begin("INVITE");
    bench.sent();
    for via in [
        "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKa",
        "SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bKa",
        "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb",
        "SIP/2.0/UDP 192.0.2.1:5060",
    ] {
        let up = bench.hear(100, with_via(via));
        assert!(matches!(up, Some(Up::Stray(..))), "{via}");
    }
    assert!(matches!(bench.hear(100, answer("OPTIONS", 200)), Some(Up::Stray(..))));
    assert_eq!(bench.live().0.len(), 6, "the INVITE is repeated: it has heard nothing");
    bench.begin("INVITE");
    let up =
        bench.hear(100, with_via("SIP / 2.0 / udp 192.0.2.1 : 5060;received=::1;branch=z9hG4bKa"));
    assert!(matches!(up, Some(Up::Response(..))));
}

/// A datagram of the largest size is a message like any other.
/// Proves: rfc3261-18.1.1-3.
#[test]
fn the_largest_datagram_is_read() {
    const LARGEST: usize = 65_507;
    let head = String::from_utf8(request("INVITE").wire().to_vec()).unwrap();
    let wire = format!("{head}{}", "x".repeat(LARGEST - head.len()));
    let mut bench = Bench::new(Transport::Udp, Timers::default());
    let Some(Up::Request(_, _, invite)) = bench.hear(0, message(&wire)) else { panic!("lost") };
    assert_eq!(invite.wire().len(), LARGEST);
    let wide =
        format!("{}X: {}\r\n\r\n", &head[..head.len() - 2], "x".repeat(LARGEST - head.len() - 5));
    assert_eq!(message(&wide).wire().len(), LARGEST);
    assert_eq!(bench.all.deadline(), Some(ms(200)));
}
