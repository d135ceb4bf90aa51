//! `Pace`: so many in a second, so many at once (the generic cell rate algorithm: one number says all).

use std::time::Duration;

use machine::Time;

/// So many in a second, so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The time in which one more may come.
    pub(crate) each: Duration,
    /// How far ahead of its time something may come.
    pub(crate) ahead: Duration,
}

impl Pace {
    /// So many in a second, and so many at once; at least one.
    pub(crate) fn of(a_second: u32, at_once: u32) -> Self {
        let each = Duration::from_secs(1) / a_second.max(1);
        Self { each, ahead: each.saturating_mul(at_once.max(1)) }
    }

    /// Lets one more through, unless that is too fast. `due` is when everything before it would have been in time.
    pub(crate) fn lets(self, now: Time, due: &mut Time) -> bool {
        let next = (*due).max(now) + self.each;
        let may = next <= now + self.ahead;
        if may {
            *due = next;
        }
        may
    }
}
