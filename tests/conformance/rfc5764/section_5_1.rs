//! RFC 5764 §5.1: what goes over the wire, and when.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::Srtp;
use rtp::Kind;
use sim::Weather;

/// "SRTP processing MUST NOT take place before the DTLS handshake completes": no sound of anybody before their last word of it.
/// Proves: rfc5764-5.1-1.
#[test]
fn nothing_is_said_before_the_keys_are_there() {
    let mut exchange = Exchange::new(1, Weather::BREEZE);
    let by_hand =
        Habits { ring: Some(Duration::ZERO), then: Pickup::Answer(Duration::ZERO), talk: None };
    let [alice, bob] =
        ["101", "102"].map(|user| exchange.discreet_phone(user, Srtp::Dtls, by_hand));
    exchange.sign_on(&[alice, bob]);
    exchange.world.tap_on();
    exchange.dial(alice, "102", Wish::default());
    exchange.live(5000);
    for to in [alice, bob] {
        let came = exchange.world.tap().sightings().filter(|one| one.to == Some(to));
        let kinds: Vec<_> = came.map(|one| Kind::of(one.parcel.payload())).collect();
        let last = kinds.iter().rposition(|kind| *kind == Kind::Dtls).unwrap();
        let first = kinds.iter().position(|kind| *kind == Kind::Rtp).unwrap();
        assert!(first > last, "{kinds:?}");
    }
}
