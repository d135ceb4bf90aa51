//! `Overload`: what is done when there is too much to do.

use std::time::Duration;

use crate::routes::Network;

/// What is done when there is too much to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overload {
    /// How long a new request may wait for its turn before it is refused; zero: none is, and none waits.
    pub target: Duration,
    /// How many new requests a second one source may send, in the long run; 0: as many as it likes.
    pub per_source: u32,
    /// How many it may send at once.
    pub at_once: u32,
    /// Networks that may send as many as they like.
    pub unlimited: Vec<Network>,
    /// Numbers that are called for help: they go before others.
    pub emergency: Vec<Box<str>>,
    /// Whether neighbours and we tell each other how much is too much (RFC 7339).
    pub feedback: bool,
}

impl Default for Overload {
    fn default() -> Self {
        // What is on this machine is the operator's own.
        let own = ["127.0.0.0/8", "::1"].iter().filter_map(|network| network.parse().ok());
        Self {
            target: Duration::from_millis(200),
            per_source: 200,
            at_once: 4000,
            unlimited: own.collect(),
            emergency: Self::EMERGENCY.map(Box::from).into(),
            feedback: true,
        }
    }
}

impl Overload {
    /// What is called for help nearly everywhere.
    pub const EMERGENCY: [&str; 2] = ["112", "911"];
}
