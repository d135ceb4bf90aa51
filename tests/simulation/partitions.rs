//! Nothing passes between some for a while: calls fail or wait, everything ends, and what was parted finds together again.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::Exchange;
use protocol::Transport;
use sim::{Change, HostId, Weather};

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

fn two(transport: Transport) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(1, Weather::BREEZE);
    let talks = Habits { talk: Some(Duration::from_secs(20)), ..Habits::POLITE };
    let alice = exchange.phone("101", transport, talks);
    let bob = exchange.phone("102", transport, talks);
    exchange.sign_on(&[alice, bob]);
    (exchange, alice, bob)
}

const WISH: Wish =
    Wish { patience: Some(Duration::from_secs(90)), talk: Some(Duration::from_secs(20)) };

/// Bob cannot be reached for some time, which begins at every moment of a call's setup.
#[test]
fn a_callee_that_cannot_be_reached_for_a_while() {
    for transport in TRANSPORTS {
        for (begins, lasts) in
            (0..1600).step_by(100).flat_map(|begins| [(begins, 3_000), (begins, 120_000)])
        {
            let (mut exchange, alice, bob) = two(transport);
            let server = exchange.server;
            let call = exchange.dial(alice, "102", WISH);
            exchange.live(begins);
            exchange.world.change(&Change::Part(vec![server], vec![bob]));
            exchange.live(lasts);
            exchange.world.change(&Change::HealAll);
            exchange.live(600_000);
            let end = exchange.attendant(alice).end_of(call);
            assert!(end.is_some(), "{transport}, from {begins} ms for {lasts} ms");
            exchange.assert_nothing_is_left();
        }
    }
}

/// The server hears Alice, but she does not hear it.
#[test]
fn a_caller_who_hears_nothing() {
    for transport in TRANSPORTS {
        for begins in (0..1600).step_by(100) {
            let (mut exchange, alice, _) = two(transport);
            let server = exchange.server;
            let call = exchange.dial(alice, "102", WISH);
            exchange.live(begins);
            exchange.world.change(&Change::Mute(server, alice));
            exchange.live(150_000);
            exchange.world.change(&Change::HealAll);
            exchange.live(600_000);
            assert!(exchange.attendant(alice).end_of(call).is_some(), "{transport} {begins} ms");
            exchange.assert_nothing_is_left();
        }
    }
}

/// Parted for an hour in the middle of a call: each side ends it for itself, and both are there for the next one.
#[test]
fn a_call_that_is_parted_ends_on_each_side() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = two(transport);
        let server = exchange.server;
        let call = exchange.dial(alice, "102", WISH);
        exchange.live(5000);
        assert!(exchange.attendant(alice).was_up(call));
        exchange.world.change(&Change::Part(vec![server, alice], vec![bob]));
        exchange.world.run_for(Duration::from_secs(3600));
        assert_eq!(exchange.attendant(alice).phone.calls().count(), 0);
        assert_eq!(exchange.attendant(bob).phone.calls().count(), 0);
        exchange.world.change(&Change::HealAll);
        exchange.world.run_for(Duration::from_secs(4000));
        let again = exchange.dial(alice, "102", WISH);
        exchange.live(60_000);
        assert_eq!(exchange.attendant(alice).end_of(again), Some(200), "{transport}");
        exchange.assert_nothing_is_left();
    }
}
