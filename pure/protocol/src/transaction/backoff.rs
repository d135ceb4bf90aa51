//! A moment that recedes: retransmission intervals that double up to a cap (timers A, E, G).

use std::time::Duration;

use machine::Time;

/// When to send again, and how long to wait after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The next retransmission.
    pub(crate) at: Time,
    /// How long to wait after that, and at most, in microseconds: there are many.
    interval: u32,
    cap: u32,
}

impl Backoff {
    /// First due one `interval` after `now`; never waits longer than `cap`.
    pub(crate) fn start(now: Time, interval: Duration, cap: Duration) -> Self {
        Self { at: now + interval, interval: microseconds(interval), cap: microseconds(cap) }
    }

    /// Due when it was, and from then on every `cap`.
    pub(crate) const fn slow_down(&mut self) {
        self.interval = self.cap;
    }

    /// True if due at `now`; if so, the next one is scheduled.
    pub(crate) fn fire(&mut self, now: Time) -> bool {
        if now < self.at {
            return false;
        }
        self.interval = self.interval.saturating_mul(2).min(self.cap);
        self.at = now + Duration::from_micros(self.interval.into());
        true
    }
}

/// A time that no timer has is as good as the longest.
fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
