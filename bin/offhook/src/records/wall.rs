//! `Wall`: what the clock on the wall showed at a moment of the driver's clock, which never jumps; and whether somebody set it meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use machine::Time;

use crate::limits;

/// The stretches of time between which the clock on the wall was set; at least one once it was looked at.
#[derive(Debug, Default)]
pub(super) struct Wall {
    stretches: VecDeque<Stretch>,
    looked: Time,
}

/// A stretch in which both clocks ran alike.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    since: Time,
    /// By how many milliseconds the clock on the wall is ahead.
    ahead: i64,
}

impl Wall {
    /// Both clocks, read at once. Where they have come apart by a second since the last look, the one on the wall was set; less than that
    /// is how a clock is kept right.
    pub(super) fn look(&mut self, now: Time, wall: Duration) {
        let ahead = millis(wall).saturating_sub(millis(now - Time::default()));
        let before = std::mem::replace(&mut self.looked, now);
        match self.stretches.back_mut() {
            Some(last) if last.ahead.abs_diff(ahead) < SET => last.ahead = ahead,
            Some(_) => self.stretches.push_back(Stretch { since: before, ahead }),
            None => self.stretches.push_back(Stretch { since: Time::default(), ahead }),
        }
        if self.stretches.len() > limits::CLOCK_SETS {
            self.stretches.pop_front();
        }
    }

    /// What the clock on the wall showed then, as time since 1970.
    pub(super) fn at(&self, time: Time) -> Duration {
        let ahead = self.stretch(time).map_or(0, |stretch| stretch.ahead);
        time.shifted(ahead) - Time::default()
    }

    /// Was it set between these two moments?
    pub(super) fn was_set(&self, from: Time, to: Time) -> bool {
        self.stretches.iter().skip(1).any(|stretch| from <= stretch.since && stretch.since <= to)
    }

    fn stretch(&self, time: Time) -> Option<&Stretch> {
        let before = self.stretches.iter().rev().find(|stretch| stretch.since <= time);
        before.or_else(|| self.stretches.front())
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds: NTP moves a clock by less than one in a second, and sets it when it is wrong by more than a hundred.
const SET: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Time {
        Time::default() + Duration::from_secs(second)
    }

    fn wall(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_is_kept_right_is_not() {
        let mut clock = Wall::default();
        for second in 1_000_000..1_000_100 {
            clock.look(at(second), wall(second) + Duration::from_millis(second % 100 * 5));
        }
        assert!(!clock.was_set(at(0), at(2_000_000)));
        // Set back by three days, then forth by an hour.
        (1_000_100..1_000_200).for_each(|second| clock.look(at(second), wall(second - 259_200)));
        (1_000_200..1_000_300).for_each(|second| clock.look(at(second), wall(second + 3_600)));
        assert_eq!(clock.at(at(1_000_050)).as_secs(), 1_000_050);
        assert_eq!(clock.at(at(1_000_150)), wall(1_000_150 - 259_200));
        assert_eq!(clock.at(at(1_000_250)), wall(1_000_250 + 3_600));
        assert!(clock.was_set(at(1_000_050), at(1_000_150)));
        assert!(clock.was_set(at(1_000_150), at(1_000_250)));
        assert!(!clock.was_set(at(1_000_110), at(1_000_190)));
        assert!(!clock.was_set(at(1_000_210), at(1_000_290)));
    }

    #[test]
    fn a_clock_that_is_set_all_the_time_takes_no_more_room() {
        let mut clock = Wall::default();
        (1..10_000).for_each(|second| clock.look(at(second), wall(second * 60)));
        assert!(clock.stretches.len() <= limits::CLOCK_SETS);
        assert!(clock.was_set(at(9_990), at(9_995)));
    }

    #[test]
    fn before_anybody_has_looked_both_clocks_agree() {
        assert_eq!(Wall::default().at(at(5)), wall(5));
    }
}
