//! TCP: framing, reuse, limits, and peers that are slow.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use offhook_net::{Plan, Program};
use protocol::doors::Alive;
use protocol::{Flow, Identity, Input, Output, Transport};

use crate::echo::{House, PATIENCE, connect, options, read_answer};

#[test]
fn a_request_is_answered_over_both_families() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let house = House::on(Transport::Tcp, address);
        let mut peer = connect(house.address(0));
        peer.write_all(&options("hello", "")).unwrap();
        assert_eq!(read_answer(&mut peer), "hello");
        let (_, Input::Received(flow, _)) = house.input() else { panic!() };
        assert_eq!(flow.peer, peer.local_addr().unwrap());
        assert_ne!(flow.connection, 0);
    }
}

#[test]
fn trap_18_a_message_may_be_cut_anywhere() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let mut peer = connect(house.address(0));
    let message = options("cut", "body");
    for cut in 1..message.len() {
        let (head, tail) = message.split_at(cut);
        peer.write_all(head).unwrap();
        // Between the two writes there is a whole turn: an answer to somebody else.
        if cut % 16 == 0 {
            let mut other = connect(house.address(0));
            other.write_all(&options("other", "")).unwrap();
            assert_eq!(read_answer(&mut other), "other");
        }
        peer.write_all(tail).unwrap();
        assert_eq!(read_answer(&mut peer), "cut");
    }
}

#[test]
fn many_messages_in_one_write_are_answered_in_order() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let mut peer = connect(house.address(0));
    let names: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let all: Vec<u8> = names.iter().flat_map(|name| options(name, "")).collect();
    peer.write_all(&all).unwrap();
    for name in names {
        assert_eq!(read_answer(&mut peer), name);
    }
}

/// "When a server receives a double CRLF sequence between SIP messages on a connection-oriented transport such as TCP or SCTP, it MUST immediately
/// respond with a single CRLF over the same connection." The other keep-alive, STUN, has tests of its own.
/// Proves: rfc5626-5.4-2, rfc5626-A-18.
#[test]
fn a_ping_gets_its_pong() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let mut peer = connect(house.address(0));
    peer.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    peer.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[test]
fn after_octets_that_are_no_message_there_is_an_answer_and_an_end() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let mut peer = connect(house.address(0));
    peer.write_all(b"OPTIONS sip:a SIP/2.0\r\n\r\nno length").unwrap();
    let mut all = String::new();
    peer.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("SIP/2.0 400 "), "{all}");
    drop(peer);
    let (_, Input::Malformed(flow, _)) = house.input() else { panic!() };
    assert_ne!(flow.connection, 0);
}

/// Proves: rfc3261-18.1.1-14.
#[test]
fn a_connection_is_opened_and_used_again() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let flow = Flow {
        transport: Transport::Tcp,
        listener: 0,
        connection: 0,
        peer: server.local_addr().unwrap(),
        identity: Identity::NONE,
    };
    house.put(0, Output::Send(flow, options("one", "").into()));
    house.put(0, Output::Send(flow, options("two", "").into()));
    let (mut peer, from) = server.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(from.ip(), house.address(0).ip());
    let mut both = vec![0; options("one", "").len() * 2];
    peer.read_exact(&mut both).unwrap();
    assert_eq!(both, [options("one", ""), options("two", "")].concat());
    // The peer may ask by the same connection.
    peer.write_all(&options("back", "")).unwrap();
    assert_eq!(read_answer(&mut peer), "back");
    let (_, Input::Received(came, _)) = house.input() else { panic!() };
    assert_eq!(came.peer, flow.peer);
    // The number alone is no way to anybody: the peer must be the same.
    let stranger = Flow { peer: house.address(0), ..came };
    house.put(0, Output::Send(stranger, options("astray", "").into()));
    let (_, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, stranger);
    drop(peer);
    let (_, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, came);
    // That connection is gone; another one is not taken for it.
    house.put(0, Output::Send(came, options("late", "").into()));
    let (_, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, came);
}

/// Proves: rfc3261-18.4-3.
#[test]
fn a_connection_that_is_refused_is_told() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let peer = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let flow = Flow {
        transport: Transport::Tcp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    house.put(0, Output::Send(flow, options("one", "").into()));
    let (_, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, flow);
    assert_eq!(house.count(|counters| &counters.connections_failed), 1);
}

#[test]
fn any_shard_can_send_on_any_connection() {
    let plan = Plan::new().on(Transport::Tcp, "127.0.0.1:0".parse().unwrap()).shards(3);
    let house = House::open(plan, Program::new());
    let mut peers: Vec<TcpStream> = (0..12).map(|_| connect(house.address(0))).collect();
    let mut numbers = Vec::new();
    for peer in &mut peers {
        peer.write_all(&options("hello", "")).unwrap();
        assert_eq!(read_answer(peer), "hello");
        let (0, Input::Received(flow, _)) = house.input() else { panic!() };
        numbers.push(flow.connection);
        for shard in 0..3 {
            house.put(shard, Output::Send(flow, options("from afar", "").into()));
            let mut octets = vec![0; options("from afar", "").len()];
            peer.read_exact(&mut octets).unwrap();
            assert_eq!(octets, options("from afar", ""));
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 12, "no two connections have the same number");
    // All three shards knew it; all three are told.
    drop(peers.pop());
    let mut told: Vec<u16> = (0..3).map(|_| house.input().0).collect();
    told.sort_unstable();
    assert_eq!(told, [0, 1, 2]);
}

/// A connection that we have opened tells of its pongs, and is closed when it is wanted no more; what is sent then goes by a new one.
#[test]
fn a_pong_is_told_and_a_connection_is_left() {
    let house = House::on(Transport::Tcp, "127.0.0.1:0");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let way = Flow {
        transport: Transport::Tcp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    house.put(0, Output::Send(way, "\r\n\r\n".into()));
    let (mut first, _) = listener.accept().unwrap();
    let mut ping = [0; 4];
    first.read_exact(&mut ping).unwrap();
    assert_eq!(&ping, b"\r\n\r\n");
    first.write_all(b"\r\n").unwrap();
    let (_, Input::Alive(flow, Alive::Pong)) = house.input() else { panic!() };
    assert_eq!(flow.any_connection(), way);
    house.put(0, Output::Leave(way));
    assert_eq!(first.read(&mut ping).unwrap(), 0, "it is closed");
    house.put(0, Output::Send(way, "\r\n\r\n".into()));
    listener.accept().unwrap();
}
