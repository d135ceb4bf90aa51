//! `Source`: how one synchronization source is received (RFC 3550 appendices A.1, A.3 and A.8).

use std::time::Duration;

use machine::Time;
use rtp::rtcp::ReportBlock;

use crate::clock::{sample_at, ticks_of, time_at};
use crate::limits;

/// Packets in sequence before a source is believed (RFC 3550 appendix A.1).
const MIN_SEQUENTIAL: u8 = 2;
/// A jump forward of less than this is loss.
const MAX_DROPOUT: u16 = 3_000;
/// A jump back of less than this is reordering.
const MAX_MISORDER: u16 = 100;

/// What we know of a source from its packets.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    ssrc: u32,
    highest: u16,
    /// Wraps of the sequence number, times 65,536.
    cycles: u32,
    /// The first sequence number that counts.
    base: u32,
    /// Where a sequence would go on that jumped too far: if it does, the source has restarted.
    stray: Option<u16>,
    probation: u8,
    received: u32,
    /// Expected and received at the last report.
    prior: (u32, u32),
    transit: Option<u32>,
    /// Ticks a second of its timestamps.
    clock_rate: u32,
    /// In sixteenths of a timestamp unit.
    jitter: u32,
}

/// What a sequence number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// The source is not believed yet.
    Probation,
    /// One of its packets; the number with its wraps.
    Valid(u32),
    /// The source begins anew with this number, or for the first time.
    Begins(u32),
    /// Too far away to be one of its packets.
    Stray,
}

impl Source {
    /// A source whose first packet has this sequence number; [`note`](Self::note) it next.
    pub(crate) const fn new(ssrc: u32, sequence: u16) -> Self {
        Self {
            ssrc,
            highest: sequence.wrapping_sub(1),
            cycles: 0,
            base: sequence as u32,
            stray: None,
            probation: MIN_SEQUENTIAL,
            received: 0,
            prior: (0, 0),
            transit: None,
            clock_rate: 8_000,
            jitter: 0,
        }
    }

    pub(crate) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) const fn is_believed(&self) -> bool {
        self.probation == 0
    }

    /// Takes note of a packet's number (RFC 3550 appendix A.1).
    pub(crate) fn note(&mut self, sequence: u16) -> Sequence {
        let step = sequence.wrapping_sub(self.highest);
        if self.probation > 0 {
            self.probation = if step == 1 { self.probation - 1 } else { MIN_SEQUENTIAL - 1 };
            self.highest = sequence;
            return if self.probation == 0 { self.begin(sequence) } else { Sequence::Probation };
        }
        if step < MAX_DROPOUT {
            if sequence < self.highest {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.highest = sequence;
            self.received = self.received.wrapping_add(1);
            return Sequence::Valid(self.cycles | u32::from(sequence));
        }
        if step <= MAX_MISORDER.wrapping_neg() {
            if self.stray == Some(sequence) {
                return self.begin(sequence);
            }
            self.stray = Some(sequence.wrapping_add(1));
            return Sequence::Stray;
        }
        self.received = self.received.wrapping_add(1);
        let back = u32::from(self.highest.wrapping_sub(sequence));
        Sequence::Valid((self.cycles | u32::from(self.highest)).wrapping_sub(back))
    }

    fn begin(&mut self, sequence: u16) -> Sequence {
        self.highest = sequence;
        self.cycles = 0;
        self.base = u32::from(sequence);
        self.stray = None;
        self.received = 1;
        self.prior = (0, 0);
        Sequence::Begins(self.base)
    }

    /// Takes note of when a packet came (RFC 3550 appendix A.8). Packets of an event share a timestamp, and all of them
    /// count (RFC 4733 §2.5.2.2).
    pub(crate) fn arrived(&mut self, now: Time, (timestamp, clock_rate): (u32, u32)) {
        if self.clock_rate != clock_rate {
            (self.clock_rate, self.transit, self.jitter) = (clock_rate, None, 0);
        }
        let ticks = ticks_of(sample_at(now).cast_unsigned(), clock_rate);
        let transit = (ticks as u32).wrapping_sub(timestamp);
        let Some(last) = self.transit.replace(transit) else { return };
        let apart = transit.wrapping_sub(last).cast_signed().unsigned_abs();
        if time_at(apart, clock_rate) > limits::CLOCK_JUMP {
            return; // another clock, not a late packet
        }
        self.jitter =
            self.jitter.saturating_add(apart).saturating_sub(self.jitter.saturating_add(8) >> 4);
    }

    /// Another clock: its transit compares with nothing.
    pub(crate) const fn forget_transit(&mut self) {
        self.transit = None;
    }

    /// Interarrival jitter, in timestamp units.
    pub(crate) const fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// The same as a time.
    pub(crate) fn jitter_time(&self) -> Duration {
        time_at(self.jitter(), self.clock_rate)
    }

    /// Packets that were sent, as far as numbers tell.
    const fn expected(&self) -> u32 {
        self.extended().wrapping_sub(self.base).wrapping_add(1)
    }

    /// True when a packet came since the last report.
    pub(crate) const fn has_news(&self) -> bool {
        self.is_believed() && self.received != self.prior.1
    }

    const fn extended(&self) -> u32 {
        self.cycles.wrapping_add(self.highest as u32)
    }

    /// What to report about it (RFC 3550 appendix A.3); the next fraction counts from here.
    pub(crate) fn report(&mut self) -> ReportBlock {
        let (expected, received) = (self.expected(), self.received);
        let interval = expected.wrapping_sub(self.prior.0);
        let lost = interval.wrapping_sub(received.wrapping_sub(self.prior.1)).cast_signed();
        self.prior = (expected, received);
        let fraction = u64::from(lost.max(0).cast_unsigned()) * 256;
        let fraction = fraction.checked_div(u64::from(interval)).unwrap_or(0);
        let lost = i64::from(expected) - i64::from(received);
        let (least, most) = (ReportBlock::MIN_LOST.into(), ReportBlock::MAX_LOST.into());
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: lost.clamp(least, most) as i32,
            highest_sequence: self.extended(),
            jitter: self.jitter(),
            last_sr: 0,
            delay_since_last_sr: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(first: u16) -> Source {
        let mut source = Source::new(1, first);
        assert_eq!(source.note(first), Sequence::Probation);
        assert_eq!(
            source.note(first.wrapping_add(1)),
            Sequence::Begins(first.wrapping_add(1).into())
        );
        source
    }

    #[test]
    fn two_packets_in_sequence_make_a_source() {
        let mut source = Source::new(1, 7);
        for sequence in [7, 9, 20, 3] {
            assert_eq!(source.note(sequence), Sequence::Probation, "{sequence}");
        }
        assert_eq!(source.note(4), Sequence::Begins(4));
    }

    #[test]
    fn numbers_wrap_and_packets_change_places() {
        let mut source = believed(65_533);
        assert_eq!(source.note(65_535), Sequence::Valid(65_535));
        assert_eq!(source.note(1), Sequence::Valid(65_537));
        assert_eq!(source.note(0), Sequence::Valid(65_536));
        assert_eq!(source.note(65_534), Sequence::Valid(65_534));
        assert_eq!((source.expected(), source.received), (4, 5));
    }

    #[test]
    fn a_far_jump_is_believed_the_second_time() {
        let mut source = believed(100);
        assert_eq!(source.note(40_000), Sequence::Stray);
        assert_eq!(source.note(102), Sequence::Valid(102));
        assert_eq!(source.note(40_001), Sequence::Begins(40_001));
        assert_eq!((source.expected(), source.received), (1, 1));
    }

    fn note_all(source: &mut Source, numbers: impl IntoIterator<Item = u16>) {
        for number in numbers {
            source.note(number);
        }
    }

    #[test]
    fn loss_is_counted_in_full_and_since_the_last_report() {
        let mut source = believed(0); // 1 counts
        note_all(&mut source, (2..=10).filter(|n| n % 2 == 0));
        let report = source.report();
        assert_eq!((report.lost, report.fraction_lost, report.highest_sequence), (4, 102, 10));
        note_all(&mut source, 11..=20);
        let report = source.report();
        assert_eq!((report.lost, report.fraction_lost), (4, 0));
        note_all(&mut source, [20; 6]); // more duplicates than losses
        let report = source.report();
        assert_eq!((report.lost, report.fraction_lost), (-2, 0));
        assert!(!source.has_news());
    }

    #[test]
    fn jitter_follows_the_formula() {
        let mut source = believed(0);
        let mut expected = 0.0f64;
        let mut last = None;
        for n in 0..200u64 {
            let late = n * n % 37; // ms
            let now = Time(0) + Duration::from_millis(20 * n + late);
            source.arrived(now, ((n * 160) as u32, 8_000));
            let transit = (late * 8) as f64;
            if let Some(last) = last.replace(transit) {
                let apart: f64 = transit - last;
                expected += (apart.abs() - expected) / 16.0;
            }
            assert!((f64::from(source.jitter()) - expected).abs() <= 1.5, "{n}");
        }
        assert!(expected > 50.0);
        // A clock that jumps is no jitter.
        source.arrived(Time(0) + Duration::from_secs(5), (3_000_000_000, 8_000));
        assert!(f64::from(source.jitter()) <= expected + 1.5);
    }
}
