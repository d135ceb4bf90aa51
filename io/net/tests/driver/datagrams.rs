//! UDP: batches, large datagrams, addresses, peers that cannot be reached.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};

use offhook_net::{Plan, Program};
use protocol::doors::Alive;
use protocol::{Flow, Identity, Input, Output, Transport};

use crate::echo::{House, caller, options, subject};

fn ask(peer: &UdpSocket, name: &str, body: &str) -> String {
    peer.send(&options(name, body)).unwrap();
    let mut buffer = vec![0; 65_535];
    let count = peer.recv(&mut buffer).unwrap();
    subject(&buffer[..count])
}

#[test]
fn a_request_is_answered_over_both_families() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let house = House::on(Transport::Udp, address);
        assert_eq!(ask(&caller(house.address(0)), "hello", ""), "hello");
        let (shard, Input::Received(flow, _)) = house.input() else { panic!() };
        assert_eq!((shard, flow.listener, flow.connection), (0, 0, 0));
    }
}

#[test]
fn trap_16_the_largest_datagram_is_read_whole() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    let head = options("large", &"x".repeat(10_000)).len() - 10_000;
    // 65,535 with the headers of IP and UDP.
    let body = "x".repeat(65_507 - head);
    assert_eq!(ask(&peer, "large", &body), "large");
    let (_, Input::Received(_, message)) = house.input() else { panic!() };
    assert_eq!(message.body(), body.as_bytes());
}

#[test]
fn one_hundred_thousand_datagrams_come_and_go_and_none_is_lost() {
    const ALL: usize = 100_000;
    // The kernel counts more than a kilobyte for each that waits at the peer, who has the usual 208.
    const AT_ONCE: usize = 100;
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    let mut buffer = [0; 2048];
    let mut answered = HashSet::new();
    let mut sent = 0;
    while answered.len() < ALL {
        while sent < ALL && sent - answered.len() < AT_ONCE {
            peer.send(&options(&sent.to_string(), "")).unwrap();
            sent += 1;
        }
        let count = peer.recv(&mut buffer).expect("an answer is lost");
        assert!(answered.insert(subject(&buffer[..count])));
    }
    house.settle(0);
    assert_eq!(house.count(|counters| &counters.datagrams_in), ALL as u64);
    assert_eq!(house.count(|counters| &counters.datagrams_out), ALL as u64);
}

#[test]
fn on_a_wildcard_the_answer_comes_from_the_address_that_was_asked() {
    // Shard 1 answers what shard 0 has read.
    let plan = Plan::new().on(Transport::Udp, "0.0.0.0:0".parse().unwrap()).shards(2);
    let house = House::open(plan, Program::new().steer(|_| 1));
    for ip in [[127, 0, 0, 1], [127, 0, 0, 2], [127, 1, 2, 3]] {
        // A connected socket hears nobody else.
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(crate::echo::PATIENCE)).unwrap();
        peer.connect(SocketAddr::from((ip, house.address(0).port()))).unwrap();
        assert_eq!(ask(&peer, "which", ""), "which");
    }
    let house = House::on(Transport::Udp, "[::]:0");
    let peer = caller((std::net::Ipv6Addr::LOCALHOST, house.address(0).port()).into());
    assert_eq!(ask(&peer, "six", ""), "six");
}

/// Proves: rfc3261-18.4-1.
#[test]
fn a_peer_that_is_not_there_is_reported_and_the_socket_lives_on() {
    for (address, shards) in [("127.0.0.1:0", 1), ("[::1]:0", 1), ("127.0.0.1:0", 3)] {
        let plan = Plan::new().on(Transport::Udp, address.parse().unwrap()).shards(shards);
        let house = House::open(plan, Program::new());
        let nobody = UdpSocket::bind(address).unwrap().local_addr().unwrap();
        let flow = Flow {
            transport: Transport::Udp,
            listener: 0,
            connection: 0,
            peer: nobody,
            identity: Identity::NONE,
        };
        house.put(0, Output::Send(flow, "x".into()));
        // The kernel tells one of the sockets; nobody knows which shard has sent it.
        for _ in 0..shards {
            let (_, Input::Failed(failed)) = house.input() else { panic!() };
            assert_eq!(failed, flow);
        }
        assert_eq!(ask(&caller(house.address(0)), "still here", ""), "still here");
    }
}

/// Proves: rfc5626-5.4-1, rfc5626-8-2.
#[test]
fn a_question_by_stun_is_answered_on_the_port_of_sip() {
    const QUESTION: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42transaction!";
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
        let house = House::on(Transport::Udp, address);
        let mut at = house.address(0);
        if at.ip().is_unspecified() {
            at.set_ip([127, 0, 0, 1].into());
        }
        let peer = caller(at);
        // Silence for what only looks like it: the next answer is that of the question.
        peer.send(&[QUESTION, b"tail"].concat()).unwrap();
        peer.send(&QUESTION[..19]).unwrap();
        peer.send(QUESTION).unwrap();
        let mut answer = [0; 100];
        let count = peer.recv(&mut answer).unwrap();
        assert_eq!((&answer[..2], &answer[8..20]), (&b"\x01\x01"[..], &b"transaction!"[..]));
        let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
        assert_eq!(port, peer.local_addr().unwrap().port());
        assert!(count <= 3 * QUESTION.len());
        // The same socket speaks SIP.
        assert_eq!(ask(&peer, "still", ""), "still");
        assert!(
            matches!(house.input(), (0, Input::Received(..))),
            "the machine hears of SIP alone"
        );
        assert_eq!(house.count(|counters| &counters.keep_alives), 1);
        assert_eq!(house.count(|counters| &counters.malformed), 2);
    }
}

#[test]
fn keep_alives_are_ignored_and_garbage_is_reported() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    for octets in [&b"\r\n\r\n"[..], b"\0\0\0\0", b"", b"garbage\r\n\r\n"] {
        peer.send(octets).unwrap();
    }
    let (_, Input::Malformed(flow, malformed)) = house.input() else { panic!() };
    assert_eq!(flow.peer, peer.local_addr().unwrap());
    assert_eq!(&malformed.wire[..], b"garbage\r\n\r\n");
    assert_eq!(house.count(|counters| &counters.keep_alives), 3);
    assert_eq!(house.count(|counters| &counters.malformed), 1);
}

#[test]
fn what_cannot_be_sent_is_told_at_once() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let four: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let flow = |transport, listener, peer| Flow {
        transport,
        listener,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    for flow in [
        flow(Transport::Udp, 1, four),
        flow(Transport::Udp, 0, "[::1]:9".parse().unwrap()),
        flow(Transport::Tls, 0, four),
        flow(Transport::Tcp, 0, four),
        flow(Transport::Tcp, 7, four),
        // From a loopback address there is no way into the world; and nobody listens at port 0.
        flow(Transport::Udp, 0, "192.0.2.1:5060".parse().unwrap()),
        flow(Transport::Udp, 0, "127.0.0.1:0".parse().unwrap()),
    ] {
        house.put(0, Output::Send(flow, "x".into()));
        let (0, Input::Failed(failed)) = house.input() else { panic!() };
        assert_eq!(failed, flow);
    }
}

#[test]
fn what_is_too_large_for_a_datagram_is_told_and_what_follows_is_sent() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    let flow = Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer: peer.local_addr().unwrap(),
        identity: Identity::NONE,
    };
    let send = move |_: &mut crate::echo::Echo, _, out: &mut Vec<Output>| {
        for octets in ["one".into(), vec![b'x'; 65_508], "two".into()] {
            out.push(Output::Send(flow, octets.into()));
        }
    };
    house.handle.tell(0, send).unwrap();
    let (0, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, flow);
    let mut buffer = [0; 16];
    for octets in [b"one", b"two"] {
        let count = peer.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], octets);
    }
    assert_eq!(house.count(|counters| &counters.datagrams_unsent), 1);
}

#[test]
fn two_shards_share_a_port_and_each_message_comes_home() {
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap()).shards(2);
    let home = |message: &sip::Message| u16::from(message.call_id().ends_with(b"1"));
    let house = House::open(plan, Program::new().steer(home));
    // Many peers, so that both shards' sockets get some; each asks for both homes.
    for _ in 0..20 {
        let peer = caller(house.address(0));
        for name in ["zu-0", "zu-1"] {
            assert_eq!(ask(&peer, name, ""), name);
            let (shard, Input::Received(_, message)) = house.input() else { panic!() };
            assert_eq!(shard, home(&message));
        }
    }
    assert!(house.count(|counters| &counters.moved) > 0);
    assert!(house.handle.counters().iter().all(|counters| counters.datagrams_in.get() > 0));
}

/// The answer to a question of ours is told, and whatever else looks like STUN is not (RFC 5626 §4.4.2).
#[test]
fn an_answer_of_stun_is_told() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    let seen = "198.51.100.7:4000".parse().unwrap();
    let answer = stun::answer(&stun::ask(b"transaction!"), seen).unwrap();
    peer.send(&answer[..answer.len() - 1]).unwrap();
    peer.send(&answer).unwrap();
    let (_, Input::Alive(flow, alive)) = house.input() else { panic!() };
    assert_eq!(flow.peer, peer.local_addr().unwrap());
    assert_eq!(alive, Alive::Mapped(*b"transaction!", seen));
}
