//! Ways that are looked for (ICE, RFC 8445) between phones: whoever is behind a router, and in bad weather; who hears whom.

use std::any::Any;
use std::net::IpAddr;
use std::time::Duration;

use media::{Audio, Pair, Recorder, Tone, detect};
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::{Account, Call, Ice, Servers, Srtp};
use sim::{Change, HostId, NatRules, Realm, Weather};

type Ears = Pair<Tone, Recorder>;

const ALICE: f64 = 440.0;
const BOB: f64 = 1000.0;
const HEARD: f64 = -20.0;

fn voice(hz: f64) -> Box<dyn Audio> {
    Box::new(Ears { mouth: Tone::sine(hz), ear: Recorder::default() })
}

const BY_HAND: Habits = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };

/// With ICE, and the keys of a handshake.
fn as_pages(account: Account) -> Account {
    account.ice(Ice::On(Servers::default())).srtp(Srtp::Dtls)
}

/// 101 somewhere, 102 on the Internet.
fn office(exchange: &mut Exchange, home: (Realm, IpAddr)) -> (HostId, HostId) {
    let alice = exchange.phone_with("101", (BY_HAND, home), as_pages);
    let out = (Realm::INTERNET, exchange.address());
    let bob = exchange.phone_with("102", (BY_HAND, out), as_pages);
    exchange.sign_on(&[alice, bob]);
    (alice, bob)
}

/// A calls B, who picks up; both calls.
fn call(exchange: &mut Exchange, (a, b): (HostId, HostId), target: &str) -> (Call, Call) {
    let ours = exchange.at_phone(a, |attendant, now, out| {
        attendant.dial(now, target, (Wish::default(), voice(ALICE)), out)
    });
    exchange.live(2500);
    // Where much is lost, an INVITE and its challenge are repeated (RFC 3261 §17.1.1.2).
    let late = (0..20).find(|_| {
        let there = exchange.attendant(b).incoming().is_some();
        if !there {
            exchange.live(500);
        }
        there
    });
    assert!(late.is_some(), "the call arrives");
    let theirs = exchange.attendant(b).incoming().expect("the call arrives");
    exchange.by_hand(b, |phone, now, out| phone.answer(now, theirs, voice(BOB), out)).unwrap();
    exchange.live(4000);
    (ours, theirs)
}

fn ear(exchange: &mut Exchange, id: HostId, call: Call) -> Vec<i16> {
    exchange.by_hand(id, |phone, _, _| {
        let audio: &mut dyn Any = phone.audio(call).unwrap();
        audio.downcast_mut::<Ears>().unwrap().ear.take()
    })
}

/// Both hear each other for some seconds.
fn assert_heard(exchange: &mut Exchange, a: (HostId, Call), b: (HostId, Call)) {
    ear(exchange, a.0, a.1);
    ear(exchange, b.0, b.1);
    exchange.live(3000);
    let (at_a, at_b) = (ear(exchange, a.0, a.1), ear(exchange, b.0, b.1));
    let (bob, alice) = (detect::level_of(&at_a, BOB), detect::level_of(&at_b, ALICE));
    assert!(bob > HEARD && alice > HEARD, "{bob} {alice}");
}

#[test]
fn two_on_the_internet_find_each_other_and_hold_and_resume_there() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let out = (Realm::INTERNET, exchange.address());
    let (alice, bob) = office(&mut exchange, out);
    let (ours, theirs) = call(&mut exchange, (alice, bob), "102");
    assert_heard(&mut exchange, (alice, ours), (bob, theirs));
    exchange.by_hand(bob, |phone, now, out| phone.hold(now, theirs, out)).unwrap();
    exchange.live(1000);
    exchange.by_hand(bob, |phone, now, out| phone.resume(now, theirs, out)).unwrap();
    exchange.live(1000);
    assert_heard(&mut exchange, (alice, ours), (bob, theirs));
    let suite = exchange.by_hand(alice, |phone, _, _| phone.quality(ours).unwrap().srtp);
    assert_eq!(suite, Some("AEAD_AES_256_GCM"));
}

/// RFC 8445 §7.3.1.3: whoever is behind a router is seen by their first check.
#[test]
fn who_is_behind_any_router_is_found_in_calls_of_either_side() {
    for rules in [NatRules::FULL_CONE, NatRules::PORT_RESTRICTED, NatRules::SYMMETRIC] {
        let mut exchange = Exchange::new(2, Weather::BREEZE);
        let inside = exchange.nat(rules);
        let (alice, bob) = office(&mut exchange, (inside, "192.168.1.20".parse().unwrap()));
        let (ours, theirs) = call(&mut exchange, (alice, bob), "102");
        assert_heard(&mut exchange, (alice, ours), (bob, theirs));
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, ours, out)).unwrap();
        exchange.live(2000);
        let (theirs, ours) = call(&mut exchange, (bob, alice), "101");
        // The one who calls plays Alice's tone.
        assert_heard(&mut exchange, (bob, theirs), (alice, ours));
    }
}

#[test]
fn bad_weather_delays_the_search_and_does_not_end_it() {
    for seed in 0..3 {
        let mut exchange = Exchange::new(seed, Weather::FAIR);
        let out = (Realm::INTERNET, exchange.address());
        let (alice, bob) = office(&mut exchange, out);
        let rough =
            Weather { loss: 15, twice: 5, jitter: Duration::from_millis(40), ..Weather::BREEZE };
        exchange.world.change(&Change::Weather(rough));
        let (ours, theirs) = call(&mut exchange, (alice, bob), "102");
        exchange.live(4000);
        exchange.world.change(&Change::Weather(Weather::FAIR));
        exchange.live(1000);
        assert_heard(&mut exchange, (alice, ours), (bob, theirs));
    }
}

/// Whoever looks for no way is talked with as ever.
#[test]
fn a_phone_without_it_is_heard_too() {
    let mut exchange = Exchange::new(4, Weather::FAIR);
    let home = (Realm::INTERNET, exchange.address());
    let alice = exchange.phone_with("101", (BY_HAND, home), as_pages);
    let home = (Realm::INTERNET, exchange.address());
    let plain = |account: Account| account.ice(Ice::Off);
    let bob = exchange.phone_with("102", (BY_HAND, home), plain);
    exchange.sign_on(&[alice, bob]);
    let (ours, theirs) = call(&mut exchange, (alice, bob), "102");
    assert_heard(&mut exchange, (alice, ours), (bob, theirs));
}
