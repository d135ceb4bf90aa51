//! A moment that recedes: retransmission intervals that double up to a cap (timers A, E, G).

use std::time::Duration;

use machine::Time;

/// When to send again, and how long to wait after that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The next retransmission.
    pub(crate) at: Time,
    /// How long to wait after that, and at most, in nanoseconds: there are many.
    interval: u64,
    cap: u64,
}

impl Backoff {
    /// First due one `interval` after `now`; never waits longer than `cap`.
    pub(crate) fn start(now: Time, interval: Duration, cap: Duration) -> Self {
        Self { at: now + interval, interval: nanoseconds(interval), cap: nanoseconds(cap) }
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
        self.at = now + Duration::from_nanos(self.interval);
        true
    }
}

/// A time that no timer has is as good as the longest.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
