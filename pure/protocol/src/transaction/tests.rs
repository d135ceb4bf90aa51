//! Each transaction machine on a virtual clock (RFC 3261 §17, RFC 6026, RFC 4320).

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::transport::Transport;

struct Bench {
    all: Transactions,
    flow: Flow,
    out: Vec<Output>,
}

fn bench(transport: Transport) -> Bench {
    let peer = SocketAddr::from(([192, 0, 2, 1], 5060));
    let flow = Flow {
        transport,
        listener: 0,
        connection: u32::from(transport.is_reliable()),
        peer,
        identity: crate::Identity::NONE,
    };
    Bench { all: Transactions::new(Timers::default(), &mut Dice::new(1)), flow, out: Vec::new() }
}

const fn ms(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

fn request(method: &str) -> Message {
    let wire = format!(
        "{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\nRoute: <sip:r;lr>\r\n\
         From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 7 {method}\r\nRequire: z\r\n\r\n"
    );
    Message::parse(wire).unwrap()
}

fn answer(method: &str, status: u16) -> Message {
    let status = Status::new(status).unwrap();
    Message::parse(Draft::reply_tagged(&request(method), status, "x", "t").wire()).unwrap()
}

impl Bench {
    /// Takes what was sent: first lines only.
    fn sent(&mut self) -> Vec<String> {
        let first_line = |output: Output| match output {
            Output::Send(_, wire) => {
                String::from_utf8_lossy(&wire).lines().next().map(str::to_owned)
            }
            _ => None,
        };
        self.out.drain(..).filter_map(first_line).collect()
    }

    /// Lives until nothing is due any more; the moments (ms) at which something was sent, and what went up.
    fn live(&mut self) -> (Vec<u128>, Vec<Up>) {
        let (mut moments, mut up) = (Vec::new(), Vec::new());
        while let Some(at) = self.all.deadline() {
            self.all.wake(at, &mut self.out, &mut up);
            moments.extend(self.sent().iter().map(|_| (at - Time(0)).as_millis()));
        }
        (moments, up)
    }

    fn begin(&mut self, method: &str) -> ClientId {
        let id = self.all.request(Time(0), self.flow, request(method), &mut self.out);
        assert_eq!(self.sent(), [format!("{method} sip:b@h SIP/2.0")]);
        id
    }

    fn hear(&mut self, at: u64, message: Message) -> Option<Up> {
        self.all.receive(ms(at), self.flow, message, &mut self.out)
    }

    fn come(&mut self, method: &str) -> ServerId {
        match self.hear(0, request(method)) {
            Some(Up::Request(id, ..)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn say(&mut self, at: u64, id: ServerId, method: &str, status: u16) {
        self.all.respond(ms(at), id, answer(method, status).wire().clone(), &mut self.out);
    }
}

/// Proves: rfc3261-17.1.1.2-1, rfc3261-17.1.1.2-2, rfc3261-17.1.1.2-3, rfc3261-17.1.1.2-5, rfc3261-17.1.1.2-6,
/// rfc3261-17.1.1.2-7, rfc3261-17.1.1.2-8, rfc3261-17.1.1.2-12, rfc3261-17.1.1.2-13.
#[test]
fn trap_9_timer_a_doubles_without_cap_until_timer_b() {
    let mut bench = bench(Transport::Udp);
    let id = bench.begin("INVITE");
    let (moments, up) = bench.live();
    assert_eq!(moments, [500, 1500, 3500, 7500, 15500, 31500]);
    assert!(matches!(up[..], [Up::TimedOut(timed_out)] if timed_out == id));
    assert!(bench.all.is_empty());
}

/// Proves: rfc3261-17.1.2.2-1, rfc3261-17.1.2.2-2, rfc3261-17.1.2.2-3, rfc3261-17.1.2.2-4.
#[test]
fn trap_9_timer_e_doubles_up_to_t2() {
    let mut bench = bench(Transport::Udp);
    bench.begin("OPTIONS");
    let (moments, up) = bench.live();
    assert_eq!(moments, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(matches!(up[..], [Up::TimedOut(_)]));
}

/// Proves: rfc3261-17.1.2.2-5, rfc3261-17.1.2.2-7, rfc3261-17.1.2.2-8.
#[test]
fn timer_e_is_t2_in_proceeding_and_timer_f_still_ends_it() {
    let mut bench = bench(Transport::Udp);
    bench.begin("OPTIONS");
    assert!(matches!(bench.hear(100, answer("OPTIONS", 100)), Some(Up::Response(..))));
    let (moments, up) = bench.live();
    assert_eq!(moments, [500, 4500, 8500, 12500, 16500, 20500, 24500, 28500]);
    assert!(matches!(up[..], [Up::TimedOut(_)]));
}

/// Proves: rfc3261-17.1.1.2-4.
#[test]
fn a_stream_repeats_nothing() {
    for method in ["INVITE", "OPTIONS"] {
        let mut bench = bench(Transport::Tcp);
        bench.begin(method);
        let (moments, up) = bench.live();
        assert!(moments.is_empty() && matches!(up[..], [Up::TimedOut(_)]), "{method}");
    }
}

/// Proves: rfc3261-17.1.1.2-15, rfc3261-17.1.1.2-16, rfc3261-17.1.1.2-17.
#[test]
fn in_proceeding_an_invite_waits_and_every_provisional_goes_up() {
    let mut bench = bench(Transport::Udp);
    bench.begin("INVITE");
    for at in [100, 200] {
        assert!(matches!(bench.hear(at, answer("INVITE", 180)), Some(Up::Response(..))));
    }
    let (moments, up) = bench.live();
    assert!(moments.is_empty() && up.is_empty() && bench.all.len() == 1);
}

/// Proves: rfc3261-17.1.1.2-18, rfc3261-17.1.1.2-19, rfc3261-17.1.1.2-20, rfc3261-17.1.1.2-21, rfc3261-17.1.1.2-22,
/// rfc3261-17.1.1.2-23, rfc3261-17.1.1.2-25, rfc6026-7.3-5, rfc6026-7.3-6, rfc6026-7.3-7, rfc6026-7.3-8, rfc6026-7.3-9,
/// rfc6026-7.3-10.
#[test]
fn a_refusal_is_acknowledged_each_time_and_told_once() {
    let mut bench = bench(Transport::Udp);
    bench.begin("INVITE");
    assert!(matches!(bench.hear(100, answer("INVITE", 486)), Some(Up::Response(..))));
    assert!(bench.hear(600, answer("INVITE", 486)).is_none());
    assert_eq!(bench.sent(), ["ACK sip:b@h SIP/2.0"; 2]);
    assert_eq!(bench.all.deadline(), Some(ms(32_100)), "the alarm of its request was never set");
    assert!(bench.live().0.is_empty() && bench.all.is_empty());
}

/// Proves: rfc3261-17.1.1.3-2, rfc3261-17.1.1.3-3, rfc3261-17.1.1.3-4, rfc3261-17.1.1.3-5, rfc3261-17.1.1.3-6.
#[test]
fn trap_3_the_ack_of_a_refusal_is_made_from_both() {
    let mut bench = bench(Transport::Tcp);
    bench.begin("INVITE");
    bench.hear(100, answer("INVITE", 486));
    let Some(Output::Send(flow, ack)) = bench.out.pop() else { panic!("no ACK") };
    assert_eq!(flow, bench.flow);
    assert_eq!(
        ack,
        "ACK sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\nRoute: <sip:r;lr>\r\nMax-Forwards: 70\r\n\
         From: <sip:a@h>;tag=1\r\nCall-ID: x\r\nCSeq: 7 ACK\r\nTo: <sip:b@h>;tag=t\r\nContent-Length: 0\r\n\r\n"
    );
    assert!(bench.live().0.is_empty() && bench.all.is_empty());
}

/// Proves: rfc3261-9.1-2, rfc3261-9.1-3, rfc3261-9.1-4, rfc3261-9.1-5, rfc3261-9.1-6.
#[test]
fn trap_1_a_cancel_has_the_branch_of_its_invite() {
    let cancel = Message::parse(cancel_of(&request("INVITE"))).unwrap();
    assert_eq!(cancel.request_uri(), Some(&b"sip:b@h"[..]));
    for name in [Name::Via, Name::Route, Name::From, Name::To, Name::CallId] {
        assert!(cancel.rows(name).eq(request("INVITE").rows(name)), "{name:?}");
    }
    assert_eq!(cancel.rows(Name::CSeq).next(), Some(&b"7 CANCEL"[..]));
    assert!(!cancel.has(Name::Require) && cancel.has(Name::MaxForwards));
}

/// Proves: rfc3261-17.1.1.2-24, rfc6026-6-1, rfc6026-7.2-1, rfc6026-7.2-2, rfc6026-7.2-3, rfc6026-7.2-4, rfc6026-7.2-5,
/// rfc6026-7.3-11, rfc6026-7.3-12, rfc6026-7.3-13, rfc6026-7.3-14, rfc6026-7.3-15, rfc6026-7.3-16, rfc6026-7.3-17,
/// rfc3261-17.1.1.2-14.
#[test]
fn every_2xx_goes_up_until_timer_m_and_none_is_acknowledged_here() {
    let mut bench = bench(Transport::Udp);
    bench.begin("INVITE");
    for at in [100, 200, 32_000] {
        assert!(matches!(bench.hear(at, answer("INVITE", 200)), Some(Up::Response(..))), "{at}");
    }
    assert!(bench.sent().is_empty());
    let mut up = Vec::new();
    bench.all.wake(ms(32_099), &mut bench.out, &mut up);
    assert_eq!(bench.all.len(), 1);
    bench.all.wake(ms(32_100), &mut bench.out, &mut up);
    assert!(bench.all.is_empty() && up.is_empty());
}

/// Proves: rfc3261-17.1.2.2-6, rfc3261-17.1.2.2-9, rfc3261-17.1.2.2-10, rfc3261-17.1.2.2-11, rfc3261-17.1.2.2-12.
#[test]
fn a_final_answer_is_told_once_and_its_repeats_are_absorbed_until_timer_k() {
    for (transport, lingers) in [(Transport::Udp, 5000), (Transport::Tcp, 0)] {
        let mut bench = bench(transport);
        bench.begin("OPTIONS");
        bench.hear(50, answer("OPTIONS", 100));
        assert!(matches!(bench.hear(100, answer("OPTIONS", 200)), Some(Up::Response(..))));
        assert!(bench.hear(100, answer("OPTIONS", 200)).is_none());
        let mut up = Vec::new();
        bench.all.wake(ms(100 + lingers), &mut bench.out, &mut up);
        assert!(bench.all.is_empty() && bench.sent().is_empty() && up.is_empty());
    }
}

/// Proves: rfc3261-17.2.1-1, rfc3261-17.2.1-3, rfc3261-17.2.1-4, rfc3261-17.2.1-5.
#[test]
fn trap_43_a_silent_user_has_100_said_for_it_at_200_ms() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    let (moments, _) = bench.live();
    assert_eq!(moments, [200]);
    assert!(bench.hear(300, request("INVITE")).is_none());
    assert_eq!(bench.sent(), ["SIP/2.0 100 Trying"]);
    bench.say(400, id, "INVITE", 180);
    bench.hear(500, request("INVITE"));
    assert_eq!(bench.sent(), ["SIP/2.0 180 x"; 2]);
}

/// Proves: rfc3261-17.2.1-8, rfc3261-17.2.1-9, rfc3261-17.2.1-10, rfc3261-17.2.1-12, rfc3261-17.2.1-14.
#[test]
fn timer_g_doubles_up_to_t2_and_timer_h_ends_it() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 486);
    bench.hear(0, request("INVITE"));
    assert_eq!(bench.sent(), ["SIP/2.0 486 x"; 2]);
    let (moments, up) = bench.live();
    assert_eq!(moments, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(matches!(up[..], [Up::Unacknowledged(unacknowledged)] if unacknowledged == id));
    assert!(bench.all.is_empty());
}

/// Proves: rfc3261-17.2.1-11, rfc3261-17.2.1-13.
#[test]
fn an_ack_stops_the_repeats_and_is_absorbed() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 486);
    assert!(bench.hear(100, request("ACK")).is_none());
    assert!(bench.hear(200, request("ACK")).is_none());
    bench.sent();
    let (moments, up) = bench.live();
    assert!(moments.is_empty() && up.is_empty() && bench.all.is_empty());
}

/// Timer I: what comes late is known for 5 s, whatever is kept of the transaction.
#[test]
fn after_the_ack_of_a_refusal_repeats_end_here_and_there_is_nothing_to_cancel_for_5_s() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 486);
    assert!(bench.hear(100, request("ACK")).is_none());
    bench.sent();
    for at in [101, 5099] {
        assert!(bench.hear(at, request("INVITE")).is_none(), "{at}");
        assert!(bench.hear(at, request("ACK")).is_none(), "{at}");
    }
    assert!(bench.sent().is_empty());
    assert!(bench.all.cancels(ms(5099), &request("CANCEL")));
    let cancelled = bench.hear(5099, request("CANCEL"));
    let Some(Up::Cancel { cancel, invite: Some(invite), .. }) = cancelled else {
        panic!("{cancelled:?}")
    };
    assert!(!bench.all.is_there(invite), "an answer in it goes nowhere");
    bench.say(5099, invite, "INVITE", 487);
    bench.say(5099, cancel, "CANCEL", 200);
    assert_eq!(bench.sent(), ["SIP/2.0 200 x"]);
    assert!(!bench.all.cancels(ms(5100), &request("CANCEL")));
    assert!(matches!(bench.hear(5100, request("ACK")), Some(Up::Ack(..))));
    assert!(matches!(bench.hear(5100, request("INVITE")), Some(Up::Request(..))));
}

/// Proves: rfc3261-17.2.1-6, rfc3261-17.2.1-7, rfc6026-7.1-1, rfc6026-7.1-2, rfc6026-7.1-3, rfc6026-7.1-4, rfc6026-7.1-5,
/// rfc6026-7.1-6, rfc6026-7.3-18, rfc6026-7.3-19, rfc6026-7.3-20, rfc6026-7.3-21, rfc6026-7.3-22, rfc6026-7.3-23.
#[test]
fn after_a_2xx_the_user_repeats_it_and_gets_the_acks() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 200);
    bench.say(500, id, "INVITE", 200);
    assert!(bench.hear(600, request("INVITE")).is_none());
    assert_eq!(bench.sent(), ["SIP/2.0 200 x"; 2], "ours repeats nothing by itself");
    for at in [700, 800] {
        assert!(matches!(bench.hear(at, request("ACK")), Some(Up::Ack(..))));
    }
    let mut up = Vec::new();
    bench.all.wake(ms(31_999), &mut bench.out, &mut up);
    assert_eq!(bench.all.len(), 1);
    bench.all.wake(ms(32_000), &mut bench.out, &mut up);
    assert!(bench.all.is_empty() && up.is_empty() && bench.sent().is_empty());
}

/// Proves: rfc3261-17.2.2-5, rfc3261-17.2.2-6, rfc3261-17.2.2-7, rfc3261-17.2.2-8, rfc3261-17.2.2-9, rfc3261-17.2.2-10.
#[test]
fn a_repeated_request_gets_the_first_final_answer_until_timer_j() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("OPTIONS");
    bench.say(0, id, "OPTIONS", 200);
    bench.say(10, id, "OPTIONS", 404);
    bench.hear(31_999, request("OPTIONS"));
    assert_eq!(bench.sent(), ["SIP/2.0 200 x"; 2]);
    let mut up = Vec::new();
    bench.all.wake(ms(32_000), &mut bench.out, &mut up);
    assert!(bench.all.is_empty());
}

/// Proves: rfc4320-3-1, rfc4320-3-2, rfc4320-3-3, rfc4320-3-4.
#[test]
fn trap_11_other_requests_get_a_100_at_3500_ms_no_other_provisional_and_no_408() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("OPTIONS");
    bench.say(10, id, "OPTIONS", 180);
    bench.say(20, id, "OPTIONS", 100);
    assert!(bench.sent().is_empty());
    bench.all.wake(ms(3499), &mut bench.out, &mut Vec::new());
    assert!(bench.sent().is_empty());
    bench.all.wake(ms(3500), &mut bench.out, &mut Vec::new());
    assert_eq!(bench.sent(), ["SIP/2.0 100 Trying"]);
    bench.hear(4000, request("OPTIONS"));
    assert_eq!(bench.sent(), ["SIP/2.0 100 Trying"]);
    bench.say(5000, id, "OPTIONS", 408);
    assert!(bench.sent().is_empty() && bench.all.is_empty());
}

#[test]
fn a_cancel_finds_its_invite_and_has_a_transaction_of_its_own() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    let up = bench.hear(100, request("CANCEL"));
    assert!(
        matches!(up, Some(Up::Cancel { invite, cancel, .. }) if invite == Some(id) && cancel != id)
    );
    let mut lonely = self::bench(Transport::Udp);
    assert!(matches!(lonely.hear(0, request("CANCEL")), Some(Up::Cancel { invite: None, .. })));
}

/// Proves: rfc3261-17.1.4-1, rfc3261-18.4-3.
#[test]
fn a_broken_connection_ends_what_waits_on_it() {
    let first = bench(Transport::Tcp).flow;
    let any = first.any_connection();
    // Which connection the request was sent by, and which one broke; 0 is "any" and "none could be opened".
    for (sent, broken) in [(first, first), (any, first), (any, any), (first, any)] {
        let mut bench = Bench { flow: sent, ..bench(Transport::Tcp) };
        let id = bench.begin("OPTIONS");
        let mut up = Vec::new();
        bench.all.failed(broken, &mut up, &mut Vec::new());
        assert!(matches!(up[..], [Up::Failed(failed)] if failed == id), "{sent:?} {broken:?}");
        assert!(bench.all.is_empty());
    }
    let mut bench = bench(Transport::Tcp);
    bench.begin("OPTIONS");
    let mut up = Vec::new();
    bench.all.failed(Flow { connection: 2, ..first }, &mut up, &mut Vec::new());
    bench.all.failed(
        Flow { peer: "192.0.2.2:1".parse().unwrap(), ..first },
        &mut up,
        &mut Vec::new(),
    );
    assert!(up.is_empty() && bench.all.len() == 1);
}

/// What crosses the end of its connection is sent once more, by a new one; what was seen, or has named its connection, is not.
#[test]
fn a_request_that_met_a_closed_connection_is_sent_anew_once() {
    let first = bench(Transport::Tcp).flow;
    let any = first.any_connection();
    let begun = |flow, method| {
        let mut bench = Bench { flow, ..bench(Transport::Tcp) };
        bench.begin(method);
        bench
    };
    let ends = |bench: &mut Bench, millis, broken| {
        let mut up = Vec::new();
        bench.all.ended(ms(millis), broken, &mut up, &mut bench.out);
        (std::mem::take(&mut bench.out).len(), up.len())
    };
    for method in ["INVITE", "OPTIONS"] {
        let mut bench = begun(any, method);
        assert_eq!(ends(&mut bench, 500, first), (1, 0), "{method}");
        assert_eq!(ends(&mut bench, 500, Flow { connection: 2, ..first }), (0, 1), "{method}");
        // Later than T1 it has been seen; a connection that could not be opened is none; whoever named one wants no other.
        for (sent, millis, broken) in [(any, 501, first), (any, 0, any), (first, 0, first)] {
            let mut bench = begun(sent, method);
            assert_eq!(ends(&mut bench, millis, broken), (0, 1), "{method} {sent:?} {broken:?}");
        }
        let mut bench = begun(any, method);
        bench.hear(10, answer(method, 100));
        assert_eq!(ends(&mut bench, 20, first), (0, 1), "{method} was seen");
    }
}

/// "If that connection attempt fails, the server SHOULD use the procedures in [4] for servers"
/// Proves: rfc3261-18.2.2-4.
#[test]
fn an_answer_whose_asker_is_gone_from_its_address_goes_where_its_via_leads() {
    let mut bench = bench(Transport::Tcp);
    let id = bench.come("OPTIONS");
    let mut up = Vec::new();
    bench.all.failed(bench.flow, &mut up, &mut bench.out);
    assert!(up.is_empty());
    bench.say(20, id, "OPTIONS", 200);
    let sent = |bench: &Bench| match bench.out.last() {
        Some(Output::Send(flow, _)) => *flow,
        other => panic!("{other:?}"),
    };
    let anew = sent(&bench);
    assert_eq!((anew.connection, anew.peer.ip()), (0, bench.flow.peer.ip()));
    bench.all.failed(anew, &mut up, &mut bench.out);
    assert!(matches!(up[..], [Up::Unanswerable(asked)] if asked == id), "{up:?}");
    let way = |peer: &str| Flow { connection: 0, peer: peer.parse().unwrap(), ..bench.flow };
    let ways = [way("192.0.2.71:5060"), way("192.0.2.72:5060")];
    bench.all.answer_by(id, ways.into(), &mut bench.out);
    assert_eq!(sent(&bench), ways[0]);
    bench.all.failed(ways[0], &mut up, &mut bench.out);
    assert_eq!(sent(&bench), ways[1]);
    let said = bench.out.len();
    bench.all.failed(ways[1], &mut up, &mut bench.out);
    assert_eq!((bench.out.len(), up.len()), (said, 1));
}

/// Proves: rfc6026-6-2, rfc6026-7.1-7, rfc6026-7.1-8.
#[test]
fn an_answer_goes_by_the_connection_of_its_request_or_by_a_new_one() {
    let mut bench = bench(Transport::Tcp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 180);
    bench.all.failed(bench.flow, &mut Vec::new(), &mut Vec::new());
    bench.say(20, id, "INVITE", 486);
    let connections: Vec<_> = bench
        .out
        .iter()
        .map(|output| matches!(output, Output::Send(flow, _) if flow.connection == 1))
        .collect();
    assert_eq!(connections, [true, false]);
}

#[test]
fn what_belongs_to_nothing_is_handed_up_as_such() {
    let mut bench = bench(Transport::Udp);
    assert!(matches!(bench.hear(0, answer("INVITE", 200)), Some(Up::Stray(..))));
    assert!(matches!(bench.hear(0, request("ACK")), Some(Up::Ack(..))));
    assert_eq!(Timers::default().trying_after(), Duration::from_millis(3500));
}

/// The client gives up after 64*T1, so a user that never answers keeps nothing for longer.
#[test]
fn a_request_that_its_user_forgets_is_forgotten() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut bench = bench(transport);
        let id = bench.come("OPTIONS");
        let mut up = Vec::new();
        bench.all.wake(ms(3500), &mut bench.out, &mut up);
        bench.all.wake(ms(31_999), &mut bench.out, &mut up);
        assert_eq!((bench.sent().len(), bench.all.len()), (1, 1), "the 100");
        bench.all.wake(ms(32_000), &mut bench.out, &mut up);
        assert!(bench.all.is_empty() && up.is_empty());
        bench.say(32_001, id, "OPTIONS", 200);
        assert!(bench.sent().is_empty());
    }
}

#[test]
fn a_request_that_is_repeated_for_ever_keeps_no_more_than_once() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("OPTIONS");
    bench.say(0, id, "OPTIONS", 200);
    let invite = bench.come("INVITE");
    bench.say(0, invite, "INVITE", 486);
    for at in 0..1000 {
        bench.hear(at, request("OPTIONS"));
        bench.hear(at, request("INVITE"));
    }
    assert!(bench.all.alarms.len() <= 4, "{} alarms for two transactions", bench.all.alarms.len());
    assert!(matches!(bench.live().1[..], [Up::Unacknowledged(_)]));
    assert!(bench.all.is_empty() && bench.all.alarms.is_empty());
}

/// Whoever makes us send to a thousand dead peers does not make us look at everything a thousand times.
#[test]
fn bad_news_of_one_peer_is_no_news_to_the_others() {
    let mut bench = bench(Transport::Udp);
    let peer = |nth: u16| SocketAddr::from(([192, 0, 2, 1], nth));
    let mut ids = Vec::new();
    for nth in 1..=100 {
        let request = request("OPTIONS")
            .edit()
            .replace_raw(
                Name::Via,
                format!("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{nth}").as_bytes(),
            )
            .finish()
            .unwrap();
        let flow = Flow { peer: peer(nth), ..bench.flow };
        ids.push(bench.all.request(Time(0), flow, request, &mut bench.out));
    }
    let mut up = Vec::new();
    bench.all.failed(Flow { peer: peer(7), ..bench.flow }, &mut up, &mut Vec::new());
    assert!(matches!(up[..], [Up::Failed(failed)] if failed == ids[6]));
    assert_eq!((bench.all.len(), bench.all.by_peer.len()), (99, 99));
    bench.live();
    assert!(bench.all.is_empty() && bench.all.by_peer.is_empty());
}

#[test]
fn an_answer_to_an_invite_is_finished_when_its_ack_has_had_time_to_come() {
    for status in [200, 486] {
        let mut bench = bench(Transport::Udp);
        let id = bench.come("INVITE");
        assert_eq!(bench.all.unfinished(ms(30_000)), 1);
        bench.say(30_000, id, "INVITE", status);
        assert_eq!(bench.all.unfinished(ms(31_999)), 1, "{status}");
        assert_eq!(bench.all.unfinished(ms(32_000)), 0, "{status}");
    }
    let mut bench = bench(Transport::Udp);
    let id = bench.come("BYE");
    bench.say(10, id, "BYE", 200);
    assert_eq!(bench.all.unfinished(ms(10)), 0);
}

/// It is said twice, and counts once: the other call is still unfinished.
#[test]
fn a_repeated_2xx_finishes_nothing_else() {
    let mut bench = bench(Transport::Udp);
    let id = bench.come("INVITE");
    bench.say(0, id, "INVITE", 200);
    bench.say(10, id, "INVITE", 200);
    bench.come("BYE");
    assert_eq!(bench.all.unfinished(ms(20)), 2);
    assert_eq!(bench.all.unfinished(ms(2_010)), 1);
}

/// Names in their long form are longer than they came: an INVITE of many such is acknowledged all the same, and nothing stays of it.
#[test]
fn an_invite_whose_names_grow_is_acknowledged_and_forgotten() {
    let mut bench = bench(Transport::Udp);
    let (to, rows) = ("x".repeat(58_000), "d: x\r\n".repeat(480));
    let copy = Message::parse(format!(
        "INVITE sip:c@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: \"{to}\" <sip:b@h>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n{rows}\r\n"
    ))
    .unwrap();
    let written = Written {
        method: Method::Invite,
        branch: b"z9hG4bKc",
        sent_by: HostPort::parse(b"192.0.2.9").unwrap(),
        of: ServerId::FIRST,
        wire: copy.wire().clone(),
        trace: Trace::of(&copy, b"sip:c@h", b"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc", b""),
    };
    bench.all.send(Time(0), bench.flow, written, &mut bench.out);
    for status in [180, 486] {
        let wire = Draft::reply_tagged(&copy, Status::new(status).unwrap(), "x", "t").wire();
        let heard = bench.hear(1, Message::parse(wire).unwrap());
        assert!(matches!(heard, Some(Up::Response(..))), "{status}");
    }
    assert_eq!(bench.sent(), ["INVITE sip:c@h SIP/2.0", "ACK sip:c@h SIP/2.0"]);
    bench.live();
    assert!(bench.all.is_empty());
}
