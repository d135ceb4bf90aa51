//! §3: what a client does with `rport`: phones, and proxies in a whole call.

use std::net::IpAddr;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::Exchange;
use protocol::Transport;
use sim::{NatRules, Weather};
use sip::header::Via;

/// Every request of a phone, and of a proxy, asks for the port that it came from.
/// Proves: rfc3581-3-1.
#[test]
fn every_request_asks_for_rport_with_no_value() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    exchange.dial(alice, "102", Wish::default());
    exchange.live(3000);
    for id in [alice, bob, exchange.server] {
        let sent = exchange.sent_by(id);
        let requests: Vec<_> = sent.iter().filter(|(_, message)| message.is_request()).collect();
        assert!(!requests.is_empty());
        for (_, request) in requests {
            assert_eq!(request.get::<Via>().unwrap().rport(), Some(None));
        }
    }
}

/// A phone behind a NAT sends from another port than its Via says: the answers come back there, and it takes them. One without a NAT takes
/// them at its sent-by, which is the same port.
/// Proves: rfc3581-3-2, rfc3581-3-3.
#[test]
fn answers_are_taken_where_the_request_came_from() {
    for behind in [true, false] {
        let mut exchange = Exchange::new(1, Weather::FAIR);
        let home: (_, IpAddr) = if behind {
            (exchange.nat(NatRules::SYMMETRIC), "10.0.0.2".parse().unwrap())
        } else {
            (sim::Realm::INTERNET, exchange.address())
        };
        let alice = exchange.phone_at("101", Transport::Udp, Habits::POLITE, home);
        exchange.sign_on(&[alice]);
        let ports: Vec<bool> = exchange
            .world
            .tap()
            .sightings()
            .filter(|one| one.from == Some(alice))
            .map(|one| one.parcel.from.port() == 5060)
            .collect();
        assert!(ports.iter().all(|same| *same != behind), "{ports:?}");
    }
}
