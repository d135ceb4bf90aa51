//! `Calls`: how calls are followed.

use std::time::Duration;

/// How calls are followed that pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// For how long at most, when nobody is seen to hang up.
    pub longest: Duration,
}

impl Default for Calls {
    /// A day.
    fn default() -> Self {
        Self { longest: Duration::from_secs(86_400) }
    }
}
