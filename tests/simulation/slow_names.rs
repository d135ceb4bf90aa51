//! Resolvers that are slow, dead, or know nothing: nobody else waits, and nobody waits for ever.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::{Exchange, address};
use offhook_tests::puppet::Puppet;
use protocol::Transport;
use server::Settings;
use server::settings::{Route, User};
use sim::{HostId, Weather};
use stage::{Names, Speed};

const BILOXI: &str = "192.0.2.20:5060";

/// Alice at one server, which looks biloxi.test up; a puppet there answers by hand.
fn towns(speed: Speed) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::with(1, Weather::BREEZE, 1, |settings| {
        settings.routes = vec![Route::domain("biloxi.test", None)];
    });
    let mut biloxi = Settings::of("biloxi.test", Puppet::listeners(address(BILOXI)));
    biloxi.challenge = Vec::new();
    biloxi.users = vec![User::new("bob", "secret-bob")];
    exchange.add_server("biloxi", biloxi);
    let names = Names::default().with("biloxi.test", &[address(BILOXI).ip()]).at(speed);
    exchange.knows(exchange.server, names);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let dora = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice, dora]);
    (exchange, alice, dora)
}

fn after(seconds: u64) -> Speed {
    Speed::After(Duration::from_secs(seconds))
}

const TALK: Wish = Wish { patience: None, talk: Some(Duration::from_secs(1)) };

/// bob is not registered in biloxi: that answer must come, however late the name.
#[test]
fn a_slow_name_makes_a_call_late_and_nothing_else() {
    for seconds in [0, 2, 8] {
        let (mut exchange, alice, dora) = towns(after(seconds));
        let began = exchange.world.now();
        let far = exchange.dial(alice, "sip:bob@biloxi.test", Wish::default());
        exchange.live(200);
        // A call between neighbours is not held up by it.
        let near = exchange.dial(alice, "102", TALK);
        exchange.live(60_000);
        assert_eq!(exchange.attendant(alice).end_of(far), Some(480), "{seconds} s");
        assert_eq!(exchange.attendant(alice).end_of(near), Some(200));
        let told = &exchange.attendant(alice).told;
        let ended = told.iter().find(
            |(_, event)| matches!(event, phone::PhoneEvent::Ended { call, .. } if *call == far),
        );
        let took = ended.unwrap().0 - began;
        assert!(took < Duration::from_secs(seconds + 1), "{took:?} for a name of {seconds} s");
        exchange.sign_off(&[alice, dora]);
    }
}

#[test]
fn a_dead_resolver_fails_the_call_and_is_not_waited_for() {
    let (mut exchange, alice, dora) = towns(Speed::Never);
    let far = exchange.dial(alice, "sip:bob@biloxi.test", Wish::default());
    exchange.live(200);
    let near = exchange.dial(alice, "102", TALK);
    exchange.live(300_000);
    let end = exchange.attendant(alice).end_of(far);
    assert!(end.is_some_and(|status| status >= 400), "{end:?}");
    assert_eq!(exchange.attendant(alice).end_of(near), Some(200));
    exchange.sign_off(&[alice, dora]);
}

#[test]
fn a_name_that_nobody_knows_fails_at_once() {
    let (mut exchange, alice, dora) = towns(after(0));
    exchange.knows(exchange.server, Names::default());
    let far = exchange.dial(alice, "sip:bob@biloxi.test", Wish::default());
    exchange.live(2000);
    let end = exchange.attendant(alice).end_of(far);
    assert!(end.is_some_and(|status| status >= 400), "{end:?}");
    exchange.sign_off(&[alice, dora]);
}

/// Alice gives up before the name is known: the call is over at once, and the late answer calls nobody.
#[test]
fn a_call_that_is_given_up_while_its_name_is_looked_up() {
    for speed in [after(10), Speed::Never] {
        let (mut exchange, alice, dora) = towns(speed);
        let patience = Some(Duration::from_secs(3));
        let far = exchange.dial(alice, "sip:bob@biloxi.test", Wish { patience, talk: None });
        exchange.live(4000);
        assert_eq!(exchange.attendant(alice).end_of(far), Some(487));
        exchange.world.tap_on();
        exchange.live(60_000);
        let to_biloxi =
            exchange.world.tap().sightings().filter(|one| one.parcel.to == address(BILOXI));
        assert_eq!(to_biloxi.count(), 0);
        exchange.sign_off(&[alice, dora]);
    }
}

/// A phone that finds its server by name.
#[test]
fn a_phone_whose_server_is_a_name_registers_late_or_says_why_not() {
    for (speed, known) in [(after(0), true), (after(10), true), (Speed::Never, false)] {
        let mut exchange = Exchange::new(1, Weather::BREEZE);
        let alice = exchange.phone_by_name("101", Habits::POLITE);
        let server = address(offhook_tests::exchange::SERVER).ip();
        exchange.knows(alice, Names::default().with("example.test", &[server]).at(speed));
        exchange.by_hand(alice, |phone, now, out| phone.register(now, out));
        exchange.live(30_000);
        let told = &exchange.attendant(alice).told;
        assert_eq!(exchange.attendant(alice).phone.is_registered(), known, "{speed:?} {told:?}");
        let why =
            told.iter().any(|(_, event)| matches!(event, phone::PhoneEvent::NotRegistered { .. }));
        assert_eq!(why, !known, "{told:?}");
        // The resolver lives again: so does the phone, when it tries again.
        exchange.knows(alice, Names::default().with("example.test", &[server]));
        exchange.world.run_for(Duration::from_secs(600));
        assert!(exchange.attendant(alice).phone.is_registered(), "{speed:?}");
        exchange.sign_off(&[alice]);
    }
}
