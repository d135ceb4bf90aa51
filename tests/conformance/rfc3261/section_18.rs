//! §18: what a server and a phone do with their transports, seen from the wire.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::{Puppet, read};
use protocol::{Listener, Transport};
use sim::{Change, Door, Host, HostId, Outage, Parcel, Realm, Weather};
use sip::header::{CSeq, Via};
use sip::uri::Host as UriHost;
use sip::{Message, Method, Name};

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

fn trusting() -> Exchange {
    Exchange::with(1, Weather::FAIR, 1, |settings| settings.challenge = vec!["REGISTER".into()])
}

/// Two phones register, one calls the other and hangs up.
fn a_call(transport: Transport) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.phone("101", transport, Habits::POLITE);
    let bob = exchange.phone("102", transport, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    let talk = Some(Duration::from_secs(1));
    let call = exchange.dial(alice, "102", Wish { patience: None, talk });
    exchange.live(5000);
    assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
    (exchange, alice, bob)
}

/// "All SIP elements MUST implement UDP and TCP."
/// Proves: rfc3261-18-3, rfc7118-5.4-1.
#[test]
fn servers_and_phones_speak_udp_and_tcp() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = a_call(transport);
        for id in [alice, bob, exchange.server] {
            let sent = exchange.sent_by(id);
            assert!(sent.len() > 3 && sent.iter().all(|(by, _)| *by == transport), "{transport}");
        }
    }
}

/// "It is RECOMMENDED that connections be kept open for some implementation-defined duration after the last message", which "SHOULD at least equal the
/// longest amount of time the element would need in order to bring a transaction … to the terminated state": ten minutes later the same are used, and
/// neither a server nor a phone has ended or opened one.
/// Proves: rfc3261-18-1, rfc3261-18-2.
#[test]
fn a_connection_outlives_every_transaction() {
    let (mut exchange, alice, _) = a_call(Transport::Tcp);
    exchange.world.tap_on();
    exchange.live(600_000);
    let talk = Some(Duration::from_secs(1));
    let call = exchange.dial(alice, "102", Wish { patience: None, talk });
    exchange.live(5_000);
    assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
    let segments = exchange.world.tap().sightings().filter_map(|one| match &one.parcel.kind {
        sim::Kind::Stream(_, segment) => Some(segment.clone()),
        _ => None,
    });
    let segments: Vec<_> = segments.collect();
    assert!(segments.iter().all(|segment| matches!(segment, sim::Segment::Data(_))));
    assert!(segments.len() > 8, "{}", segments.len());
}

/// The sent-by of every request is where its sender listens, for datagrams and for streams: whatever RFC 3263 §5 makes of it, a
/// response or a new connection finds somebody there.
/// Proves: rfc3261-18.1.1-6, rfc3261-18.1.1-10, rfc3261-18.1.1-12.
#[test]
fn the_sent_by_is_where_its_sender_listens() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = a_call(transport);
        for id in [alice, bob, exchange.server] {
            let requests: Vec<Message> = exchange
                .sent_by(id)
                .into_iter()
                .map(|(_, sent)| sent)
                .filter(Message::is_request)
                .collect();
            assert!(!requests.is_empty());
            for request in requests {
                let via = request.get::<Via>().unwrap();
                let UriHost::Ip(ip) = via.host else { panic!("{}", via.host) };
                let at = std::net::SocketAddr::new(ip, via.port.unwrap_or(5060));
                let host = exchange.world.host(id).unwrap();
                assert!(host.listens(Door { transport: sim::Transport::Udp, at }), "{at}");
                assert!(host.listens(Door { transport: sim::Transport::Tcp, at }), "{at}");
                assert_eq!(Transport::of(via.transport.0), Some(transport));
            }
        }
    }
}

/// Of a proxy: what is forwarded goes by UDP up to 1,300 octets, and by TCP, with a Via that says so, above.
/// Proves: rfc3261-18-4, rfc3261-18.1.1-1, rfc3261-18.1.1-2.
#[test]
fn trap_15_what_is_large_is_forwarded_by_tcp_and_says_so() {
    let mut exchange = trusting();
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
    exchange.register(bob, 1);
    let (mut by_udp, mut by_tcp) = (0, 0);
    for (nth, size) in (0..1500).step_by(25).enumerate() {
        exchange.world.tap_on();
        let number = 100 + u32::try_from(nth).unwrap();
        let sent = exchange.say(alice, |alice| {
            let draft = alice.draft(Method::Message, "sip:102@example.test", number, 1);
            read(draft.body("text/plain", &vec![b'x'; size]))
        });
        exchange.live(50);
        let server = exchange.server;
        let ours = |one: &Message| one.is_request() && one.call_id() == sent.call_id();
        let forwarded: Vec<_> =
            exchange.sent_by(server).into_iter().filter(|(_, one)| ours(one)).collect();
        let [(by, message)] = &forwarded[..] else { panic!("{size}: {forwarded:?}") };
        assert_eq!(*by == Transport::Udp, message.wire().len() <= 1300, "{}", message.wire().len());
        assert_eq!(Transport::of(message.get::<Via>().unwrap().transport.0), Some(*by));
        match by {
            Transport::Udp => by_udp += 1,
            _ => by_tcp += 1,
        }
    }
    assert!(by_udp > 10 && by_tcp > 10);
}

/// Of a phone: the same.
/// Proves: rfc3261-18-4, rfc3261-18.1.1-1, rfc3261-18.1.1-2.
#[test]
fn trap_15_a_phone_sends_what_is_large_by_tcp() {
    for (length, by) in [(10, Transport::Udp), (1000, Transport::Tcp)] {
        let mut exchange = Exchange::new(1, Weather::FAIR);
        let name = "n".repeat(length);
        let alice = exchange.phone_called("101", &name, Habits::POLITE);
        let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
        exchange.sign_on(&[alice, bob]);
        exchange.world.tap_on();
        exchange.dial(alice, "102", Wish::default());
        exchange.live(5000);
        let sent = exchange.sent_by(alice);
        let invites: Vec<_> =
            sent.iter().filter(|(_, one)| one.method() == Some(Method::Invite)).collect();
        assert!(!invites.is_empty());
        for (sent_by, invite) in invites {
            assert_eq!(*sent_by, by, "{} octets", invite.wire().len());
            assert_eq!(Transport::of(invite.get::<Via>().unwrap().transport.0), Some(by));
            assert_eq!(invite.wire().len() > 1300, by == Transport::Tcp);
        }
    }
}

/// Bob's phone does not take streams: what is large comes by UDP after all.
/// Proves: rfc3261-18.1.1-4.
#[test]
fn trap_15_who_refuses_tcp_gets_it_by_udp() {
    let mut exchange = trusting();
    let alice = exchange.puppet("101", Transport::Udp);
    let bob = exchange.puppet_listening("102", Transport::Udp, |home| {
        vec![Listener::new(0, Transport::Udp, home)]
    });
    exchange.register(bob, 1);
    exchange.say(alice, |alice| {
        let draft = alice.draft(Method::Message, "sip:102@example.test", 7, 1);
        read(draft.body("text/plain", &[b'x'; 2000]))
    });
    exchange.live(200);
    let (flow, message) = exchange.look(bob).last_request(Method::Message);
    assert_eq!((flow.transport, message.body().len()), (Transport::Udp, 2000));
    assert_eq!(message.get::<Via>().unwrap().transport.0, "UDP");
}

/// Everything on a stream says how long it is, also what came as a datagram that did not.
/// Proves: rfc3261-18.3-4.
#[test]
fn on_streams_everything_has_its_length() {
    let (mut exchange, alice, bob) = a_call(Transport::Tcp);
    for id in [alice, bob, exchange.server] {
        for (_, message) in exchange.sent_by(id) {
            let length = message.rows(Name::ContentLength).next().expect("Content-Length");
            assert_eq!(length, message.body().len().to_string().as_bytes());
        }
    }
    let mut exchange = trusting();
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Tcp));
    exchange.register(bob, 1);
    for size in [0, 10] {
        exchange.say(alice, |alice| {
            let draft = alice.draft(Method::Message, "sip:102@example.test", size, 1);
            let message =
                read(draft.body("text/plain", &vec![b'x'; usize::try_from(size).unwrap()]));
            message.edit().remove_all(Name::ContentLength).finish().unwrap()
        });
        exchange.live(50);
        let (flow, message) = exchange.look(bob).last_request(Method::Message);
        assert_eq!(flow.transport, Transport::Tcp);
        assert_eq!(message.rows(Name::ContentLength).next(), Some(size.to_string().as_bytes()));
    }
}

fn inject(exchange: &mut Exchange, wire: String) -> Vec<Message> {
    exchange.world.tap_on();
    let parcel = Parcel::datagram(address("203.0.113.9:5060"), address(SERVER), wire);
    exchange.world.inject(Realm::INTERNET, parcel);
    exchange.live(1000);
    let server = exchange.server;
    exchange.sent_by(server).into_iter().map(|(_, message)| message).collect()
}

const HEAD: &str = "Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKshort\r\nMax-Forwards: 70\r\n\
    From: <sip:a@elsewhere.test>;tag=1\r\nTo: <sip:102@example.test>\r\nCall-ID: short\r\nCSeq: 1 OPTIONS\r\n";

/// A datagram that ends before its Content-Length: a request is told so, a response is dropped.
/// Proves: rfc3261-18.3-2, rfc3261-18.3-3.
#[test]
fn trap_17_a_body_that_is_too_short_is_a_400_or_silence() {
    let mut exchange = trusting();
    let said = inject(
        &mut exchange,
        format!("OPTIONS sip:192.0.2.10 SIP/2.0\r\n{HEAD}Content-Length: 10\r\n\r\nabc"),
    );
    let [answer] = &said[..] else { panic!("{said:?}") };
    assert_eq!(answer.status().unwrap().code(), 400);
    assert_eq!(answer.get::<CSeq>().unwrap().number, 1);
    let said =
        inject(&mut exchange, format!("SIP/2.0 200 OK\r\n{HEAD}Content-Length: 10\r\n\r\nabc"));
    assert!(said.is_empty(), "{said:?}");
}

/// Nobody listens at Bob's address any more: the kernel says so, and the caller is told at once and not after 32 seconds.
/// Proves: rfc3261-18.4-1, rfc3261-18.4-3.
#[test]
fn what_cannot_be_delivered_is_told_at_once() {
    for transport in TRANSPORTS {
        let mut exchange = trusting();
        let alice = exchange.puppet("101", Transport::Udp);
        let bob = exchange.puppet("102", transport);
        exchange.register(bob, 1);
        exchange.world.change(&Change::Down(bob, Outage::Program));
        exchange.say(alice, |alice: &mut Puppet| alice.invite("sip:102@example.test", 7, 1));
        exchange.live(1000);
        let statuses = exchange.look(alice).statuses();
        let last: u16 = statuses.last().unwrap().parse().unwrap();
        assert!(last >= 400, "{transport}: {statuses:?}");
    }
}
