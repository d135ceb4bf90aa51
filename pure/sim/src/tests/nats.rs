//! Worlds with NATs in them: whole ways, nested ways, streams.

use super::*;
use crate::{Change, Fate, NatId, NatRules};

/// Alice behind a NAT at 198.51.100.1; Bob on the Internet.
fn behind(rules: NatRules) -> (World<Probe>, (NatId, Realm), HostId, HostId) {
    let mut world = World::new(1, Weather::FAIR);
    let (nat, home) = world.add_nat(Realm::INTERNET, &[ip("198.51.100.1")], rules);
    let alice = world.add("alice", Probe::default(), &[(home, ip("192.168.0.2"))]);
    let bob = world.add("bob", Probe::default(), &[(Realm::INTERNET, ip("192.0.2.2"))]);
    world.tap_on();
    (world, (nat, home), alice, bob)
}

#[test]
fn out_and_back_through_a_nat() {
    let (mut world, (nat, _), alice, bob) = behind(NatRules::SYMMETRIC);
    world.host_mut(bob).unwrap().echoes = 1;
    send(&mut world, alice, ANY, "192.0.2.2:5060", "hello");
    world.run_for(MINUTE / 4);
    let seen = world.host(bob).unwrap().last_from().unwrap();
    assert_eq!(seen.ip(), ip("198.51.100.1"));
    assert_eq!(world.host(alice).unwrap().datagrams(), [b"hello"]);
    assert_eq!(world.mappings_of(nat), 1);
    world.run_for(MINUTE);
    assert_eq!(world.mappings_of(nat), 0, "it expires");
    send(&mut world, bob, "0.0.0.0:5060", &seen.to_string(), "late");
    world.run_for(MINUTE);
    assert_eq!(world.tap().count(Fate::Unmapped), 1);
}

#[test]
fn two_phones_behind_one_nat_hairpin() {
    let (mut world, (_, home), alice, bob) = behind(NatRules::FULL_CONE);
    let carol = world.add("carol", Probe::default(), &[(Realm::INTERNET, ip("192.0.2.3"))]);
    let neighbour = world.add("neighbour", Probe::default(), &[(home, ip("192.168.0.3"))]);
    send(&mut world, alice, "0.0.0.0:5060", "192.0.2.2:5060", "where am I?");
    world.run_for(MINUTE / 60);
    let seen = world.host(bob).unwrap().last_from().unwrap();
    send(&mut world, neighbour, "0.0.0.0:7000", &seen.to_string(), "hi");
    send(&mut world, neighbour, "0.0.0.0:7000", "192.168.0.2:5060", "direct");
    world.run_for(MINUTE / 60);
    let alice = world.host(alice).unwrap();
    assert_eq!(alice.datagrams(), [b"hi".as_slice(), b"direct"]);
    assert_eq!(alice.heard[0].1.from, at("198.51.100.1:7000"), "REQ-9a");
    assert_eq!(alice.heard[1].1.from, at("192.168.0.3:7000"), "no NAT between neighbours");
    assert!(world.host(carol).unwrap().heard.is_empty());
}

#[test]
fn a_nat_behind_a_nat() {
    let mut world = World::new(1, Weather::FAIR);
    let rules = NatRules::WELL_BEHAVED;
    let (_, carrier) = world.add_nat(Realm::INTERNET, &[ip("198.51.100.1")], rules);
    let (_, home) = world.add_nat(carrier, &[ip("100.64.0.7")], rules);
    let alice = world.add("alice", Probe::default(), &[(home, ip("192.168.0.2"))]);
    // The same private address exists elsewhere too.
    let twin = world.add("twin", Probe::default(), &[(carrier, ip("192.168.0.2"))]);
    let bob = Probe { echoes: 1, ..Probe::default() };
    let bob = world.add("bob", bob, &[(Realm::INTERNET, ip("192.0.2.2"))]);
    send(&mut world, alice, "0.0.0.0:5060", "192.0.2.2:5060", "deep");
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().last_from(), Some(at("198.51.100.1:5060")));
    assert_eq!(world.host(alice).unwrap().datagrams(), [b"deep"]);
    assert!(world.host(twin).unwrap().heard.is_empty());
}

#[test]
fn req_12_bad_news_passes_and_ends_no_mapping() {
    let (mut world, (nat, _), alice, bob) = behind(NatRules::SYMMETRIC);
    world.host_mut(bob).unwrap().closed = Some(Transport::Udp);
    send(&mut world, alice, "192.168.0.2:5060", "192.0.2.2:9", "anyone?");
    world.run_for(MINUTE / 60);
    let (_, news) = &world.host(alice).unwrap().heard[0];
    assert!(is_port_unreachable(news));
    assert_eq!((news.from, news.to), (at("192.0.2.2:9"), at("192.168.0.2:5060")));
    assert_eq!(world.mappings_of(nat), 1);
}

#[test]
fn req_12a_bad_news_comes_from_any_router() {
    let (mut world, _, alice, bob) = behind(NatRules::SYMMETRIC);
    send(&mut world, alice, "192.168.0.2:5060", "192.0.2.2:5060", "hello");
    world.run_for(MINUTE / 60);
    let seen = world.host(bob).unwrap().last_from().unwrap();
    let router = at("203.0.113.9:0");
    let kind = Kind::Unreachable(Unreachable::Port("hello".into()));
    world.inject(Realm::INTERNET, Parcel { from: router, to: seen, kind });
    world.inject(Realm::INTERNET, Parcel::datagram(router, seen, "let me in"));
    world.run_for(MINUTE / 60);
    assert_eq!(world.host(alice).unwrap().last_from(), Some(router));
    assert_eq!(world.tap().count(Fate::Filtered), 1, "a datagram from there is filtered");
}

#[test]
fn a_stream_goes_out_and_stalls_when_the_nat_forgets_it() {
    let (mut world, (nat, _), alice, bob) = behind(NatRules::WELL_BEHAVED);
    say(&mut world, alice, 1, Segment::Open);
    say(&mut world, alice, 1, Segment::Data("hello".into()));
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().octets(), b"hello");
    assert_eq!(world.host(bob).unwrap().last_from().unwrap().ip(), ip("198.51.100.1"));
    world.change(&Change::Forget(nat));
    say(&mut world, alice, 1, Segment::Data("lost".into()));
    world.run_for(MINUTE * 20);
    assert_eq!(world.host(bob).unwrap().octets(), b"hello");
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened, Segment::TimedOut]);
}

#[test]
fn a_stream_from_outside_is_not_let_in() {
    let (mut world, _, alice, bob) = behind(NatRules::WELL_BEHAVED);
    let inward = Parcel::stream(at(ANY), at("198.51.100.1:5060"), Connection(1), Segment::Open);
    world.act(bob, |_, _, out| out.push(inward));
    world.run_for(MINUTE * 3);
    assert!(world.host(alice).unwrap().heard.is_empty());
    assert_eq!(world.host(bob).unwrap().segments(), [Segment::TimedOut]);
}
