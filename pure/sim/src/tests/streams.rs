//! Streams: ordered and whole under any weather, and ended in every way that streams end.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::{Change, Cut, Outage, Rate};

const SECOND: Duration = Duration::from_secs(1);

fn data(text: &str) -> Segment {
    Segment::Data(Bytes::from(text.to_owned()))
}

/// Alice has opened stream 1 to Bob.
fn opened(seed: u64, weather: Weather) -> (World<Probe>, HostId, HostId) {
    let (mut world, alice, bob) = pair(seed, weather);
    say(&mut world, alice, 1, Segment::Open);
    world.run_for(MINUTE);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened]);
    assert_eq!(world.host(bob).unwrap().segments(), [Segment::Open]);
    (world, alice, bob)
}

/// The number by which a host knows the stream that was opened to it.
fn accepted(world: &World<Probe>, id: HostId) -> u64 {
    world.host(id).unwrap().heard[0].1.as_stream().unwrap().0.0
}

#[test]
fn octets_arrive_whole_and_in_order_under_any_weather() {
    for seed in 0..20 {
        let (mut world, alice, bob) = opened(seed, Weather::STORM);
        let mut sent = String::new();
        for n in 0..50 {
            let text = format!("message {n}\r\n\r\n");
            sent.push_str(&text);
            say(&mut world, alice, 1, data(&text));
        }
        world.run_for(MINUTE * 10);
        assert_eq!(world.host(bob).unwrap().octets(), sent.as_bytes(), "seed {seed}");
    }
}

#[test]
fn every_place_is_cut_by_some_seed_and_writes_are_joined_by_some() {
    let text = "0123456789";
    let (mut cuts, mut joined) = (std::collections::BTreeSet::new(), false);
    for seed in 0..100 {
        let (mut world, alice, bob) = opened(seed, Weather { cut: Cut::Any, ..Weather::FAIR });
        say(&mut world, alice, 1, data(text));
        say(&mut world, alice, 1, data("next"));
        world.run_for(MINUTE);
        let mut length = 0;
        for (_, parcel) in &world.host(bob).unwrap().heard {
            let start = length;
            length += parcel.payload().len();
            cuts.insert(length);
            joined |= start < text.len() && length > text.len();
        }
    }
    assert!((1..text.len()).all(|place| cuts.contains(&place)), "{cuts:?}");
    assert!(joined);
}

#[test]
fn octet_by_octet() {
    let (mut world, alice, bob) = opened(1, Weather { cut: Cut::Octets, ..Weather::FAIR });
    say(&mut world, alice, 1, data("abc"));
    world.run_for(MINUTE);
    let heard = &world.host(bob).unwrap().heard;
    let pieces: Vec<&[u8]> = heard.iter().skip(1).map(|(_, parcel)| parcel.payload()).collect();
    assert_eq!(pieces, [b"a", b"b", b"c"]);
    let written: Vec<Vec<u8>> = world
        .tap()
        .sightings()
        .map(|one| one.parcel.payload().to_vec())
        .filter(|payload| !payload.is_empty())
        .collect();
    assert_eq!(written, [b"abc"], "the tap shows what was written");
}

#[test]
fn a_slow_link_delays_and_drops_nothing() {
    let rate = Rate::Limited { octets_per_second: 1000, queue: 2000 };
    let (mut world, alice, bob) = opened(1, Weather { rate, ..Weather::FAIR });
    let start = world.now();
    for _ in 0..10 {
        say(&mut world, alice, 1, data(&"x".repeat(1000)));
    }
    world.run_for(MINUTE);
    let (last, _) = world.host(bob).unwrap().heard.last().unwrap();
    assert_eq!((*last - start).as_millis(), 10_001);
    assert_eq!(world.host(bob).unwrap().octets().len(), 10_000);
}

#[test]
fn each_direction_closes_for_itself() {
    let (mut world, alice, bob) = opened(1, Weather::FAIR);
    let number = accepted(&world, bob);
    say(&mut world, alice, 1, Segment::Close);
    say(&mut world, alice, 1, data("too late"));
    world.run_for(SECOND);
    say(&mut world, bob, number, data("still here"));
    say(&mut world, bob, number, Segment::Close);
    world.run_for(SECOND);
    assert_eq!(world.host(bob).unwrap().segments(), [Segment::Open, Segment::Close]);
    assert!(world.host(bob).unwrap().octets().is_empty());
    assert_eq!(world.host(alice).unwrap().octets(), b"still here");
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened, Segment::Close]);
    assert_eq!((world.streams_of(alice), world.streams_of(bob)), (0, 0));
    assert_eq!(world.streams(), 0, "nothing is left");
}

#[test]
fn a_closed_door_refuses() {
    let (mut world, alice, bob) = pair(1, Weather::FAIR);
    world.host_mut(bob).unwrap().closed = Some(Transport::Tcp);
    say(&mut world, alice, 1, Segment::Open);
    say(&mut world, alice, 1, data("unheard"));
    world.run_for(SECOND);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Refused]);
    assert!(world.host(bob).unwrap().heard.is_empty());
    assert_eq!(world.streams(), 0);
}

#[test]
fn nobody_answers_and_the_caller_loses_patience() {
    let (mut world, alice, bob) = pair(1, Weather::FAIR);
    world.change(&Change::Down(bob, Outage::Power));
    let start = world.now();
    say(&mut world, alice, 1, Segment::Open);
    world.run_for(MINUTE * 5);
    let (at, _) = world.host(alice).unwrap().heard[0];
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::TimedOut]);
    assert_eq!((at - start).as_secs(), crate::limits::CONNECT_PATIENCE.as_secs());
    assert_eq!(world.streams(), 0);
}

#[test]
fn a_stream_survives_a_partition_that_heals() {
    let (mut world, alice, bob) = opened(1, Weather::BREEZE);
    world.change(&Change::Part(vec![alice], vec![bob]));
    say(&mut world, alice, 1, data("held "));
    say(&mut world, alice, 1, data("back"));
    world.run_for(MINUTE);
    assert!(world.host(bob).unwrap().octets().is_empty());
    world.change(&Change::HealAll);
    world.run_for(MINUTE * 2);
    assert_eq!(world.host(bob).unwrap().octets(), b"held back");
}

#[test]
fn a_long_partition_leaves_a_half_open_stream_that_a_word_ends() {
    let (mut world, alice, bob) = opened(1, Weather::FAIR);
    let number = accepted(&world, bob);
    world.change(&Change::Part(vec![alice], vec![bob]));
    say(&mut world, alice, 1, data("lost"));
    world.run_for(MINUTE * 20);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened, Segment::TimedOut]);
    assert_eq!((world.streams_of(alice), world.streams_of(bob)), (0, 1), "half-open");
    world.change(&Change::HealAll);
    say(&mut world, bob, number, data("hello?"));
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().segments(), [Segment::Open, Segment::Reset]);
    assert_eq!(world.streams_of(bob), 0);
}

#[test]
fn a_reset_is_heard_once() {
    let (mut world, alice, bob) = opened(1, Weather::FAIR);
    say(&mut world, alice, 1, Segment::Reset);
    world.run_for(SECOND);
    assert_eq!(world.host(bob).unwrap().segments(), [Segment::Open, Segment::Reset]);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened]);
    assert_eq!(world.streams(), 0);
}

#[test]
fn a_number_is_used_once() {
    let (mut world, alice, _) = opened(1, Weather::FAIR);
    say(&mut world, alice, 1, Segment::Open);
    world.run_for(SECOND);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened, Segment::Refused]);
    assert_eq!(world.streams_of(alice), 1, "the first lives on");
}
