//! RFC 5764 §5.1: what goes over the wire, and when.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::Srtp;
use rtp::Kind;
use sim::{HostId, Sighting, Weather};

/// A call with keys from a handshake, and everything that went over its way.
fn call() -> (Exchange, [HostId; 2]) {
    let mut exchange = Exchange::new(1, Weather::BREEZE);
    let by_hand =
        Habits { ring: Some(Duration::ZERO), then: Pickup::Answer(Duration::ZERO), talk: None };
    let [alice, bob] =
        ["101", "102"].map(|user| exchange.discreet_phone(user, Srtp::Dtls, by_hand));
    exchange.sign_on(&[alice, bob]);
    exchange.world.tap_on();
    exchange.dial(alice, "102", Wish::default());
    exchange.live(5000);
    (exchange, [alice, bob])
}

/// "SRTP processing MUST NOT take place before the DTLS handshake completes": no sound of anybody before their last word of it.
/// Proves: rfc5764-5.1-1.
#[test]
fn nothing_is_said_before_the_keys_are_there() {
    let (mut exchange, both) = call();
    for to in both {
        let came = exchange.world.tap().sightings().filter(|one| one.to == Some(to));
        let kinds: Vec<_> = came.map(|one| Kind::of(one.parcel.payload())).collect();
        let last = kinds.iter().rposition(|kind| *kind == Kind::Dtls).unwrap();
        let first = kinds.iter().position(|kind| *kind == Kind::Rtp).unwrap();
        assert!(first > last, "{kinds:?}");
    }
}

/// "It is RECOMMENDED that symmetric RTP be used with DTLS-SRTP": who speaks does so from where they hear, and from where they shook hands.
/// Proves: rfc5764-3-1.
#[test]
fn who_speaks_does_so_from_where_they_hear() {
    let (mut exchange, both) = call();
    for of in both {
        let mut places = |kind: Kind, ours: fn(&Sighting) -> (Option<HostId>, SocketAddr)| {
            let all = exchange.world.tap().sightings();
            let all = all.filter(|one| Kind::of(one.parcel.payload()) == kind).map(ours);
            all.filter(|(who, _)| *who == Some(of)).map(|(_, at)| at).collect::<BTreeSet<_>>()
        };
        let (spoke, heard) = (
            |one: &Sighting| (one.from, one.parcel.from),
            |one: &Sighting| (one.to, one.parcel.to),
        );
        let speaks = places(Kind::Rtp, spoke);
        assert_eq!(speaks.len(), 1);
        assert_eq!(speaks, places(Kind::Rtp, heard));
        assert_eq!(speaks, places(Kind::Dtls, spoke));
    }
}
