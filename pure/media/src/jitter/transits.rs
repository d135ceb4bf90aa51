//! How long packets have been under way lately, and what delay that asks for.

use std::collections::VecDeque;

use crate::clock::{FRAME, samples_in, samples_of};
use crate::limits;

/// One packet in a hundred may come too late: concealment hides that, and a delay for it would not pay.
const MAY_BE_LATE: usize = 100;
/// How often the wish is made up anew, in packets.
const EVERY: usize = 10;
/// A frame asks for 20 ms at once, whose end may lie in the next packet; and 5 ms for those who are not quite punctual.
const MARGIN: i64 = FRAME as i64 + samples_of(5) as i64;

/// The transits of the last packets, in samples.
#[derive(Clone, Debug)]
pub(super) struct Transits {
    latest: VecDeque<i64>,
    noted: usize,
    quickest: i64,
    spread: i64,
}

impl Default for Transits {
    fn default() -> Self {
        Self { latest: VecDeque::new(), noted: 0, quickest: 0, spread: 2 * least() }
    }
}

impl Transits {
    /// Takes note of a transit.
    pub(super) fn note(&mut self, transit: i64) {
        if self.latest.len() >= limits::TRANSITS {
            self.latest.pop_front();
        }
        if self.latest.is_empty() {
            self.quickest = transit;
        }
        self.latest.push_back(transit);
        if transit < self.quickest {
            // Those that are as slow as before are still waited for.
            self.spread = within(self.spread.saturating_add(self.quickest.saturating_sub(transit)));
            self.quickest = transit;
        }
        self.noted = self.noted.wrapping_add(1);
        if self.noted.is_multiple_of(EVERY) {
            self.wish();
        }
    }

    /// Makes the wish up anew.
    pub(super) fn wish(&mut self) {
        let mut sorted: Vec<i64> = self.latest.iter().copied().collect();
        if sorted.is_empty() {
            return;
        }
        let nearly_last = sorted.len() - 1 - sorted.len() / MAY_BE_LATE;
        let (_, slow, _) = sorted.select_nth_unstable(nearly_last);
        let slow = *slow;
        self.quickest = sorted.iter().copied().min().unwrap_or(self.quickest);
        let spread = slow.saturating_sub(self.quickest).saturating_add(MARGIN);
        self.spread = within(spread);
    }

    /// A new clock: what was is of no use, except how unsteady the network was.
    pub(super) fn restart(&mut self, transit: i64) {
        self.latest.clear();
        self.note(transit);
    }

    /// How far behind the clock the cursor should be.
    pub(super) const fn wanted(&self) -> i64 {
        self.quickest.saturating_add(self.spread)
    }

    /// How far behind the quickest packet that is.
    pub(super) const fn spread(&self) -> i64 {
        self.spread
    }

    /// How unlike the others a transit is.
    pub(super) fn jump(&self, transit: i64) -> u64 {
        self.latest.back().map_or(0, |last| transit.abs_diff(*last))
    }
}

fn within(spread: i64) -> i64 {
    spread.clamp(least(), samples_in(limits::MOST_DELAY).cast_signed())
}

fn least() -> i64 {
    samples_in(limits::LEAST_DELAY).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_network_gets_the_least_delay() {
        let mut transits = Transits::default();
        (0..50).for_each(|_| transits.note(1000));
        assert_eq!((transits.wanted(), transits.spread()), (1400, 400));
    }

    #[test]
    fn an_unsteady_one_gets_what_nearly_all_packets_need() {
        let mut transits = Transits::default();
        (0..250).for_each(|n| transits.note(1000 + n % 50 * 10)); // up to 490 samples more
        assert_eq!(transits.wanted(), 1490 + MARGIN);
        transits.note(9000); // one in a hundred changes nothing
        transits.wish();
        assert_eq!(transits.wanted(), 1490 + MARGIN);
    }

    #[test]
    fn one_quick_packet_makes_no_other_late() {
        let mut transits = Transits::default();
        (0..50).for_each(|_| transits.note(1000));
        transits.note(600);
        assert_eq!(transits.wanted(), 1400);
    }

    #[test]
    fn the_delay_has_an_end() {
        let mut transits = Transits::default();
        (0..100).for_each(|n| transits.note(n * 1000));
        assert_eq!(transits.spread(), 6400);
    }
}
