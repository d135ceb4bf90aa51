//! `Tolls`: what accounts may do on routes, where calls cost money.

use std::time::Duration;

/// What accounts may do on routes, where calls cost money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolls {
    /// How many calls an account has at once on routes, unless it says otherwise; `None`: any number.
    pub calls: Option<u32>,
    /// Calls to what is [forbidden](super::Toll::Forbidden) within [`window`](Self::window), after which an account makes no calls that cost
    /// for [`pause`](Self::pause); 0: they are only reported.
    pub attempts: u32,
    /// How long they count: one is forgotten in each `window / attempts`.
    pub window: Duration,
    /// How long the account has to wait.
    pub pause: Duration,
}

impl Default for Tolls {
    fn default() -> Self {
        let hour = Duration::from_secs(3_600);
        Self { calls: None, attempts: 5, window: hour, pause: hour }
    }
}
