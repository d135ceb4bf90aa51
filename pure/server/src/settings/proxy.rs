//! `Proxy`: how requests are passed on (RFC 3261 §16).

use std::time::Duration;

use crate::routes::Network;

/// How requests are passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// When a caller hears that we are at it.
    pub trying: Trying,
    /// How long the phones of a user ring before those of lower preference do.
    pub ring_each: Duration,
    /// What is done with a 3xx of a phone.
    pub recurse: Recurse,
    /// Whether calls get a session timer, and which.
    pub session_timer: Option<SessionTimer>,
    /// Whether next hops are told how a request came to them (RFC 7044, RFC 5806).
    pub history: bool,
    /// The networks of our trust domain (RFC 3325 §2.3): what they assert of callers we believe, and they may know who calls.
    pub trusted: Vec<Network>,
}

impl Default for Proxy {
    fn default() -> Self {
        let (recurse, session_timer, trusted) = (Recurse::Never, None, Vec::new());
        let (trying, ring_each) = (Trying::AtOnce, Duration::from_secs(20));
        Self { trying, ring_each, recurse, session_timer, history: false, trusted }
    }
}

/// When an INVITE that is passed on gets its 100 (RFC 3261 §17.2.1): without one its caller repeats it after half a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trying {
    /// Before anything is done.
    #[default]
    AtOnce,
    /// After 200 ms, and only when nobody has answered until then: most calls are a datagram cheaper.
    InTime,
}

/// After how long a session ends that nobody refreshes, in seconds (RFC 4028 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// What we ask for, and the longest that we let pass.
    pub expires: u32,
    /// The shortest that we take; at least 90.
    pub min: u32,
}

/// Whether the contacts of a 3xx are tried for the caller (RFC 3261 §16.7 step 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recurse {
    /// The caller gets it, and decides.
    #[default]
    Never,
    /// Those that are users of ours.
    ToUsers,
    /// Those, and those to whom a route leads.
    AlongRoutes,
}
