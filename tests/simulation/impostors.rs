//! Impostors: whoever cannot prove to be the domain that was asked for is not talked to, and everybody learns why (RFC 5922).

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::{Exchange, address};
use phone::PhoneEvent;
use protocol::doors::Event;
use protocol::{Listener, Transport};
use server::Settings;
use server::settings::{Route, User};
use sim::{HostId, Realm, Weather};
use stage::Papers;

const HERE: &str = "192.0.2.10:5061";
const BILOXI: &str = "192.0.2.20:5061";

fn listener(number: u16, at: &str) -> Listener {
    Listener::new(number, Transport::Tls, address(at))
}

fn papers(name: &str) -> Papers {
    Papers::Of(vec![name.into()])
}

/// A town with TLS, whose server is whom its phones want.
fn town(seed: u64, weather: Weather, change: impl FnOnce(&mut Settings)) -> Exchange {
    let mut exchange = Exchange::with(seed, weather, 1, |settings| {
        settings.listeners.push(listener(2, HERE));
        change(settings);
    });
    exchange.shows(exchange.server, papers("example.test"));
    exchange
}

const SHORT: Wish = Wish { patience: None, talk: Some(Duration::from_secs(2)) };

#[test]
fn phones_on_tls_call_each_other_in_any_weather() {
    for (seed, weather) in [(1, Weather::FAIR), (2, Weather::BREEZE), (3, Weather::STORM)] {
        let mut exchange = town(seed, weather, |_| {});
        let phones = ["101", "102"].map(|user| exchange.phone_by_tls(user, Habits::POLITE));
        exchange.sign_on(&phones);
        let call = exchange.dial(phones[0], "102", SHORT);
        exchange.live(120_000);
        assert_eq!(exchange.attendant(phones[0]).end_of(call), Some(200), "{seed}");
        exchange.sign_off(&phones);
    }
}

/// Trap 31. The address is right, the papers are another's.
#[test]
fn a_phone_does_not_register_at_an_impostor() {
    let mut exchange = town(4, Weather::FAIR, |_| {});
    exchange.shows(exchange.server, papers("evil.test"));
    let phone = exchange.phone_by_tls("101", Habits::POLITE);
    exchange.by_hand(phone, |phone, now, out| phone.register(now, out));
    exchange.live(5_000);
    let told = &exchange.attendant(phone).told;
    let why = told.iter().find_map(|(_, event)| match event {
        PhoneEvent::NotRegistered { status: 503, reason } => Some(&**reason),
        _ => None,
    });
    let words = "the certificate of 192.0.2.10 is for evil.test, not for example.test";
    assert_eq!(why, Some(words));
    // When the right one is back, so is the phone, by itself.
    exchange.shows(exchange.server, papers("example.test"));
    exchange.live(600_000);
    assert!(exchange.attendant(phone).phone.is_registered());
}

/// Alice's town and Bob's, which know each other by their papers alone: the routes name no address from which anybody calls.
fn two_towns(seed: u64) -> (Exchange, [HostId; 2]) {
    let mut exchange = town(seed, Weather::BREEZE, |settings| {
        let there = format!("sip:{BILOXI};transport=tls");
        settings.routes = vec![Route::domain("biloxi.test", Some(&there))];
    });
    let inside = Listener::new(0, Transport::Udp, address("192.0.2.20:5060"));
    let mut settings = Settings::of("biloxi.test", vec![inside, listener(1, BILOXI)]);
    let bob = User::new("bob", "secret-bob");
    settings.users = vec![User { contacts: vec![format!("sip:bob@{BOB}").into()], ..bob }];
    settings.routes = vec![Route::domain("example.test", Some("sip:192.0.2.99;transport=tls"))];
    let biloxi = exchange.add_server("biloxi", settings);
    exchange.shows(biloxi, papers("biloxi.test"));
    let home = (Realm::INTERNET, BOB.parse().unwrap());
    exchange.phone_at("bob", Transport::Udp, Habits::POLITE, home);
    let alice = exchange.phone_by_tls("101", Habits::POLITE);
    exchange.sign_on(&[alice]);
    (exchange, [alice, biloxi])
}

const BOB: &str = "192.0.2.30";

/// How a call of Alice's to Bob ends.
fn call(exchange: &mut Exchange, alice: HostId) -> Option<u16> {
    let call = exchange.dial(alice, "sip:bob@biloxi.test", SHORT);
    exchange.live(60_000);
    exchange.attendant(alice).end_of(call)
}

/// Whom a server has not trusted, in words.
fn untrusted(exchange: &Exchange) -> Vec<String> {
    let events = exchange.events().into_iter();
    let words = events.filter_map(|event| match event {
        Event::Untrusted { distrust } => Some(distrust.to_string()),
        _ => None,
    });
    words.collect()
}

#[test]
fn two_towns_trust_each_other_by_their_papers() {
    let (mut exchange, [alice, _]) = two_towns(5);
    assert_eq!(call(&mut exchange, alice), Some(200));
    assert_eq!(untrusted(&exchange), [""; 0]);
    // Without papers Alice's town is nobody there, and nobody calls without a password.
    let (mut exchange, [alice, _]) = two_towns(5);
    exchange.shows(exchange.server, Papers::Any);
    assert_eq!(call(&mut exchange, alice), Some(407));
}

/// Trap 28, trap 31. The neighbour is another: the call ends with words, and nothing goes there by any other way.
#[test]
fn a_call_does_not_go_to_an_impostor() {
    let (mut exchange, [alice, biloxi]) = two_towns(6);
    exchange.shows(biloxi, papers("evil.test"));
    assert_eq!(call(&mut exchange, alice), Some(500));
    let words = "the certificate of 192.0.2.20 is for evil.test, not for biloxi.test";
    assert_eq!(untrusted(&exchange), [words]);
    let octets = |sighting: &sim::Sighting| sighting.parcel.payload().to_vec();
    let there =
        exchange.world.tap().sightings().filter(|one| one.parcel.to.ip() == address(BILOXI).ip());
    assert!(there.map(octets).all(|octets| !octets.starts_with(b"INVITE")));
}
