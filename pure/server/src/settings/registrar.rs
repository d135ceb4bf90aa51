//! `Registrar`: how registrations are kept (RFC 3261 §10.3).

use std::time::Duration;

/// How registrations are kept (RFC 3261 §10.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// Shorter wishes are refused with 423.
    pub min: Duration,
    /// For phones that wish nothing.
    pub default: Duration,
    /// Longer wishes are shortened to this.
    pub max: Duration,
    /// How many contacts an address of record may have.
    pub max_contacts: usize,
    /// What happens to more.
    pub when_full: WhenFull,
    /// How much less than its wish a phone may get, in a hundred: so that not all come back together. 0: all get what they wish.
    pub jitter: u8,
    /// By which proxies phones send their requests, nearest first: loose SIP URIs for Service-Route (RFC 3608).
    pub service_route: Vec<Box<str>>,
    /// How often a phone that keeps its flow up says so at least, in seconds (RFC 5626 §5.4); none: as it likes.
    pub flow_timer: Option<u32>,
    /// The domains whose phones register through us (RFC 5626 §5): what is for them passes unasked, for they ask by themselves.
    pub edge_for: Vec<Box<str>>,
}

/// What happens when an address of record has as many contacts as it may have, and one more registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused with 403.
    Refuse,
    /// The one that was refreshed longest ago gives way.
    Oldest,
}

/// Where bindings are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bindings {
    /// Here; a restart forgets them.
    #[default]
    InMemory,
    /// Also where `Question::Keep` leads: a REGISTER is answered once its bindings are safe there.
    Kept,
    /// Where `Question::Share` leads: all nodes of a cluster have the same. A REGISTER is answered once that store has its bindings.
    Shared,
}

impl Default for Registrar {
    fn default() -> Self {
        let [min, default, max] = [60, 3600, 7200].map(Duration::from_secs);
        Self {
            min,
            default,
            max,
            max_contacts: 10,
            when_full: WhenFull::Refuse,
            jitter: 10,
            service_route: Vec::new(),
            flow_timer: None,
            edge_for: Vec::new(),
        }
    }
}
