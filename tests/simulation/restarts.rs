//! Programs that end and begin anew, machines that lose their power, and streams that are cut.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::Exchange;
use protocol::Transport;
use sim::{Change, HostId, Outage, Weather};

const TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

fn two(transport: Transport) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::with(1, Weather::BREEZE, 2, |settings| {
        settings.registrar.default = Duration::from_secs(120);
        settings.registrar.max = Duration::from_secs(120);
    });
    let alice = exchange.phone("101", transport, Habits::POLITE);
    let bob = exchange.phone("102", transport, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    (exchange, alice, bob)
}

fn assert_a_call_works(exchange: &mut Exchange, alice: HostId, bob: HostId) {
    let talk = Some(Duration::from_secs(2));
    let call = exchange.dial(alice, "102", Wish { patience: None, talk });
    exchange.live(60_000);
    assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
    assert!(exchange.attendant(alice).was_up(call));
    assert_eq!(exchange.attendant(bob).phone.calls().count(), 0);
}

/// The server forgets all bindings; before two minutes are over everybody is back.
#[test]
fn after_a_restart_of_the_server_phones_are_found_again() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = two(transport);
        exchange.restart_server(9);
        exchange.live(121_000);
        assert_a_call_works(&mut exchange, alice, bob);
        exchange.sign_off(&[alice, bob]);
    }
}

/// A call that is up passes over a restart: the server keeps nothing of it but what the messages carry.
#[test]
fn a_call_that_is_up_is_ended_through_a_server_that_has_restarted() {
    for transport in TRANSPORTS {
        for bob_ends in [true, false] {
            let (mut exchange, alice, bob) = two(transport);
            let ours = exchange.dial(alice, "102", Wish::default());
            exchange.live(5000);
            let theirs = exchange.attendant(bob).incoming().unwrap();
            exchange.restart_server(9);
            // Streams are opened anew by who was registered over them.
            exchange.live(10_000);
            let (id, call) = if bob_ends { (bob, theirs) } else { (alice, ours) };
            exchange.by_hand(id, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
            exchange.live(60_000);
            for (id, call) in [(alice, ours), (bob, theirs)] {
                let end = exchange.attendant(id).end_of(call);
                assert_eq!(end, Some(200), "{transport}, bob ends it: {bob_ends}");
            }
            exchange.sign_off(&[alice, bob]);
        }
    }
}

/// The server restarts at every moment of a call's setup: the call may fail, but it ends, on both sides.
#[test]
fn a_restart_in_the_middle_of_a_setup_leaves_no_call_hanging() {
    for transport in TRANSPORTS {
        for millis in (0..1500).step_by(50) {
            let (mut exchange, alice, bob) = two(transport);
            let wish = Wish {
                patience: Some(Duration::from_secs(100)),
                talk: Some(Duration::from_secs(3)),
            };
            let call = exchange.dial(alice, "102", wish);
            exchange.live(millis);
            exchange.restart_server(9);
            exchange.live(400_000);
            assert!(exchange.attendant(alice).end_of(call).is_some(), "{transport} {millis} ms");
            assert_eq!(exchange.attendant(bob).phone.calls().count(), 0, "{transport} {millis} ms");
            assert_a_call_works(&mut exchange, alice, bob);
            exchange.sign_off(&[alice, bob]);
        }
    }
}

/// The server loses its power for five minutes, with all that was under way, and comes back with an empty memory.
#[test]
fn after_a_power_cut_everybody_is_back() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = two(transport);
        let server = exchange.server;
        exchange.world.change(&Change::Down(server, Outage::Power));
        let call = exchange.dial(alice, "102", Wish::default());
        exchange.live(300_000);
        let end = exchange.attendant(alice).end_of(call);
        assert!(matches!(end, Some(408 | 503)), "{transport}: {end:?}");
        exchange.restart_server(9);
        // A stream that nobody answers is given up after a quarter of an hour, and then tried again.
        exchange.world.run_for(Duration::from_secs(30 * 60));
        assert_a_call_works(&mut exchange, alice, bob);
    }
}

/// Bob's phone restarts in the middle of a call: it knows nothing of it, and says so; Alice's ends.
#[test]
fn a_phone_that_has_restarted_says_that_it_knows_no_call() {
    for transport in TRANSPORTS {
        let (mut exchange, alice, bob) = two(transport);
        let call = exchange.dial(alice, "102", Wish::default());
        exchange.live(5000);
        exchange.restart_phone(
            bob,
            ("102", transport, Habits::POLITE),
            "198.51.100.3".parse().unwrap(),
        );
        exchange.sign_on(&[bob]);
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        exchange.live(60_000);
        assert!(exchange.attendant(alice).end_of(call).is_some());
        assert_a_call_works(&mut exchange, alice, bob);
        exchange.sign_off(&[alice, bob]);
    }
}
