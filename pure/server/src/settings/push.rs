//! `Push`: which notification services can wake phones (RFC 8599).

use std::time::Duration;

/// Which notification services can wake phones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// What their phones call them: `apns`, `fcm`, `webpush`.
    pub providers: Vec<Box<str>>,
    /// How long a call waits for a phone that is woken.
    pub wait: Duration,
}
