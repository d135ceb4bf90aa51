//! `Time`: a moment, as a number.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since the Unix epoch; the driver never lets it go backwards.
///
/// One clock serves both retransmission timers and the `Date` header, and a recorded run can be replayed because a
/// `Time` is only a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

impl Time {
    /// The end of time: a deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// Whole seconds since the Unix epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Whole seconds from `earlier` to `self`, rounded up; 0 when `self` is not later.
    pub fn secs_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).div_ceil(1_000_000_000)
    }

    /// The same moment by a clock that was set forth by so many milliseconds (back, when negative). The end of time stays.
    #[must_use]
    pub const fn shifted(self, milliseconds: i64) -> Self {
        if self.0 == Self::NEVER.0 {
            return self;
        }
        Self(self.0.saturating_add_signed(milliseconds.saturating_mul(1_000_000)))
    }
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.as_secs(), self.0 / 1_000_000 % 1000)
    }
}
