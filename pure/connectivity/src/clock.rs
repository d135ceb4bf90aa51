//! `Clock`: our time, for libraries that count in the standard library's.

#![expect(
    clippy::disallowed_types,
    reason = "the libraries are told the time in these; nothing but the distance between two is ever looked at (docs/decisions/0022)"
)]

use std::time::{Duration, Instant};

use machine::Time;

/// Translates [`Time`] to the standard library's `Instant` and back. The first is tied to some `Instant`, whichever; from there on distances are the
/// same in both, so that a life in the simulator is the same each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    began: Time,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn new(now: Time) -> Self {
        Self { origin: Instant::now(), began: now }
    }

    /// That moment, for a library.
    pub(crate) fn there(self, time: Time) -> Instant {
        let passed = (time - self.began).min(AGES);
        self.origin.checked_add(passed).unwrap_or(self.origin)
    }

    /// What a library says, for us.
    pub(crate) fn here(self, instant: Instant) -> Time {
        self.began + instant.saturating_duration_since(self.origin)
    }
}

/// Longer than any call: an `Instant` cannot be as far away as the end of time.
const AGES: Duration = Duration::from_secs(100 * 365 * 86_400);
