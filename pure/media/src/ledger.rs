//! `Ledger`: which packets came in time, and whether losses came in bursts.
//!
//! A packet counts as lost when 128 later ones have passed it by, or when it came too late to be played.

use crate::bursts::{Bursts, Measured};

/// Packets that may still come.
const WINDOW: u32 = u128::BITS;

/// The last packets by number, and the sums of all before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ledger {
    /// Bit 0 is the highest number, bit n the n-th before it: set when that packet came (in time or late).
    came: u128,
    /// The same: set when that packet was good for something.
    good: u128,
    /// The highest number, and how many of the bits mean something; none before the first packet.
    highest: Option<(u32, u32)>,
    settled: Tally,
    /// True when the last settled packet was a loss.
    in_burst: bool,
    chain: Bursts,
}

/// Sums over packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Packets that should have come.
    pub(crate) expected: u64,
    /// Packets that did not come, or too late.
    pub(crate) lost: u64,
    /// Losses in a row count as one burst.
    pub(crate) bursts: u64,
}

/// Whether a packet came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    First,
    Again,
    /// So old that it was settled as a loss.
    TooOld,
}

impl Tally {
    pub(crate) const fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.lost += other.lost;
        self.bursts += other.bursts;
    }

    /// What is heard of it, when so many losses were made good.
    pub(crate) fn mended(self, by: u64) -> Self {
        let lost = self.lost.saturating_sub(by);
        Self { lost, bursts: self.bursts.min(lost), ..self }
    }
}

impl Ledger {
    /// True before the first packet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.highest.is_none()
    }

    /// The source numbers its packets anew; what was counted stays.
    pub(crate) fn begin(&mut self) {
        let end = self.end();
        *self = Self { settled: end.settled, chain: end.chain, ..Self::default() };
    }

    /// Enters a packet by its number with wraps.
    pub(crate) fn enter(&mut self, number: u32) -> Copy {
        let (highest, known) = *self.highest.get_or_insert((number.wrapping_sub(1), 0));
        let step = number.wrapping_sub(highest).cast_signed();
        if step > 0 {
            self.shift(step.unsigned_abs());
            self.highest = Some((number, known.saturating_add(step.unsigned_abs()).min(WINDOW)));
            self.came |= 1;
            return Copy::First;
        }
        let back = step.unsigned_abs();
        if back >= known {
            return Copy::TooOld;
        }
        let bit = 1u128 << back;
        let copy = if self.came & bit == 0 { Copy::First } else { Copy::Again };
        self.came |= bit;
        copy
    }

    /// The packet with this number was of use.
    pub(crate) fn useful(&mut self, number: u32) {
        let Some((highest, known)) = self.highest else { return };
        let back = highest.wrapping_sub(number);
        if back < known {
            self.good |= 1u128 << back;
        }
    }

    fn shift(&mut self, step: u32) {
        let known = self.highest.map_or(0, |(_, known)| known);
        // Oldest first. What lies beyond the window has never come.
        for place in (0..step.min(WINDOW)).map(|n| WINDOW - 1 - n).filter(|place| *place < known) {
            self.settle(place);
        }
        let never = step.saturating_sub(WINDOW);
        if never > 0 {
            self.settle(WINDOW);
            let more = u64::from(never - 1);
            self.settled.expected += more;
            self.settled.lost += more;
        }
        self.came = self.came.checked_shl(step).unwrap_or(0);
        self.good = self.good.checked_shl(step).unwrap_or(0);
    }

    /// The packet at this place (bit) is not waited for any more.
    fn settle(&mut self, place: u32) {
        let is_lost = self.good & 1u128.checked_shl(place).unwrap_or(0) == 0;
        self.settled.expected += 1;
        self.settled.lost += u64::from(is_lost);
        self.settled.bursts += u64::from(is_lost && !self.in_burst);
        self.in_burst = is_lost;
        if is_lost { self.chain.lost() } else { self.chain.good() }
    }

    /// The sums, as if nothing more would come.
    pub(crate) fn tally(&self) -> Tally {
        self.end().settled
    }

    /// Bursts and gaps, as if nothing more would come.
    pub(crate) fn bursts(&self) -> Measured {
        self.end().chain.measured()
    }

    fn end(&self) -> Self {
        let mut end = *self;
        let known = self.highest.map_or(0, |(_, known)| known);
        for place in (0..known).rev() {
            end.settle(place);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(numbers: impl IntoIterator<Item = u32>) -> Ledger {
        let mut ledger = Ledger::default();
        for number in numbers {
            if ledger.enter(number) == Copy::First {
                ledger.useful(number);
            }
        }
        ledger
    }

    #[test]
    fn losses_are_counted_one_by_one_and_burst_by_burst() {
        for far in [0, 1_000] {
            let lost = [10, 11, 12, 50, 90, 91];
            let tally = ledger((0..=100 + far).filter(|n| !lost.contains(n))).tally();
            assert_eq!(tally, Tally { expected: 101 + u64::from(far), lost: 6, bursts: 3 });
        }
    }

    #[test]
    fn copies_and_latecomers_are_known() {
        let mut ledger = ledger([5, 6, 8]);
        assert_eq!(
            [7, 7, 8, 4].map(|n| ledger.enter(n)),
            [Copy::First, Copy::Again, Copy::Again, Copy::TooOld]
        );
        assert_eq!(ledger.tally(), Tally { expected: 4, lost: 1, bursts: 1 }); // 7 came, and was of no use
    }

    #[test]
    fn a_long_outage_is_one_burst() {
        for outage in [1u32, 127, 128, 129, 500, 2_900] {
            let tally = ledger((0..300).chain(300 + outage..1000 + outage)).tally();
            let expected = 1000 + u64::from(outage);
            assert_eq!(tally, Tally { expected, lost: outage.into(), bursts: 1 }, "{outage}");
        }
    }

    #[test]
    fn numbers_wrap() {
        let tally = ledger((0..300).map(|n| (u32::MAX - 100).wrapping_add(n))).tally();
        assert_eq!(tally, Tally { expected: 300, lost: 0, bursts: 0 });
    }
}
