//! Two streams and a network between them, on a virtual clock.

use std::any::Any;
use std::collections::BTreeMap;

use super::*;
use crate::audio::{Pair, Recorder};
use crate::{Codec, KeySet, Tone, detect};

const START: Time = Time(1_700_000_000_000_000_000);

/// One end of the call: says a tone and records.
struct End {
    stream: Stream,
    audio: Pair<Tone, Recorder>,
    keys: String,
    sent: Vec<(Time, Vec<u8>)>,
}

/// What the network does to a datagram: for each copy that arrives, the delay.
type Weather = Box<dyn FnMut(&mut Dice) -> Vec<Duration>>;

struct Call {
    now: Time,
    dice: Dice,
    weather: Weather,
    ends: [End; 2],
    /// By arrival and number: for whom, RTCP or not, the octets.
    under_way: BTreeMap<(Time, u64), (usize, bool, Vec<u8>)>,
    counted: u64,
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn end(seed: u128, hz: f64, agreement: Agreement) -> End {
    End {
        stream: Stream::new(START, agreement, Dice::new(seed)),
        audio: Pair { mouth: Tone::sine(hz), ear: Recorder::default() },
        keys: String::new(),
        sent: Vec::new(),
    }
}

impl Call {
    fn new(weather: impl FnMut(&mut Dice) -> Vec<Duration> + 'static) -> Self {
        let plain = || Agreement::plain(Codec::Pcma, Some(101));
        Self::between(end(1, 400.0, plain()), end(2, 600.0, plain()), weather)
    }

    fn between(
        one: End,
        other: End,
        weather: impl FnMut(&mut Dice) -> Vec<Duration> + 'static,
    ) -> Self {
        Self {
            now: START,
            dice: Dice::new(77),
            weather: Box::new(weather),
            ends: [one, other],
            under_way: BTreeMap::new(),
            counted: 0,
        }
    }

    fn fair() -> Self {
        Self::new(|_| vec![ms(30)])
    }

    /// Lives for so long.
    fn run(&mut self, millis: u64) -> &mut Self {
        let end = self.now + ms(millis);
        loop {
            let arrival = self.under_way.keys().next().map_or(Time::NEVER, |(time, _)| *time);
            let due = [0, 1].map(|n| self.ends[n].stream.deadline());
            let next = arrival.min(due[0]).min(due[1]);
            if next > end {
                self.now = end;
                return self;
            }
            self.now = next;
            if arrival == next {
                self.arrive();
                continue;
            }
            let n = usize::from(due[1] < due[0]);
            let mut out = Vec::new();
            let End { stream, audio, .. } = &mut self.ends[n];
            stream.wake(next, audio, &mut out);
            self.carry(n, out);
        }
    }

    fn arrive(&mut self) {
        let (_, (to, control, octets)) = self.under_way.pop_first().unwrap();
        let mut out = Vec::new();
        match control {
            true => self.ends[to].stream.receive_rtcp(self.now, &octets, &mut out),
            false => self.ends[to].stream.receive(self.now, &octets, &mut out),
        }
        self.carry(to, out);
    }

    fn carry(&mut self, from: usize, out: Vec<Output>) {
        for output in out {
            let (control, octets) = match output {
                Output::Rtp(octets) => (false, octets),
                Output::Rtcp(octets) => (true, octets),
                Output::Key(key) => {
                    self.ends[from].keys.push(key);
                    continue;
                }
            };
            self.ends[from].sent.push((self.now, octets.to_vec()));
            for delay in (self.weather)(&mut self.dice) {
                self.counted += 1;
                let place = (self.now + delay, self.counted);
                self.under_way.insert(place, (1 - from, control, octets.to_vec()));
            }
        }
    }

    /// For how long an end has heard the tone of the other, in seconds.
    fn heard(&self, n: usize) -> f64 {
        let hz = [600.0, 400.0][n];
        detect::tone(self.ends[n].audio.ear.samples(), hz).lasted.as_secs_f64()
    }

    fn report(&self, n: usize) -> Report {
        self.ends[n].stream.report()
    }
}

#[test]
fn each_end_hears_the_tone_of_the_other() {
    let mut call = Call::fair();
    call.run(10_000);
    for n in [0, 1] {
        assert!(call.heard(n) > 9.8, "{}", call.heard(n));
        let report = call.report(n);
        assert_eq!((report.sent.packets, report.sent.octets), (500, 80_000));
        assert_eq!(
            (report.received.lost, report.received.concealed, report.received.sources),
            (0, 0, 1)
        );
        assert!(report.here.unwrap().mos > 4.3 && report.there.unwrap().mos > 4.3, "{report:?}");
    }
}

#[test]
fn the_round_trip_is_measured() {
    let mut call = Call::fair();
    call.run(30_000);
    for n in [0, 1] {
        let trip = call.report(n).round_trip.unwrap();
        assert!(trip.abs_diff(ms(60)) < ms(1), "{trip:?}");
    }
}

#[test]
fn loss_is_seen_from_both_ends_and_costs_quality() {
    let mut call = Call::new(|dice| if dice.chance(10) { vec![] } else { vec![ms(30)] });
    call.run(60_000);
    for n in [0, 1] {
        let report = call.report(n);
        let (here, there) = (report.here.unwrap(), report.there.unwrap());
        assert!((here.loss - 0.1).abs() < 0.02 && (there.loss - 0.1).abs() < 0.03, "{report:?}");
        assert!(here.mos < 3.8 && there.mos < 3.8 && here.mos > 2.8, "{report:?}");
        assert!(here.burst < 1.2);
        assert!(call.heard(n) > 58.0);
    }
}

#[test]
fn a_storm_is_survived_and_the_same_seed_lives_the_same_life() {
    let storm = || {
        let mut call = Call::new(|dice| {
            let copies = if dice.chance(30) { 0 } else { 1 + usize::from(dice.chance(5)) };
            (0..copies).map(|_| ms(20 + dice.below(80))).collect()
        });
        call.ends[0].stream.press('7').unwrap();
        call.run(30_000);
        call
    };
    let call = storm();
    for n in [0, 1] {
        let report = call.report(n);
        assert!(call.heard(n) > 24.0, "{}", call.heard(n));
        assert!((report.here.unwrap().loss - 0.3).abs() < 0.05, "{report:?}");
        assert!(report.received.duplicates > 20, "{report:?}");
        assert!(report.received.late < 30, "{report:?}");
    }
    assert_eq!(call.ends[1].keys, "7");
    assert!((0..2).all(|n| call.ends[n].sent == storm().ends[n].sent));
}

#[test]
fn keys_arrive_once_and_in_order_while_packets_are_lost() {
    let mut call =
        Call::new(|dice| if dice.chance(20) { vec![] } else { vec![ms(20 + dice.below(60))] });
    call.run(1_000);
    for key in "0123456789*#ABCD".chars() {
        call.ends[0].stream.press(key).unwrap();
    }
    assert!(call.ends[0].stream.is_pressing());
    call.run(6_000);
    assert_eq!(call.ends[1].keys, "0123456789*#ABCD");
    assert!(!call.ends[0].stream.is_pressing());
}

#[test]
fn keys_that_the_other_side_does_not_take_as_events_are_heard_as_tones() {
    for (send_keys, key, sines) in
        [(None, '5', [770.0, 1336.0]), (Some((101, KeySet::read("0-11"))), 'A', [697.0, 1633.0])]
    {
        let mut call = Call::fair();
        let agreement = call.ends[0].stream.agreement().clone();
        call.ends[0].stream.agree(Agreement { send_keys, ..agreement });
        call.run(200);
        call.ends[0].stream.press(key).unwrap();
        call.run(1_000);
        let heard = call.ends[1].audio.ear.samples();
        for hz in sines {
            let levels = heard.windows(800).step_by(160).map(|part| detect::level_of(part, hz));
            assert!(levels.fold(f64::MIN, f64::max) > -10.0);
        }
        assert_eq!(call.ends[1].keys, "");
    }
}

#[test]
fn on_hold_nothing_is_sent_and_afterwards_the_clock_has_run_on() {
    let mut call = Call::fair();
    call.run(2_000);
    call.ends[0].stream.turn(Direction::RecvOnly);
    call.run(3_000);
    assert_eq!(call.report(0).sent.packets, 100);
    call.ends[0].stream.turn(Direction::SendRecv);
    call.run(2_000);
    assert!((3.9..4.1).contains(&call.heard(1)), "{}", call.heard(1));
    assert_eq!(call.report(1).received.lost, 0);
    let sent = rtp_of(&call.ends[0]);
    let (before, after) = (&sent[99], &sent[100]);
    assert!(after.1.0, "the first packet after the pause has the marker");
    assert_eq!(after.1.1.wrapping_sub(before.1.1), 1);
    assert_eq!(after.1.2.wrapping_sub(before.1.2), 8 * 3020);
}

/// Marker, sequence number and timestamp of each RTP packet that an end sent.
fn rtp_of(end: &End) -> Vec<(Time, (bool, u16, u32))> {
    let rtp = end.sent.iter().filter(|(_, octets)| Kind::of(octets) == Kind::Rtp);
    rtp.map(|(time, octets)| {
        let packet = Packet::parse(octets).unwrap();
        (*time, (packet.marker, packet.sequence, packet.timestamp))
    })
    .collect()
}

#[test]
fn whoever_does_not_listen_plays_nothing_and_forgets_nothing() {
    let mut call = Call::fair();
    call.ends[1].stream.turn(Direction::SendOnly);
    call.run(2_000);
    assert!(call.ends[1].audio.ear.samples().is_empty());
    assert_eq!(call.report(1).received.unwanted, 98);
    call.ends[1].stream.turn(Direction::SendRecv);
    call.run(2_000);
    assert!(call.heard(1) > 1.8);
}

#[test]
fn held_by_both_nobody_is_woken_but_for_reports() {
    let mut call = Call::fair();
    call.run(1_000);
    call.ends.iter_mut().for_each(|end| end.stream.turn(Direction::Inactive));
    let before = call.ends[0].sent.len();
    call.run(60_000);
    let reports = call.ends[0].sent.len() - before;
    assert!((8..=30).contains(&reports), "{reports}");
    assert!(call.ends[0].stream.deadline() - call.now > ms(500));
    call.ends.iter_mut().for_each(|end| end.stream.turn(Direction::SendRecv));
    call.run(3_000);
    assert!(call.heard(0) > 3.6 && call.heard(1) > 3.6);
    assert_eq!(call.report(0).received.lost, 0);
}

#[test]
fn a_peer_that_begins_anew_is_heard_on() {
    let mut call = Call::fair();
    call.run(3_000);
    let agreement = call.ends[0].stream.agreement().clone();
    call.ends[0].stream = Stream::new(call.now, agreement, Dice::new(99));
    call.run(3_000);
    assert!(call.heard(1) > 5.8, "{}", call.heard(1));
    let report = call.report(1);
    assert_eq!((report.received.sources, report.received.lost), (2, 0));
}

#[test]
fn one_packet_of_a_stranger_is_not_heard_and_presses_no_key() {
    let mut call = Call::fair();
    call.run(1_000);
    for (payload_type, payload) in [(8, &[0x2A; 160][..]), (101, &[5, 0, 0, 160][..])] {
        let mut octets = Vec::new();
        Packet { payload_type, ssrc: 4711, payload, ..Packet::default() }.write(&mut octets);
        let now = call.now;
        call.ends[1].stream.receive(now, &octets, &mut Vec::new());
        call.run(200);
    }
    call.run(1_000);
    assert_eq!((call.ends[1].keys.as_str(), call.report(1).received.sources), ("", 1));
    assert_eq!(call.report(1).received.concealed, 0);
}

#[test]
fn two_ends_with_the_same_ssrc_part() {
    let plain = || Agreement::plain(Codec::Pcmu, None);
    let (one, mut other) = (end(5, 400.0, plain()), end(6, 600.0, plain()));
    other.stream.mouth.ssrc = one.stream.ssrc();
    let mut call = Call::between(one, other, |dice| vec![ms(20 + dice.below(30))]);
    call.run(10_000);
    assert_ne!(call.ends[0].stream.ssrc(), call.ends[1].stream.ssrc());
    assert!(call.heard(0) > 9.0 && call.heard(1) > 9.0, "{} {}", call.heard(0), call.heard(1));
}

#[test]
fn an_echo_of_ourselves_is_dropped_and_changes_the_ssrc_once() {
    let mut end = end(5, 400.0, Agreement::plain(Codec::Pcmu, None));
    let (mut now, first) = (START, end.stream.ssrc());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        now = now.max(end.stream.deadline());
        let mut out = Vec::new();
        end.stream.wake(now, &mut end.audio, &mut out);
        for output in out {
            if let Output::Rtp(octets) = output {
                end.stream.receive(now, &octets, &mut Vec::new());
            }
        }
        seen.insert(end.stream.ssrc());
    }
    assert_eq!((seen.len(), seen.contains(&first)), (1, false));
    assert_eq!(end.stream.report().received.looped, 999 - end.stream.report().sent.reports + 1);
}

#[test]
fn payload_types_that_nobody_agreed_on_are_ignored() {
    let mut call = Call::fair();
    call.run(1_000);
    call.ends[0].stream.agree(Agreement::plain(Codec::Pcmu, None));
    call.run(1_000);
    let received = call.report(1).received;
    assert_eq!((received.unknown, received.lost), (48, 0)); // two are still under way
    assert!(call.heard(1) < 1.1);
}

#[test]
fn a_packet_may_hold_more_than_a_frame() {
    let mut call = Call::fair();
    let mut agreement = call.ends[0].stream.agreement().clone();
    agreement.ptime = 60;
    call.ends[0].stream.agree(agreement);
    call.run(6_000);
    assert_eq!(call.report(0).sent.packets, 100);
    assert!(call.heard(1) > 5.7, "{}", call.heard(1));
    let stamps = rtp_of(&call.ends[0]);
    assert!(stamps.windows(2).all(|pair| pair[1].1.2.wrapping_sub(pair[0].1.2) == 480));
}

#[test]
fn a_late_wake_makes_up_for_a_little_and_leaves_out_the_rest() {
    let mut stream = Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1));
    let mut audio = Pair { mouth: Tone::sine(400.0), ear: Recorder::default() };
    let mut out = Vec::new();
    stream.wake(START + ms(1_990), &mut audio, &mut out);
    let rtp = |out: &[Output]| out.iter().filter(|output| matches!(output, Output::Rtp(_))).count();
    assert_eq!(rtp(&out), 6);
    assert_eq!(stream.deadline(), START + ms(2_000));
    out.clear();
    stream.wake(START + ms(1_999), &mut audio, &mut out);
    assert_eq!(rtp(&out), 0);
}

#[test]
fn a_stream_that_said_nothing_leaves_without_a_word() {
    let mut stream = Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1));
    let mut out = Vec::new();
    stream.close(START, &mut out);
    assert_eq!(out, []);
}

#[test]
fn a_bye_is_noted_and_does_not_silence_who_goes_on() {
    let mut call = Call::fair();
    call.run(1_000);
    let mut out = Vec::new();
    let now = call.now;
    call.ends[0].stream.close(now, &mut out);
    call.carry(0, out);
    call.run(31);
    assert!(call.report(1).received.left.is_some());
    call.run(1_000);
    assert!(call.report(1).received.left.is_none());
    assert!(call.heard(1) > 1.9);
}

#[test]
fn a_stream_may_be_handed_to_another_thread() {
    fn is_sent<T: Send + Any>(_: &T) {}
    is_sent(&Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1)));
}
