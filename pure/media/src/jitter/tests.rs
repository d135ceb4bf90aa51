//! The jitter buffer in all weathers, on a virtual clock.

use std::time::Duration;

use machine::{Dice, Time};

use super::*;
use crate::clock::{FRAME, FRAME_TIME};
use crate::codec::Codec;
use crate::conceal::Concealer;
use crate::g711::Law;
use crate::{Opus, Tone, detect, limits};

/// A sender of a tone, a network, a buffer, and what was heard.
struct Road {
    buffer: JitterBuffer,
    concealer: Concealer,
    heard: Vec<i16>,
    played: Vec<Played>,
    pushed: Vec<Pushed>,
}

/// A packet on its way: arrival, timestamp, sound.
type Parcel = (Time, i64, Coded);

/// Sound in a packet: every other sample, as the test's tones are low enough for that.
fn coded(samples: &[i16]) -> Coded {
    let payload = Law::A.encode(&samples.iter().step_by(2).copied().collect::<Vec<_>>());
    Coded { codec: Codec::Pcma, payload, samples: samples.len() }
}

const HOUR: Time = Time(3_600_000_000_000);

fn at(millis: u64) -> Time {
    HOUR + Duration::from_millis(millis)
}

/// Packets of a tone, sent every 20 ms from `first` on, each delayed by what `delay` says in ms; `None` loses it.
fn tone(first: i64, count: u64, mut delay: impl FnMut(u64) -> Option<u64>) -> Vec<Parcel> {
    let mut tone = Tone::sine(400.0);
    let packet = |n: u64| {
        let samples = tone.take(FRAME_TIME);
        Some((at(n * 20 + delay(n)?), first + (n as usize * FRAME) as i64, coded(&samples)))
    };
    (0..count).filter_map(packet).collect()
}

impl Road {
    /// Runs the parcels through a buffer whose ticks come 7 ms after the packets of a steady network.
    fn travel(mut parcels: Vec<Parcel>, frames: u64) -> Self {
        let (buffer, concealer) = (JitterBuffer::default(), Concealer::default());
        let mut road = Self { buffer, concealer, heard: vec![], played: vec![], pushed: vec![] };
        parcels.sort_by_key(|parcel| parcel.0);
        let mut parcels = parcels.into_iter().peekable();
        for n in 0..frames {
            let tick = at(n * 20 + 7);
            while let Some((now, timestamp, samples)) = parcels.next_if(|parcel| parcel.0 <= tick) {
                road.pushed.push(road.buffer.push(now, timestamp, samples));
            }
            let mut frame = [0; FRAME];
            road.played.push(road.buffer.pull(tick, &mut frame, &mut road.concealer));
            road.heard.extend(frame);
        }
        road
    }

    fn count(&self, what: Played) -> usize {
        self.played.iter().filter(|played| **played == what).count()
    }

    fn seconds_of_tone(&self) -> f64 {
        detect::tone(&self.heard, 400.0).lasted.as_secs_f64()
    }
}

#[test]
fn a_steady_network_loses_nothing() {
    let road = Road::travel(tone(0, 510, |_| Some(30)), 500);
    assert_eq!(road.count(Played::Concealed), 0);
    assert!(road.count(Played::Silence) <= 5, "{}", road.count(Played::Silence));
    assert!(road.pushed.iter().all(|pushed| *pushed == Pushed::Kept));
    assert!(detect::tone(&road.heard, 400.0).longest > Duration::from_millis(9_800));
}

#[test]
fn what_comes_in_any_order_is_played_in_order() {
    let road = Road::travel(tone(0, 510, |n| Some(30 + n % 2 * 30)), 500);
    assert_eq!(road.count(Played::Concealed), 0);
    assert!(road.seconds_of_tone() > 9.7);
}

#[test]
fn jitter_is_learned_and_then_nothing_is_late() {
    let mut dice = Dice::new(3);
    let road = Road::travel(tone(0, 3000, |_| Some(20 + dice.below(100))), 3000);
    let late = |from: usize, to: usize| {
        road.pushed[from..to].iter().filter(|pushed| **pushed == Pushed::Late).count()
    };
    assert!(late(500, 2900) <= 30, "{}", late(500, 2900));
    assert!(road.seconds_of_tone() > 58.0, "{}", road.seconds_of_tone());
    let delay = road.buffer.delay();
    assert!((1800..=2000).contains(&delay), "{delay}");
}

#[test]
fn the_delay_shrinks_again_when_the_network_calms_down() {
    let road =
        Road::travel(tone(0, 2000, |n| Some(if n < 500 { 20 + n % 7 * 20 } else { 20 })), 2000);
    assert_eq!(road.buffer.delay(), 400);
    // Its packets wait no longer than they must: what is played lies 20 to 40 ms behind the quickest packet.
    let ahead = road.buffer.ahead_of(at(1999 * 20 + 7));
    assert!(ahead.abs() <= 240, "{ahead}");
    assert!(road.seconds_of_tone() > 38.0, "{}", road.seconds_of_tone());
}

#[test]
fn loss_is_concealed_frame_by_frame() {
    let road = Road::travel(tone(0, 510, |n| (n % 10 != 5).then_some(30)), 500);
    // A lost packet may lie in two frames.
    let concealed = road.count(Played::Concealed);
    assert!((50..=100).contains(&concealed), "{concealed}");
    assert!(road.seconds_of_tone() > 9.7, "{}", road.seconds_of_tone());
}

#[test]
fn thirty_percent_loss_keeps_most_of_the_tone() {
    let mut dice = Dice::new(4);
    let road = Road::travel(tone(0, 1000, |_| (!dice.chance(30)).then_some(30)), 1000);
    assert!(road.seconds_of_tone() > 17.0, "{}", road.seconds_of_tone());
}

#[test]
fn duplicates_change_nothing() {
    let once = tone(0, 300, |_| Some(30));
    let twice = once.iter().flat_map(|parcel| [parcel.clone(), parcel.clone()]).collect();
    assert_eq!(Road::travel(once, 300).heard, Road::travel(twice, 300).heard);
}

#[test]
fn a_pause_of_the_sender_is_silence_and_not_a_loss_without_end() {
    let parcels = tone(0, 500, |n| (!(100..300).contains(&n)).then_some(30));
    let road = Road::travel(parcels, 500);
    assert!(road.count(Played::Concealed) <= 4, "{}", road.count(Played::Concealed));
    assert!(road.seconds_of_tone() > 5.8);
}

#[test]
fn a_sender_whose_clock_stood_still_is_followed() {
    for pause in [1, 10] {
        // Timestamps go on as if there had been no pause.
        let mut parcels = tone(0, 100, |_| Some(30));
        let later = tone(32_000, 200, |_| Some(30)).into_iter();
        parcels.extend(later.map(|(time, timestamp, samples)| {
            (time + Duration::from_secs(2 + pause), timestamp, samples)
        }));
        let road = Road::travel(parcels, 400 + pause * 50);
        assert!(road.seconds_of_tone() > 5.7, "{pause} {}", road.seconds_of_tone());
    }
}

#[test]
fn one_packet_with_a_wild_timestamp_is_dropped_and_two_are_a_new_clock() {
    let mut parcels = tone(0, 200, |_| Some(30));
    parcels[100].1 = 3_000_000_000;
    let road = Road::travel(parcels, 200);
    assert_eq!(road.pushed.iter().filter(|pushed| **pushed == Pushed::Stray).count(), 1);
    assert!(road.seconds_of_tone() > 3.85, "{}", road.seconds_of_tone());

    let mut parcels = tone(0, 200, |_| Some(30));
    parcels[100..].iter_mut().for_each(|parcel| parcel.1 += 3_000_000_000);
    let road = Road::travel(parcels, 200);
    assert_eq!(road.pushed.iter().filter(|pushed| **pushed == Pushed::Stray).count(), 1);
    assert!(road.seconds_of_tone() > 3.8, "{}", road.seconds_of_tone());
}

#[test]
fn clocks_may_differ_by_more_than_any_crystal() {
    // 500 ppm for ten minutes are 300 ms; too fast or too slow, nothing is lost and the delay stays.
    for drift in [-500i64, 500] {
        let mut parcels = tone(0, 30_100, |_| Some(30));
        for parcel in &mut parcels {
            let passed = (parcel.0 - HOUR).as_nanos() as i64;
            parcel.0 = Time(parcel.0.0.checked_add_signed(passed * drift / 1_000_000).unwrap());
        }
        let road = Road::travel(parcels, 30_000);
        assert!(road.count(Played::Concealed) <= 3, "{drift} {}", road.count(Played::Concealed));
        assert!(road.seconds_of_tone() > 597.0, "{drift} {}", road.seconds_of_tone());
        let ahead = road.buffer.ahead_of(at(29_999 * 20 + 7));
        assert!(ahead.abs() <= 400, "{drift} {ahead}");
    }
}

#[test]
fn packets_of_other_lengths_are_played_too() {
    for (millis, samples) in [(10u64, 160_i64), (30, 480), (60, 960), (200, 3200)] {
        let mut tone = Tone::sine(400.0);
        let packet = |n: u64| {
            let sound = tone.take(Duration::from_millis(millis));
            (at(n * millis + 30), n as i64 * samples, coded(&sound))
        };
        let road = Road::travel((0..10_000 / millis).map(packet).collect(), 500);
        assert!(road.seconds_of_tone() > 9.3, "{millis} {}", road.seconds_of_tone());
    }
}

#[test]
fn a_flood_fills_no_memory() {
    let mut buffer = JitterBuffer::default();
    let mut full = 0;
    for n in 0..10_000 {
        let longest = coded(&[0; limits::PACKET_SAMPLES]);
        full += usize::from(buffer.push(HOUR, n, longest) == Pushed::Full);
    }
    assert_eq!(full, 10_000 - limits::WAITING);
}

#[test]
fn packets_that_are_late_now_and_then_start_no_new_clock() {
    let road = Road::travel(tone(0, 3_010, |n| Some(if n % 150 == 149 { 230 } else { 30 })), 3_000);
    assert_eq!(road.pushed.iter().filter(|pushed| **pushed == Pushed::Late).count(), 19);
    assert_eq!(road.buffer.delay(), 400);
}

#[test]
fn strays_that_do_not_follow_each_other_start_no_new_clock() {
    let mut parcels = tone(0, 200, |_| Some(30));
    parcels[100].1 = 3_000_000_000;
    parcels[110].1 = 3_000_003_200;
    let road = Road::travel(parcels, 200);
    let strays: Vec<usize> = (0..198).filter(|n| road.pushed[*n] == Pushed::Stray).collect();
    assert_eq!(strays, [100, 110]);
    assert!(road.seconds_of_tone() > 3.8, "{}", road.seconds_of_tone());
}

#[test]
fn a_longer_way_is_followed_after_a_few_packets() {
    // The quickest packets of the last five seconds do not know yet: three late ones in a row say it.
    let road = Road::travel(tone(0, 510, |n| Some(if n < 250 { 30 } else { 130 })), 500);
    let late = road.pushed.iter().filter(|pushed| **pushed == Pushed::Late).count();
    assert!((1..=6).contains(&late), "{late}");
    assert!(road.seconds_of_tone() > 9.6, "{}", road.seconds_of_tone());
}

#[test]
fn a_slightly_longer_way_is_waited_for() {
    let road = Road::travel(tone(0, 1_010, |n| Some(if n < 250 { 30 } else { 50 })), 1_000);
    assert!(road.count(Played::Concealed) <= 20, "{}", road.count(Played::Concealed));
    assert!(road.seconds_of_tone() > 19.6, "{}", road.seconds_of_tone());
}

#[test]
fn where_the_source_says_that_nothing_is_sent_nothing_is_concealed() {
    let mut road = Road::travel(tone(0, 10, |_| Some(30)), 12);
    let before = road.buffer.waiting();
    road.buffer.hush(3200, FRAME);
    road.buffer.hush(3520, FRAME);
    road.buffer.hush(2880, FRAME); // there is sound
    road.buffer.hush(3_000_000_000, FRAME); // that is no time of ours
    assert_eq!(road.buffer.waiting(), before + 2);
    let mut frames = Vec::new();
    for n in 12..17 {
        let mut frame = [0; FRAME];
        road.played.push(road.buffer.pull(at(n * 20 + 7), &mut frame, &mut road.concealer));
        frames.extend(frame);
    }
    assert_eq!(road.played[12..16], [Played::Sound; 4]);
    assert_eq!(road.played[16], Played::Silence);
    let sound = frames.iter().rposition(|sample| *sample != 0).unwrap();
    assert!(
        (320..=1280).contains(&sound),
        "the packet that waited is heard, and then silence: {sound}"
    );
}

#[test]
fn what_was_skipped_is_not_played() {
    let mut road = Road::travel(tone(0, 10, |_| Some(30)), 4);
    let waiting = road.buffer.waiting();
    road.buffer.skip(640);
    assert_eq!(road.buffer.waiting(), waiting - 2);
}

/// Octets that say how long they are, and are no sound.
#[test]
fn what_cannot_be_decoded_is_a_loss() {
    let mut road = Road::travel(tone(0, 10, |_| Some(30)), 4);
    let mut dice = Dice::new(5);
    for n in 10..200 {
        let payload: Vec<u8> = (0..dice.below(200)).map(|_| dice.roll() as u8).collect();
        let garbled = Coded { codec: Codec::Opus(Opus::default()), payload, samples: FRAME };
        road.buffer.push(at(n * 20 + 30), (n as usize * FRAME) as i64, garbled);
        let mut frame = [0; FRAME];
        road.buffer.pull(at(n * 20 + 37), &mut frame, &mut road.concealer);
    }
    assert!(road.buffer.waiting() < 20, "{}", road.buffer.waiting());
}
