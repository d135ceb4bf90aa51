//! `Rate`: how many calls begin in a second.

use std::time::Duration;

use machine::Time;

/// So many in any second, evenly or at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// What each takes.
    each: Duration,
    /// Up to when what was taken has been paid for.
    paid: Time,
}

impl Rate {
    /// At least one a second.
    pub(super) fn new(a_second: u32) -> Self {
        let each = Duration::from_secs(1).checked_div(a_second).unwrap_or(Duration::from_secs(1));
        Self { each, paid: Time(0) }
    }

    /// Is there room for one more? A second's worth may be taken at once.
    pub(super) fn has_room(&self, now: Time) -> bool {
        self.paid.max(now) + self.each <= now + Duration::from_secs(1)
    }

    /// Takes one.
    pub(super) fn take(&mut self, now: Time) {
        self.paid = self.paid.max(now) + self.each;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_and_an_idle_one_saves_nothing() {
        let mut rate = Rate::new(5);
        let mut taken = Vec::new();
        for third in 0..150 {
            let now = Time((100 + third / 3) * 100_000_000);
            if rate.has_room(now) {
                rate.take(now);
                taken.push(now);
            }
        }
        let second = Duration::from_secs(1);
        // Five at once at the beginning, then one each fifth of a second.
        assert_eq!(taken.len(), 5 + 24);
        let in_window =
            |from: Time| taken.iter().filter(|at| **at >= from && **at < from + second).count();
        assert!(taken.iter().skip(5).all(|at| in_window(*at) <= 5), "{taken:?}");
        let later = Time(1_000_000_000_000);
        let burst = (0..20).filter(|_| rate.has_room(later).then(|| rate.take(later)).is_some());
        assert_eq!(burst.count(), 5);
    }
}
