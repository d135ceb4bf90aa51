//! `Calls`: how calls are followed.

use std::time::Duration;

/// How calls are followed that pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// For how long at most, when nobody is seen to hang up.
    pub longest: Duration,
}

/// What a server waits for that is told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Farewell {
    /// Requests that have not been answered, and answers that have not been acknowledged: calls that stand do without the server until it
    /// is back.
    #[default]
    Requests,
    /// Also for the calls that it follows to be hung up.
    Calls,
}

impl Default for Calls {
    /// A day.
    fn default() -> Self {
        Self { longest: Duration::from_secs(86_400) }
    }
}
