//! Phones behind routers of every kind that RFC 4787 knows: they stay reachable, and calls go both ways.

use std::net::IpAddr;
use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::Exchange;
use protocol::Transport;
use sim::{HostId, NatRules, Refresh, Weather};

const KINDS: [(&str, NatRules); 5] = [
    ("full cone", NatRules::FULL_CONE),
    ("well-behaved", NatRules::WELL_BEHAVED),
    ("port-restricted", NatRules::PORT_RESTRICTED),
    ("symmetric", NatRules::SYMMETRIC),
    ("refreshed from both sides", NatRules { refresh: Refresh::Both, ..NatRules::PORT_RESTRICTED }),
];

/// 101 at home behind a NAT, 102 on the Internet.
fn at_home(rules: NatRules, transport: Transport) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(1, Weather::BREEZE);
    let inside = exchange.nat(rules);
    let home: IpAddr = "192.168.1.20".parse().unwrap();
    let alice = exchange.phone_at("101", transport, Habits::POLITE, (inside, home));
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    (exchange, alice, bob)
}

/// A calls B: it is answered; whoever `hangs_up` ends it for both.
fn call(exchange: &mut Exchange, (a, b): (HostId, HostId), target: &str, hangs_up: HostId) {
    let ours = exchange.dial(a, target, Wish::default());
    exchange.live(4000);
    let theirs = exchange.attendant(b).incoming().expect("the call arrives");
    assert!(exchange.attendant(a).was_up(ours) && exchange.attendant(b).was_up(theirs));
    exchange.live(60_000);
    let call = if hangs_up == a { ours } else { theirs };
    exchange.by_hand(hangs_up, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
    exchange.live(2000);
    assert_eq!(exchange.attendant(a).end_of(ours), Some(200));
    assert_eq!(exchange.attendant(b).end_of(theirs), Some(200));
}

#[test]
fn a_phone_behind_any_nat_calls_and_is_called() {
    for (name, rules) in KINDS {
        for transport in [Transport::Udp, Transport::Tcp] {
            println!("{name} {transport}");
            let (mut exchange, alice, bob) = at_home(rules, transport);
            for hangs_up in [alice, bob] {
                call(&mut exchange, (alice, bob), "102", hangs_up);
                call(&mut exchange, (bob, alice), "101", hangs_up);
            }
            exchange.live(60_000);
            exchange.assert_nothing_is_left();
        }
    }
}

/// Twenty minutes without a call: the mapping of a datagram at home lives for 30 seconds.
#[test]
fn a_phone_behind_any_nat_is_reached_after_a_long_silence() {
    for (name, rules) in KINDS {
        for transport in [Transport::Udp, Transport::Tcp] {
            println!("{name} {transport}");
            let (mut exchange, alice, bob) = at_home(rules, transport);
            exchange.world.run_for(Duration::from_secs(20 * 60));
            call(&mut exchange, (bob, alice), "101", alice);
        }
    }
}

/// The router restarts and forgets everything: the phone is found again before its registration would have expired.
#[test]
fn a_phone_is_found_again_after_its_router_restarts() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut exchange = Exchange::new(1, Weather::BREEZE);
        let outside = exchange.address();
        let (nat, inside) =
            exchange.world.add_nat(sim::Realm::INTERNET, &[outside], NatRules::SYMMETRIC);
        let home: IpAddr = "192.168.1.20".parse().unwrap();
        let alice = exchange.phone_at("101", transport, Habits::POLITE, (inside, home));
        let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
        exchange.sign_on(&[alice, bob]);
        exchange.world.change(&sim::Change::Forget(nat));
        exchange.world.run_for(Duration::from_secs(65 * 60));
        call(&mut exchange, (bob, alice), "101", bob);
    }
}

/// Two phones behind one router, and two behind two.
#[test]
fn phones_behind_nats_call_each_other() {
    for (name, rules) in KINDS {
        println!("{name}");
        let mut exchange = Exchange::new(1, Weather::BREEZE);
        let (here, there) = (exchange.nat(rules), exchange.nat(rules));
        let at = |last: u8| IpAddr::from([192, 168, 1, last]);
        let udp = Transport::Udp;
        let alice = exchange.phone_at("101", udp, Habits::POLITE, (here, at(20)));
        let bob = exchange.phone_at("102", udp, Habits::POLITE, (here, at(21)));
        // The same inside address as Alice's, in another house.
        let carol = exchange.phone_at("103", udp, Habits::POLITE, (there, at(20)));
        exchange.sign_on(&[alice, bob, carol]);
        call(&mut exchange, (alice, bob), "102", bob);
        call(&mut exchange, (alice, carol), "103", alice);
        call(&mut exchange, (carol, bob), "102", bob);
    }
}
