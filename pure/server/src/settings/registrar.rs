//! `Registrar`: how registrations are kept (RFC 3261 §10.3).

use std::time::Duration;

/// How registrations are kept (RFC 3261 §10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// Shorter wishes are refused with 423.
    pub min: Duration,
    /// For phones that wish nothing.
    pub default: Duration,
    /// Longer wishes are shortened to this.
    pub max: Duration,
    /// How many contacts an address of record may have.
    pub max_contacts: usize,
}

impl Default for Registrar {
    fn default() -> Self {
        let [min, default, max] = [60, 3600, 7200].map(Duration::from_secs);
        Self { min, default, max, max_contacts: 10 }
    }
}
