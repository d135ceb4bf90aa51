//! §4.2: from a transport to addresses, tried in their order.

use std::time::Duration;

use offhook_tests::attendant::Habits;
use offhook_tests::exchange::{Exchange, address};
use offhook_tests::puppet::Puppet;
use protocol::Transport;
use server::Settings;
use server::settings::{Route, User};
use sim::Weather;

use super::{everything, located, zone};

/// "The client SHOULD try the first record. If an attempt should fail … the next SHOULD be tried, and if that should fail, the next"
/// Proves: rfc3263-4.2-1, rfc3263-4.2-2.
#[test]
fn servers_are_tried_one_after_the_other_and_dead_ones_are_not_tried_first_again() {
    let records = "_sip._udp.biloxi.test SRV 1 0 5060 dead.biloxi.test
         _sip._udp.biloxi.test SRV 2 0 5060 gone.biloxi.test
         _sip._udp.biloxi.test SRV 3 0 5060 alive.biloxi.test
         dead.biloxi.test A 192.0.2.21
         gone.biloxi.test A 192.0.2.22
         alive.biloxi.test A 192.0.2.23";
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.routes = vec![Route::domain("biloxi.test", None)];
    });
    let alive = "192.0.2.23:5060";
    let mut biloxi = Settings::of("biloxi.test", Puppet::listeners(address(alive)));
    biloxi.challenge = Vec::new();
    biloxi.users = vec![User::new("bob", "secret-bob")];
    exchange.add_server("biloxi", biloxi);
    exchange.knows(exchange.server, zone(records));
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice]);
    // bob is not registered: the answer 480 is biloxi's.
    for most in [Duration::from_millis(7_500), Duration::from_millis(500)] {
        let began = exchange.world.now();
        let call = exchange.dial(alice, "sip:bob@biloxi.test", Default::default());
        while exchange.attendant(alice).end_of(call).is_none() {
            exchange.live(100);
        }
        assert_eq!(exchange.attendant(alice).end_of(call), Some(480));
        assert!(exchange.world.now() - began < most, "{:?}", exchange.world.now() - began);
    }
    let first_of = |peer: &str| {
        let to = |sighting: &&sim::Sighting| sighting.parcel.to == address(peer);
        exchange.world.tap().sightings().find(to).map(|sighting| sighting.sent)
    };
    let tried = ["192.0.2.21:5060", "192.0.2.22:5060", alive].map(first_of);
    assert!(tried[0].is_some() && tried.is_sorted(), "{tried:?}");
    exchange.live(40_000);
    exchange.sign_off(&[alice]);
}

/// The ports of the records, the default port where there is none, and the addresses of both families (RFC 7984 §3.1).
#[test]
fn the_port_is_that_of_the_uri_or_of_the_record_or_the_usual_one() {
    let mut names = zone(
        "_sip._tcp.a.test SRV 0 1 5070 h.a.test
         h.a.test A 192.0.2.1
         h.a.test AAAA 2001:db8::1
         a.test A 192.0.2.9",
    );
    for (uri, expected) in [
        ("sip:a.test;transport=tcp", "TCP [2001:db8::1]:5070, TCP 192.0.2.1:5070"),
        ("sip:a.test:5080;transport=tcp", "TCP 192.0.2.9:5080"),
        ("sip:a.test;transport=udp", "UDP 192.0.2.9:5060"),
        ("sip:a.test;transport=tls", "TLS 192.0.2.9:5061"),
        ("sip:h.a.test:5090", "UDP [2001:db8::1]:5090, UDP 192.0.2.1:5090"),
    ] {
        assert_eq!(located(&mut names, uri, everything()), expected, "{uri}");
    }
}
