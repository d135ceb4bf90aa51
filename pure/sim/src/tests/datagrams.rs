//! Datagrams under weather.

use std::time::Duration;

use super::*;
use crate::{Change, Ended, Fate, Mtu, Rate};

fn flood(seed: u64, weather: Weather) -> World<Probe> {
    let (mut world, alice, bob) = pair(seed, weather);
    world.host_mut(bob).unwrap().echoes = 2000;
    for n in 0..2000 {
        send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:5060", &format!("number {n}"));
        world.run_for(Duration::from_millis(5));
    }
    world.run_for(MINUTE);
    world
}

#[test]
fn a_fair_day_delivers_everything_in_order_and_on_time() {
    let (mut world, alice, bob) = pair(1, Weather::FAIR);
    let start = world.now();
    for text in ["a", "b", "c"] {
        send(&mut world, alice, ANY, "192.0.2.2:5060", text);
    }
    assert_eq!(world.run_until_quiet(start + MINUTE), Ended::Quiet);
    let bob = world.host(bob).unwrap();
    assert_eq!(bob.datagrams(), [b"a", b"b", b"c"]);
    assert_eq!(bob.heard[0].0, start + Duration::from_millis(1));
    assert_eq!(bob.heard[0].1.from, at("192.0.2.1:49152"), "the kernel picks address and port");
}

#[test]
fn a_storm_loses_doubles_and_reorders_as_announced() {
    let mut world = flood(7, Weather::STORM);
    let (lost, doubled) = (world.tap().count(Fate::Lost), world.tap().count(Fate::Doubled));
    let arrived = world.tap().count(Fate::Delivered) + doubled;
    let percent = 100 * lost / (lost + arrived);
    assert!((27..=33).contains(&percent), "{percent} % lost");
    let percent = 100 * doubled / arrived;
    assert!((2..=6).contains(&percent), "{percent} % twice");
    let sent: Vec<Time> = world.tap().sightings().map(|one| one.sent).collect();
    assert!(sent.windows(2).any(|two| two[0] > two[1]), "some overtake others");
    let late = Duration::from_millis(100);
    assert!(world.tap().sightings().all(|one| one.at - one.sent <= late));
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let lives: Vec<u64> = [7, 7, 8].map(|seed| flood(seed, Weather::STORM).trace()).to_vec();
    assert_eq!(lives[0], lives[1]);
    assert_ne!(lives[0], lives[2]);
}

#[test]
fn the_trace_minds_every_octet() {
    let trace = |text| {
        let (mut world, alice, _) = pair(7, Weather::FAIR);
        send(&mut world, alice, ANY, "192.0.2.2:5060", text);
        world.run_for(MINUTE);
        world.trace()
    };
    assert_eq!(trace("abc"), trace("abc"));
    assert_ne!(trace("abc"), trace("abd"));
}

#[test]
fn corruption_turns_one_bit() {
    let (mut world, alice, bob) = pair(3, Weather { corrupt: 100, ..Weather::FAIR });
    send(&mut world, alice, ANY, "192.0.2.2:5060", "\0\0\0\0");
    world.run_for(MINUTE);
    let bits: u32 =
        world.host(bob).unwrap().datagrams()[0].iter().map(|octet| octet.count_ones()).sum();
    assert_eq!(bits, 1);
    assert_eq!(world.tap().count(Fate::Corrupted), 1);
}

#[test]
fn weather_may_differ_by_direction() {
    let (mut world, alice, bob) = pair(3, Weather::FAIR);
    world.change(&Change::WeatherFrom(alice, bob, Weather { loss: 100, ..Weather::FAIR }));
    send(&mut world, alice, ANY, "192.0.2.2:5060", "out");
    send(&mut world, bob, ANY, "192.0.2.1:5060", "back");
    world.run_for(MINUTE);
    assert!(world.host(bob).unwrap().heard.is_empty());
    assert_eq!(world.host(alice).unwrap().datagrams(), [b"back"]);
}

#[test]
fn a_slow_link_queues_and_then_drops() {
    let rate = Rate::Limited { octets_per_second: 1000, queue: 2000 };
    let (mut world, alice, bob) = pair(3, Weather { rate, ..Weather::FAIR });
    let start = world.now();
    for _ in 0..5 {
        send(&mut world, alice, ANY, "192.0.2.2:5060", &"x".repeat(1000));
    }
    world.run_for(MINUTE);
    let arrivals: Vec<u128> =
        world.host(bob).unwrap().heard.iter().map(|(at, _)| (*at - start).as_millis()).collect();
    assert_eq!(arrivals, [1001, 2001, 3001]);
    assert_eq!(world.tap().count(Fate::Overflowed), 2);
}

#[test]
fn too_long_for_the_path() {
    for (mtu, news) in [(Mtu::Drops(1500), 0), (Mtu::Refuses(1500), 1), (Mtu::Fragments, 0)] {
        let (mut world, alice, bob) = pair(3, Weather { mtu, ..Weather::FAIR });
        send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:5060", &"x".repeat(1472));
        send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:5060", &"x".repeat(1473));
        world.run_for(MINUTE);
        let arrived = if mtu == Mtu::Fragments { 2 } else { 1 };
        assert_eq!(world.host(bob).unwrap().heard.len(), arrived, "{mtu:?}");
        assert_eq!(world.host(alice).unwrap().heard.len(), news, "{mtu:?}");
    }
}

#[test]
fn a_closed_port_says_so() {
    let (mut world, alice, bob) = pair(3, Weather::FAIR);
    world.host_mut(bob).unwrap().closed = Some(Transport::Udp);
    send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:9", "anyone?");
    world.run_for(MINUTE);
    let (_, news) = &world.host(alice).unwrap().heard[0];
    assert!(is_port_unreachable(news));
    assert_eq!((news.from, news.to), (at("192.0.2.2:9"), at("192.0.2.1:5060")));
    assert_eq!(news.payload(), b"anyone?");
}

#[test]
fn nobody_sends_from_a_foreign_address_but_a_forger() {
    let (mut world, alice, bob) = pair(3, Weather::FAIR);
    send(&mut world, alice, "192.0.2.9:5060", "192.0.2.2:5060", "forged");
    assert_eq!(world.tap().count(Fate::Foreign), 1);
    let forged = Parcel::datagram(at("192.0.2.9:5060"), at("192.0.2.2:5060"), "forged");
    world.inject(Realm::INTERNET, forged);
    send(&mut world, alice, ANY, "192.0.2.99:5060", "nobody");
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().last_from(), Some(at("192.0.2.9:5060")));
    assert_eq!(world.tap().count(Fate::NoRoute), 1);
}

#[test]
fn both_families_travel() {
    let (mut world, alice, _) = pair(3, Weather::FAIR);
    let homes = [(Realm::INTERNET, ip("2001:db8::3")), (Realm::INTERNET, ip("192.0.2.3"))];
    let carol = world.add("carol", Probe { echoes: 9, ..Probe::default() }, &homes);
    let dave = world.add("dave", Probe::default(), &[(Realm::INTERNET, ip("2001:db8::4"))]);
    send(&mut world, dave, "[::]:5060", "[2001:db8::3]:5060", "six");
    send(&mut world, alice, ANY, "192.0.2.3:5060", "four");
    world.run_for(MINUTE);
    assert_eq!(world.host(carol).unwrap().heard.len(), 2);
    assert_eq!(world.host(dave).unwrap().last_from(), Some(at("[2001:db8::3]:5060")));
    assert_eq!(world.host(alice).unwrap().last_from(), Some(at("192.0.2.3:5060")));
}

#[test]
fn alarms_ring_on_time_and_a_restless_host_does_not_stop_time() {
    let (mut world, alice, bob) = pair(3, Weather::FAIR);
    let (start, second) = (world.now(), Duration::from_secs(1));
    let ping = |n| Parcel::datagram(at(ANY), at("192.0.2.2:5060"), format!("{n}"));
    world.host_mut(alice).unwrap().plan =
        vec![(start + second * 2, ping(2)), (start + second, ping(1))];
    assert_eq!(world.run_until_quiet(start + MINUTE), Ended::Quiet);
    let heard: Vec<_> = world.host(bob).unwrap().heard.iter().map(|(at, _)| *at - start).collect();
    assert_eq!(heard, [Duration::from_millis(1001), Duration::from_millis(2001)]);
    assert_eq!(world.spins(), 0);
    world.host_mut(bob).unwrap().restless = 100;
    assert_eq!(world.run_until_quiet(world.now() + MINUTE), Ended::Quiet);
    assert_eq!(world.spins(), 99);
}
