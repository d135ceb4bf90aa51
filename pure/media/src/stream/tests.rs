//! Two streams and a network between them, on a virtual clock.

mod anything;
mod silence;
mod trouble;

use std::collections::BTreeMap;

use super::*;
use crate::audio::{Pair, Recorder};
use crate::{Codec, KeySet, Opus, Tone, detect};

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
            // What is due since the past is done now.
            self.now = next.max(self.now);
            if arrival == next {
                self.arrive();
                continue;
            }
            let n = usize::from(due[1] < due[0]);
            let mut out = Vec::new();
            let End { stream, audio, .. } = &mut self.ends[n];
            stream.wake(self.now, audio, &mut out);
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
fn a_key_is_no_loss_and_is_heard_as_silence() {
    let mut call = Call::fair();
    call.run(1_000);
    call.ends[1].audio.ear.take();
    call.ends[0].stream.press('7').unwrap();
    call.run(300);
    assert_eq!((call.report(1).received.lost, call.ends[1].keys.as_str()), (0, "7"));
    // 140 ms go without sound: 100 of the key, and 40 in which its end is repeated.
    let silent = call.ends[1].audio.ear.samples().iter().filter(|sample| **sample == 0).count();
    assert!((2_000..=2_400).contains(&silent), "{silent}");
}

#[test]
fn keys_that_the_other_side_does_not_take_as_events_are_heard_as_tones() {
    for (send_keys, key, sines) in
        [(None, '5', [770.0, 1336.0]), (Some((101, KeySet::read("0-11"))), 'A', [697.0, 1633.0])]
    {
        let mut call = Call::fair();
        let agreement = call.ends[0].stream.agreement().clone();
        call.ends[0].stream.agree(call.now, Agreement { send_keys, ..agreement });
        call.run(200);
        call.ends[0].stream.press(key).unwrap();
        call.run(1_000);
        let heard = call.ends[1].audio.ear.samples();
        for hz in sines {
            let levels = heard.windows(1_600).step_by(FRAME).map(|part| detect::level_of(part, hz));
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
fn after_a_hold_nothing_is_made_up_for() {
    let mut call = Call::new(|_| vec![ms(1)]);
    call.run(2_000);
    call.ends.iter_mut().for_each(|end| end.stream.turn(Direction::Inactive));
    call.run(1_000);
    call.ends[0].stream.turn(Direction::SendRecv);
    let before = rtp_of(&call.ends[0]).len();
    call.run(5);
    call.ends[1].stream.turn(Direction::SendRecv);
    call.run(995);
    let sent = rtp_of(&call.ends[0]).len() - before;
    assert!(sent <= 51, "{sent}");
    for n in [0, 1] {
        let received = call.report(n).received;
        assert_eq!((received.lost, received.late), (0, 0), "{received:?}");
        assert!(call.heard(n) > 2.85, "{}", call.heard(n));
    }
}

#[test]
fn after_a_pause_nothing_is_said_that_would_come_too_late() {
    let mut call = Call::new(|_| vec![ms(1)]);
    call.run(2000);
    // One holds the other and says nothing; the other goes on listening.
    call.ends[0].stream.turn(Direction::Inactive);
    call.ends[1].stream.turn(Direction::RecvOnly);
    call.run(1007);
    call.ends[0].stream.turn(Direction::SendRecv);
    call.ends[1].stream.turn(Direction::SendRecv);
    call.run(2000);
    let heard = call.ends[1].stream.report().received;
    assert_eq!((heard.lost, heard.late), (0, 0), "{heard:?}");
}

#[test]
fn a_packet_that_is_not_full_is_sent_before_a_key_and_not_after_a_pause() {
    let mut call = Call::fair();
    let agreement = call.ends[0].stream.agreement().clone();
    call.ends[0].stream.agree(call.now, Agreement { ptime: 60, ..agreement });
    call.run(200); // ten frames: three packets, and one frame that waits
    call.ends[0].stream.press('1').unwrap();
    call.run(220); // and another one that waits
    let sounds = |call: &Call| -> Vec<(i64, i64)> {
        let (packets, first) = (&call.ends[0].sent, rtp_of(&call.ends[0])[0].1.2);
        let packets = packets.iter().filter_map(|(_, octets)| Packet::parse(octets).ok());
        let sound = packets.filter(|packet| packet.payload_type == 8);
        let span = |packet: Packet<'_>| {
            let begin = i64::from(packet.timestamp.wrapping_sub(first));
            (begin, begin + packet.payload.len() as i64)
        };
        sound.map(span).collect()
    };
    assert_eq!(sounds(&call)[3], (1_440, 1_600));
    assert!(sounds(&call)[4..].iter().all(|(begin, _)| *begin >= 1_600 + 7 * 160));
    call.ends[0].stream.turn(Direction::RecvOnly);
    let count = sounds(&call).len();
    call.run(1_000);
    call.ends[0].stream.turn(Direction::SendRecv);
    call.run(100);
    assert!(sounds(&call)[count].0 >= 1_400 * 8, "{:?}", sounds(&call)[count]);
}

#[test]
fn a_packet_may_hold_more_than_a_frame() {
    let mut call = Call::fair();
    let mut agreement = call.ends[0].stream.agreement().clone();
    agreement.ptime = 60;
    call.ends[0].stream.agree(call.now, agreement);
    call.run(6_000);
    assert_eq!(call.report(0).sent.packets, 100);
    assert!(call.heard(1) > 5.7, "{}", call.heard(1));
    let stamps = rtp_of(&call.ends[0]);
    assert!(stamps.windows(2).all(|pair| pair[1].1.2.wrapping_sub(pair[0].1.2) == 480));
}

/// A voice, as far as an encoder can tell.
fn voiced(seed: u128, agreement: Agreement) -> End {
    let harmonics: Vec<f64> = (1..=8).map(|n| 125.0 * f64::from(n)).collect();
    let mouth = Tone::chord(&harmonics, -20.0).cadence(&[(ms(2_000), ms(200))]);
    End { audio: Pair { mouth, ear: Recorder::default() }, ..end(seed, 0.0, agreement) }
}

#[test]
fn every_codec_is_heard_and_keys_run_at_its_clock() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus(Opus::default())] {
        let plain = || Agreement::plain(codec, Some(101));
        let ends = (end(1, 400.0, plain()), end(2, 600.0, plain()));
        let mut call = Call::between(ends.0, ends.1, |_| vec![ms(30)]);
        // Timestamps wrap on the way.
        call.ends[0].stream.mouth.begin_at(u32::MAX - 20_000);
        call.run(2_000);
        call.ends[0].stream.press('5').unwrap();
        call.run(2_000);
        assert_eq!(call.ends[1].keys, "5", "{codec:?}");
        assert!(call.heard(0) > 3.8 && call.heard(1) > 3.6, "{codec:?}");
        let report = call.report(1);
        assert_eq!((report.received.lost, report.received.concealed), (0, 0), "{codec:?}");
        assert_eq!((report.received.stray, report.received.late), (0, 0), "{codec:?}");
        assert!(report.received.jitter < ms(1), "{codec:?} {:?}", report.received.jitter);
    }
}

#[test]
fn a_change_of_codec_is_heard_after_a_moment() {
    let mut call = Call::fair();
    call.run(1_000);
    let opus = Agreement {
        receive: vec![(8, Codec::Pcma), (111, Codec::Opus(Opus::default()))],
        ..Agreement::plain(Codec::Opus(Opus::default()), Some(101))
    };
    call.ends.iter_mut().for_each(|end| end.stream.agree(call.now, opus.clone()));
    call.run(2_000);
    assert!(call.heard(0) > 2.8 && call.heard(1) > 2.8, "{} {}", call.heard(0), call.heard(1));
}

/// RFC 7587 §3.3: of single losses nothing is concealed, for the next packet tells what was in the lost one.
#[test]
fn opus_with_forward_error_correction_hears_through_losses() {
    let concealed = |forward_error_correction| {
        let wishes = Opus { forward_error_correction, ..Opus::default() };
        let plain = || Agreement::plain(Codec::Opus(wishes), None);
        let mut sent = 0;
        let weather = move |_: &mut Dice| {
            sent += 1;
            if sent % 10 == 5 { vec![] } else { vec![ms(30)] }
        };
        let mut call = Call::between(voiced(1, plain()), voiced(2, plain()), weather);
        call.run(20_000);
        let received = call.report(1).received;
        assert!(received.lost > 50, "{received:?}");
        received.concealed
    };
    let (without, with) = (concealed(false), concealed(true));
    assert!(with * 3 < without, "{with} {without}");
}

#[test]
fn opus_in_silence_sends_next_to_nothing_when_the_other_side_wants_that() {
    let wishes = Opus { discontinuous: true, ..Opus::default() };
    let plain = || Agreement::plain(Codec::Opus(wishes), None);
    let mut call = Call::between(end(1, 0.0, plain()), end(2, 0.0, plain()), |_| vec![ms(30)]);
    call.run(10_000);
    let report = call.report(1);
    assert!(report.sent.packets < 100, "{}", report.sent.packets);
    assert_eq!(report.received.lost, 0, "what was not sent is not lost");
}
