//! Handshakes that are never finished, broken off, slow, or nonsense: the good client is served all the same (RELIABILITY R7, R8, R9).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_net::{Program, limits};
use protocol::{Input, Output};
use rustls::{ClientConfig, ClientConnection};

use crate::authority::Authority;
use crate::echo::{House, PATIENCE, options};
use crate::secure::{ask, call, house, plan};

/// What a client says first, and what it says when the server has answered.
fn flights(config: &Arc<ClientConfig>, to: SocketAddr) -> [Vec<u8>; 2] {
    let name = "a.example".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&hello).unwrap();
    while client.is_handshaking() {
        client.read_tls(&mut stream).unwrap();
        client.process_new_packets().unwrap();
    }
    let mut finished = Vec::new();
    client.write_tls(&mut finished).unwrap();
    [hello, finished]
}

/// A good client comes, and is served.
fn good(house: &House, config: &Arc<ClientConfig>) {
    let mut good = call(config, house.address(0), "a.example");
    assert_eq!(ask(&mut good, "good").unwrap(), "good");
}

/// Reads until the other side ends it.
fn ends(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if let Err(error) = stream.read_to_end(&mut Vec::new()) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it was not closed");
    }
}

/// Waits until all connections are gone.
fn all_gone(house: &House) {
    let deadline = Instant::now() + PATIENCE;
    while house.count(|counters| &counters.connections) > 0 {
        assert!(Instant::now() < deadline, "connections are left");
        house.settle(0);
    }
}

#[test]
fn row_22_a_handshake_may_be_broken_off_at_every_octet() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let config = authority.client(None);
    let [hello, _] = flights(&config, house.address(0));
    for cut in 0..=hello.len() {
        let mut peer = TcpStream::connect(house.address(0)).unwrap();
        peer.write_all(&hello[..cut]).unwrap();
        drop(peer);
    }
    good(&house, &config);
    all_gone(&house);
}

#[test]
fn row_22_a_handshake_with_any_octet_turned_over_harms_nobody() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let config = authority.client(None);
    let [hello, _] = flights(&config, house.address(0));
    for at in 0..hello.len() {
        let mut broken = hello.clone();
        broken[at] ^= 0x55;
        let mut peer = TcpStream::connect(house.address(0)).unwrap();
        peer.write_all(&broken).unwrap();
        if at % 64 == 0 {
            good(&house, &config);
        }
    }
    good(&house, &config);
    all_gone(&house);
}

#[test]
fn a_handshake_may_come_octet_by_octet() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let config = authority.client(None);
    let mut client = ClientConnection::new(config, "a.example".try_into().unwrap()).unwrap();
    let mut stream = TcpStream::connect(house.address(0)).unwrap();
    stream.set_nodelay(true).unwrap();
    let write = |client: &mut ClientConnection, stream: &mut TcpStream| {
        let mut octets = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut octets).unwrap();
        }
        octets.iter().for_each(|octet| stream.write_all(&[*octet]).unwrap());
    };
    while client.is_handshaking() {
        write(&mut client, &mut stream);
        if client.wants_read() {
            client.read_tls(&mut stream).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    client.writer().write_all(&options("slow", "")).unwrap();
    write(&mut client, &mut stream);
    assert_eq!(
        crate::secure::read_answer(&mut rustls::Stream::new(&mut client, &mut stream)).unwrap(),
        "slow"
    );
}

#[test]
fn r7_who_never_finishes_a_handshake_is_closed_and_keeps_nobody_out() {
    let authority = Authority::new();
    let mut plan = plan(&authority.terms(&["a.example"]));
    // Long enough for the good ones on a busy machine.
    plan.patience.handshake = Duration::from_secs(3);
    let house = House::open(plan, Program::new());
    let config = authority.client(None);
    let [hello, _] = flights(&config, house.address(0));
    // Silent, half a hello, and a hello without the rest.
    let hangs = |sent: usize| {
        let mut peer = TcpStream::connect(house.address(0)).unwrap();
        peer.write_all(&hello[..sent]).unwrap();
        peer
    };
    let mut hanging = [0, hello.len() / 2, hello.len()].map(hangs);
    good(&house, &config);
    hanging.iter_mut().for_each(ends);
    assert_eq!(house.count(|counters| &counters.handshakes_slow), 3);
}

#[test]
fn r7_who_says_nothing_after_the_handshake_is_closed() {
    let authority = Authority::new();
    let mut plan = plan(&authority.terms(&["a.example"]));
    plan.patience.first_message = Duration::from_secs(2);
    let house = House::open(plan, Program::new());
    let mut peer = call(&authority.client(None), house.address(0), "a.example");
    peer.conn.complete_io(&mut peer.sock).unwrap();
    assert_eq!(peer.read(&mut [0; 16]).unwrap(), 0, "it is closed with a word of farewell");
    assert_eq!(house.count(|counters| &counters.connections_slow), 1);
}

#[test]
fn r9_handshakes_that_are_left_hanging_make_room_for_those_who_come() {
    let authority = Authority::new();
    let mut plan = plan(&authority.terms(&["a.example"]));
    plan.crowd.handshakes = 16;
    plan.crowd.handshakes_a_source = 8;
    let house = House::open(plan, Program::new());
    let config = authority.client(None);
    let [hello, finished] = flights(&config, house.address(0));
    let mut hanging = Vec::new();
    for number in 0..2_000 {
        let mut peer = TcpStream::connect(house.address(0)).unwrap();
        // Each is left at another stage.
        let sent: &[u8] = match number % 4 {
            0 => &[],
            1 => &hello[..hello.len() / 2],
            2 => &hello,
            _ => &finished,
        };
        // It may have had to make room already.
        drop(peer.write_all(sent));
        hanging.push(peer);
        if hanging.len() > 300 {
            hanging.clear();
        }
        if number % 100 == 0 {
            good(&house, &config);
        }
    }
    assert!(house.count(|counters| &counters.handshakes_evicted) > 500);
    assert!(house.count(|counters| &counters.connections) <= 8 + 1);
    hanging.clear();
    good(&house, &config);
    all_gone(&house);
}

#[test]
fn row_52_hundreds_of_clients_that_end_at_once_leave_nothing_behind() {
    let authority = Authority::new();
    let mut plan = plan(&authority.terms(&["a.example"])).shards(2);
    plan.crowd.a_source = limits::CONNECTIONS;
    let house = House::open(plan, Program::new());
    let config = authority.client(None);
    let enter = |_| {
        let mut peer = call(&config, house.address(0), "a.example");
        assert_eq!(ask(&mut peer, "here").unwrap(), "here");
        peer
    };
    let peers: Vec<_> = (0..400).map(enter).collect();
    // No farewell: the program is gone.
    for peer in &peers {
        socket2::SockRef::from(&peer.sock).set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(peers);
    good(&house, &config);
    all_gone(&house);
}

#[test]
fn r8_a_tls_peer_that_does_not_read_is_closed_and_others_do_not_notice() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let config = authority.client(None);
    let mut deaf = call(&config, house.address(0), "a.example");
    ask(&mut deaf, "hello").unwrap();
    let (0, Input::Received(flow, _)) = house.input() else { panic!() };
    let octets = options("more", &"x".repeat(60_000));
    let many = move |_: &mut _, _, out: &mut Vec<Output>| {
        out.extend((0..10_000).map(|_| Output::Send(flow, octets.clone().into())));
    };
    house.handle.tell(0, many).unwrap();
    good(&house, &config);
    ends(&mut deaf.sock);
    assert_eq!(house.count(|counters| &counters.connections_deaf), 1);
}
