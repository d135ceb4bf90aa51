//! Connections that are used again, for whom they were proven, and their end (RFC 5923).

use std::io::{Read, Write};
use std::net::TcpStream;

use offhook_net::Program;
use offhook_net::tls::{Clients, Terms};
use protocol::{Flow, Identity, Input, Output};
use rustls::{ServerConnection, StreamOwned};

use crate::authority::{Authority, Flaw};
use crate::echo::{House, PATIENCE, options};
use crate::secure::{Server, ask, call, came, house, plan, send, to, tried};

/// Proves: rfc5922-7.8-1, rfc5923-8.1-1, rfc5923-8.1-2, rfc5923-8.1-7, rfc5923-8.1-8, rfc5923-8.1-9, rfc5923-8.1-10, rfc5923-8.1-4, rfc5923-2-1, rfc5923-2-2,
/// rfc5626-4.3-3.
#[test]
fn trap_32_a_connection_is_used_again_for_the_same_identity_and_for_no_other() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let files = authority.issue("peer", &["b.example", "c.example"], Flaw::None);
    let server = Server::new(authority.server(&files));
    send(&house, "b.example", server.address(), "one");
    let mut first = server.accept();
    let read = |peer: &mut StreamOwned<ServerConnection, TcpStream>, subject: &str| {
        let mut octets = vec![0; options(subject, "").len()];
        peer.read_exact(&mut octets).unwrap();
        assert_eq!(octets, options(subject, ""));
    };
    read(&mut first, "one");
    assert_eq!(first.conn.server_name(), Some("b.example"), "it is asked for by its name");
    // The same address as somebody else, though the certificate would do: it was not asked for.
    send(&house, "c.example", server.address(), "two");
    let mut second = server.accept();
    read(&mut second, "two");
    send(&house, "B.example", server.address(), "three");
    read(&mut first, "three");
    assert_eq!(house.count(|counters| &counters.connections), 2);
    // RFC 5923 §8.1: a connection that is gone is opened again.
    drop(first);
    let (_, Input::Failed(flow)) = house.input() else { panic!() };
    assert_eq!(flow.identity, Identity::of("b.example"));
    send(&house, "b.example", server.address(), "four");
    read(&mut server.accept(), "four");
}

/// Proves: rfc5923-8.2-4, rfc5923-8.2-5, rfc5923-8.2-7.
#[test]
fn trap_32_an_alias_is_for_whom_the_peer_has_proven_to_be() {
    let authority = Authority::new();
    let terms = Terms { clients: Clients::Ask, ..authority.terms(&["a.example"]) };
    let house = house(&terms);
    let files = authority.issue("peer", &["b.example"], Flaw::None);
    let listening = Server::new(authority.server(&files));
    let mut proven = call(&authority.client(Some(&files)), house.address(0), "a.example");
    ask(&mut proven, "hi").unwrap();
    let flow = came(&house);
    house.put(0, Output::Alias(flow, listening.address()));
    send(&house, "b.example", listening.address(), "back");
    let mut octets = vec![0; options("back", "").len()];
    proven.read_exact(&mut octets).unwrap();
    assert_eq!(octets, options("back", ""));
    // For another domain the connection does not count, and a peer without a certificate has no alias at all.
    assert!(tried(&house, &listening, "c.example").is_err());
    drop(proven);
    let (_, Input::Failed(_)) = house.input() else { panic!() };
    let (_, Input::Failed(alias)) = house.input() else { panic!() };
    // It was open: what crossed its end may go by another.
    let of_alias = Flow { peer: listening.address(), ..flow };
    assert_eq!(alias, of_alias);
    // It is gone: a connection of our own is opened.
    assert_eq!(tried(&house, &listening, "b.example"), Ok(()));
    let mut stranger = call(&authority.client(None), house.address(0), "a.example");
    ask(&mut stranger, "hi").unwrap();
    let flow = came(&house);
    house.put(0, Output::Alias(flow, listening.address()));
    assert_eq!(tried(&house, &listening, "b.example"), Ok(()));
}

#[test]
fn a_peer_that_says_goodbye_is_answered() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let mut peer = call(&authority.client(None), house.address(0), "a.example");
    ask(&mut peer, "hi").unwrap();
    came(&house);
    peer.conn.send_close_notify();
    peer.flush().unwrap();
    // Its farewell is answered by ours: not by an end in mid-air.
    assert_eq!(peer.read(&mut [0; 16]).unwrap(), 0);
    let (_, Input::Failed(_)) = house.input() else { panic!() };
}

/// "The receiver of the closure alert MUST NOT start any new SIP transactions after the receipt of the closure alert."
/// Proves: rfc5923-8.3-3.
#[test]
fn after_a_goodbye_nothing_new_goes_by_that_connection() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let files = authority.issue("peer", &["b.example"], Flaw::None);
    let server = Server::new(authority.server(&files));
    send(&house, "b.example", server.address(), "one");
    let mut first = server.accept();
    first.read_exact(&mut vec![0; options("one", "").len()]).unwrap();
    first.conn.send_close_notify();
    first.flush().unwrap();
    let (_, Input::Failed(_)) = house.input() else { panic!() };
    send(&house, "b.example", server.address(), "two");
    let mut second = server.accept();
    second.read_exact(&mut vec![0; options("two", "").len()]).unwrap();
    assert_eq!(first.read(&mut [0; 16]).unwrap(), 0, "nothing but a farewell");
}

/// "After the initiator of the close has sent a closure alert, it MUST discard any TLS messages until it has received a similar alert from
/// its peer." "Before closing a TLS connection, the initiator of the closure MUST either wait for any outstanding SIP transactions to
/// complete, or explicitly abandon them": the machine is told that nothing more can be sent.
/// Proves: rfc5923-8.3-1, rfc5923-8.3-2.
#[test]
fn after_our_goodbye_nothing_is_heard_any_more() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let mut peer = call(&authority.client(None), house.address(0), "a.example");
    peer.write_all(b"nonsense\r\n\r\n").unwrap();
    let mut all = String::new();
    peer.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("SIP/2.0 400 "), "{all}");
    peer.write_all(&options("late", "")).unwrap();
    let (_, Input::Malformed(..)) = house.input() else { panic!() };
    drop(peer);
    let (_, Input::Failed(_)) = house.input() else { panic!("the late request was heard") };
}

#[test]
fn what_was_said_before_a_goodbye_arrives_in_full() {
    let authority = Authority::new();
    let mut plan = plan(&authority.terms(&["a.example"]));
    plan.crowd.write_queue = usize::MAX;
    plan.patience.farewell = PATIENCE;
    let house = House::open(plan, Program::new());
    let mut peer = call(&authority.client(None), house.address(0), "a.example");
    ask(&mut peer, "hi").unwrap();
    let flow = came(&house);
    // More than the kernel takes before somebody reads.
    let much = vec![b'x'; 16 << 20];
    house.put(0, Output::Send(flow, much.clone().into()));
    peer.write_all(b"nonsense\r\n\r\n").unwrap();
    let (_, Input::Malformed(..)) = house.input() else { panic!() };
    house.settle(0);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert!(all.starts_with(&much), "{} octets of {}", all.len(), much.len());
    assert!(all[much.len()..].starts_with(b"SIP/2.0 400 "));
}

/// "clients MUST NOT assume that the acceptance of a request by a server automatically enables connection aliasing. Clients MUST continue
/// receiving requests on their default port."
/// Proves: rfc5923-8.1-3, rfc5923-8.1-5, rfc5923-8.1-6.
#[test]
fn who_calls_a_peer_can_still_be_called_by_it_anew() {
    let authority = Authority::new();
    let house = house(&authority.terms(&["a.example"]));
    let files = authority.issue("peer", &["b.example"], Flaw::None);
    let server = Server::new(authority.server(&files));
    send(&house, "b.example", server.address(), "one");
    let mut theirs = server.accept();
    theirs.read_exact(&mut vec![0; options("one", "").len()]).unwrap();
    theirs.write_all(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    let (_, Input::Received(..)) = house.input() else { panic!() };
    // By the connection that is there, and by a new one.
    assert_eq!(ask(&mut theirs, "over yours").unwrap(), "over yours");
    let mut anew = call(&authority.client(Some(&files)), house.address(0), "a.example");
    assert_eq!(ask(&mut anew, "back").unwrap(), "back");
}

#[test]
fn any_shard_reaches_any_domain() {
    let authority = Authority::new();
    let house = House::open(plan(&authority.terms(&["a.example"])).shards(3), Program::new());
    let server =
        Server::new(authority.server(&authority.issue("peer", &["b.example"], Flaw::None)));
    for shard in 0..3 {
        house.put(shard, Output::Introduce("b.example".into()));
        house
            .put(shard, Output::Send(to("b.example", server.address()), options("all", "").into()));
    }
    let mut peer = server.accept();
    let mut octets = vec![0; options("all", "").len() * 3];
    peer.read_exact(&mut octets).unwrap();
    drop(peer);
    let mut told: Vec<u16> = (0..3).map(|_| house.input().0).collect();
    told.sort_unstable();
    assert_eq!(told, [0, 1, 2]);
}

#[test]
fn an_alias_is_reached_from_every_shard_and_so_is_its_end() {
    let authority = Authority::new();
    let terms = Terms { clients: Clients::Ask, ..authority.terms(&["a.example"]) };
    let house = House::open(plan(&terms).shards(3), Program::new());
    let files = authority.issue("peer", &["b.example"], Flaw::None);
    // Where an address and a connection live is left to chance: with so many, each comes before.
    for round in 0..12 {
        let listening = Server::new(authority.server(&files));
        let mut proven = call(&authority.client(Some(&files)), house.address(0), "a.example");
        ask(&mut proven, "hi").unwrap();
        let flow = came(&house);
        house.put(0, Output::Alias(flow, listening.address()));
        // The word goes by way of other shards: when it is there, what follows comes by the connection that there is.
        (0..3).for_each(|shard| house.settle(shard));
        (0..3).for_each(|shard| house.settle(shard));
        for shard in 0..3 {
            house.put(shard, Output::Introduce("b.example".into()));
            let message = options("back", "").into();
            house.put(shard, Output::Send(to("b.example", listening.address()), message));
        }
        let mut octets = vec![0; options("back", "").len() * 3];
        proven.read_exact(&mut octets).unwrap_or_else(|error| panic!("round {round}: {error}"));
        drop(proven);
        let of_alias = Flow { peer: listening.address(), ..flow };
        let mut told: Vec<u16> = std::iter::repeat_with(|| house.input())
            .filter(|(_, input)| matches!(input, Input::Failed(failed) if *failed == of_alias))
            .map(|(shard, _)| shard)
            .take(3)
            .collect();
        told.sort_unstable();
        assert_eq!(told, [0, 1, 2]);
        house
            .put(1, Output::Send(to("b.example", listening.address()), options("anew", "").into()));
        let mut octets = vec![0; options("anew", "").len()];
        listening.accept().read_exact(&mut octets).unwrap();
    }
}
