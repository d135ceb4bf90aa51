//! Partitions, outages, restarts.

use std::time::Duration;

use super::*;
use crate::{Change, Fate, Outage};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_partition_stops_everything_and_heals_on_time() {
    let (mut world, alice, bob) = pair(5, Weather::FAIR);
    let start = world.now();
    world.at(start + SECOND, Change::Part(vec![alice], vec![bob]));
    world.at(start + SECOND * 3, Change::HealAll);
    for second in 0..4 {
        world.run_until(start + SECOND * second + SECOND / 2);
        send(&mut world, alice, ANY, "192.0.2.2:5060", &format!("{second}"));
    }
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().datagrams(), [b"0", b"3"]);
    assert_eq!(world.tap().count(Fate::Parted), 2);
}

#[test]
fn a_mute_link_still_listens() {
    let (mut world, alice, bob) = pair(5, Weather::FAIR);
    world.change(&Change::Mute(alice, bob));
    send(&mut world, alice, ANY, "192.0.2.2:5060", "lost");
    send(&mut world, bob, ANY, "192.0.2.1:5060", "heard");
    world.run_for(MINUTE);
    assert!(world.host(bob).unwrap().heard.is_empty());
    assert_eq!(world.host(alice).unwrap().heard.len(), 1);
    world.change(&Change::Heal(vec![bob], vec![alice]));
    send(&mut world, alice, ANY, "192.0.2.2:5060", "found");
    world.run_for(MINUTE);
    assert_eq!(world.host(bob).unwrap().datagrams(), [b"found"]);
}

#[test]
fn a_host_without_power_is_silent_and_one_without_program_refuses() {
    for (how, fate, news) in [(Outage::Power, Fate::Down, 0), (Outage::Program, Fate::Closed, 1)] {
        let (mut world, alice, bob) = pair(5, Weather::FAIR);
        world.change(&Change::Down(bob, how));
        send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:5060", "there?");
        world.run_for(MINUTE);
        assert_eq!(world.tap().count(fate), 1, "{how:?}");
        assert_eq!(world.host(alice).unwrap().heard.len(), news, "{how:?}");
        world.change(&Change::Up(bob));
        send(&mut world, alice, "192.0.2.1:5060", "192.0.2.2:5060", "back?");
        world.run_for(MINUTE);
        assert_eq!(world.host(bob).unwrap().datagrams(), [b"back?"], "{how:?}");
    }
}

#[test]
fn a_host_that_is_down_misses_its_alarms_and_hears_them_when_it_is_back() {
    let (mut world, alice, bob) = pair(5, Weather::FAIR);
    let start = world.now();
    let ping = Parcel::datagram(at(ANY), at("192.0.2.2:5060"), "late");
    world.host_mut(alice).unwrap().plan = vec![(start + SECOND, ping)];
    world.change(&Change::Down(alice, Outage::Power));
    world.at(start + SECOND * 10, Change::Up(alice));
    world.run_for(MINUTE);
    let (at, _) = &world.host(bob).unwrap().heard[0];
    assert_eq!(*at - start, Duration::from_millis(10_001));
}

#[test]
fn a_restart_forgets_the_host_and_resets_its_streams() {
    let (mut world, alice, bob) = pair(5, Weather::FAIR);
    say(&mut world, alice, 1, Segment::Open);
    world.run_for(SECOND);
    let old = world.replace(bob, Probe::default(), Outage::Program).unwrap();
    assert_eq!(old.segments(), [Segment::Open]);
    world.run_for(SECOND);
    assert_eq!(world.host(alice).unwrap().segments(), [Segment::Opened, Segment::Reset]);
    assert_eq!((world.streams_of(alice), world.streams_of(bob)), (0, 0));
}
