//! What a driver listens on changes while it lives.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};

use offhook_net::{Plan, Program, Renewed};
use protocol::{Flow, Input, Output, Transport};

use crate::echo::{House, caller, connect, options, read_answer, subject};

/// A plan for these transports, each at an address; port 0 is any.
fn plan(listen: &[(Transport, SocketAddr)]) -> Plan {
    listen.iter().fold(Plan::new().shards(2), |plan, (transport, at)| plan.on(*transport, *at))
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Changes a house; what its machines were told to say.
fn change(house: &House, plan: Plan) -> Vec<u16> {
    let prepared = house.handle.prepare(plan).unwrap();
    let listeners = prepared.listeners();
    let renewed = house.handle.renew(prepared, |_| {
        let listeners = listeners.clone();
        move |echo: &mut crate::echo::Echo, _, _: &mut Vec<Output>| {
            echo.listeners = listeners;
            echo.shard
        }
    });
    let said = renewed.unwrap().into_iter().map(|Renewed { said, .. }| said);
    said.collect()
}

fn asks(to: SocketAddr, name: &str) {
    let peer = caller(to);
    peer.send(&options(name, "")).unwrap();
    let mut answer = [0; 2048];
    let length = peer.recv(&mut answer).unwrap();
    assert_eq!(subject(&answer[..length]), name);
}

fn numbers(house: &House) -> Vec<u16> {
    house.handle.listeners().iter().map(|listener| listener.number).collect()
}

#[test]
fn listeners_come_and_go_while_those_that_stay_and_their_connections_notice_nothing() {
    let house =
        House::open(plan(&[(Transport::Udp, any()), (Transport::Tcp, any())]), Program::new());
    let (udp, tcp) = (house.address(0), house.address(1));
    let mut old = connect(tcp);
    old.write_all(&options("before", "")).unwrap();
    assert_eq!(read_answer(&mut old), "before");
    let at_udp = (Transport::Udp, any());
    assert_eq!(change(&house, plan(&[(Transport::Tcp, any()), at_udp, at_udp])), [0, 1]);
    // Both ask for any port, and stay where they are; the third is new.
    assert_eq!(numbers(&house), [1, 0, 2]);
    assert_eq!((house.address(0), house.address(1)), (tcp, udp));
    asks(udp, "stays");
    asks(house.address(2), "new");
    // Without TCP: who is connected stays connected, nobody else comes, and the port is free for others.
    change(&house, plan(&[at_udp]));
    assert_eq!(numbers(&house), [0]);
    old.write_all(&options("after", "")).unwrap();
    assert_eq!(read_answer(&mut old), "after");
    assert!(TcpStream::connect(tcp).is_err());
    drop(TcpListener::bind(tcp).unwrap());
    // It comes back as another one: its number is in use by the connection.
    change(&house, plan(&[at_udp, (Transport::Tcp, tcp)]));
    assert_eq!(numbers(&house), [0, 3]);
    let mut new = connect(tcp);
    new.write_all(&options("again", "")).unwrap();
    assert_eq!(read_answer(&mut new), "again");
    old.write_all(&options("still", "")).unwrap();
    assert_eq!(read_answer(&mut old), "still");
    let all = house.handle.ask(1, |echo, _, _| echo.listeners.len()).unwrap();
    assert_eq!(all, 2);
}

#[test]
fn who_waits_at_a_listener_that_closes_is_let_in() {
    let house = House::open(plan(&[(Transport::Tcp, any())]), Program::new());
    let mut peers: Vec<_> = (0..50).map(|_| connect(house.address(0))).collect();
    change(&house, plan(&[]));
    for peer in &mut peers {
        peer.write_all(&options("in", "")).unwrap();
        assert_eq!(read_answer(peer), "in");
    }
}

#[test]
fn a_socket_of_datagrams_that_goes_ends_what_has_begun_and_may_come_back() {
    let house =
        House::open(plan(&[(Transport::Udp, any()), (Transport::Udp, any())]), Program::new());
    let gone = house.address(1);
    let peer = caller(gone);
    change(&house, plan(&[(Transport::Udp, house.address(0))]));
    assert_eq!(numbers(&house), [0]);
    // The answer to what came there before still goes from there.
    let flow =
        Flow { listener: 1, ..Flow::to(&house.handle.listeners()[0], peer.local_addr().unwrap()) };
    house.put(0, Output::Send(flow, "SIP/2.0 200 OK\r\n\r\n".into()));
    let mut answer = [0; 64];
    assert_eq!(peer.recv(&mut answer).unwrap(), 18);
    change(&house, plan(&[(Transport::Udp, gone)]));
    assert_eq!((numbers(&house)[0], house.address(0)), (1, gone));
    asks(gone, "back");
}

#[test]
fn what_cannot_be_bound_changes_nothing() {
    let house = House::open(plan(&[(Transport::Udp, any())]), Program::new());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wish = plan(&[(Transport::Tcp, any()), (Transport::Tcp, taken.local_addr().unwrap())]);
    let error = house.handle.prepare(wish).unwrap_err().to_string();
    assert!(error.contains("is taken by process"), "{error}");
    assert_eq!(numbers(&house), [0]);
    asks(house.address(0), "as before");
    let Input::Received(flow, _) = house.input().1 else { panic!() };
    assert_eq!(flow.listener, 0);
}
