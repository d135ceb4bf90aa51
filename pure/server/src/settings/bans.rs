//! `Bans`: what a stranger may do before it is not heard any more.

use std::time::Duration;

use crate::routes::Network;

/// What a stranger may do before it is not heard any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bans {
    /// Wrong answers to our challenges from one source within [`window`](Self::window), before it is banned; 0: nobody ever is.
    pub failures: u32,
    /// How long they count: one is forgotten in each `window / failures`.
    pub window: Duration,
    /// How long the first ban of a source lasts. Each further one lasts four times as long, up to [`longest`](Self::longest).
    pub first: Duration,
    /// How long a ban lasts at most; a source that was quiet for so long after a ban begins anew.
    pub longest: Duration,
    /// What becomes of a source from which somebody is registered.
    pub registered: Registered,
    /// Networks that are never barred: their guesses are slowed.
    pub never: Vec<Network>,
    /// Words of the User-Agent of tools that guess passwords. Their guesses count five times: a hint, no proof.
    pub scanners: Vec<Box<str>>,
    /// Wrong answers for one user within [`window`](Self::window), from wherever, before strangers that name it are slowed; 0: never.
    pub user_failures: u32,
}

/// What becomes of a source from which somebody is registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registered {
    /// Its guesses are slowed; its phones are served.
    #[default]
    Slowed,
    /// It is barred like others, with all its phones.
    Barred,
}

impl Default for Bans {
    fn default() -> Self {
        // What is on this machine is the operator's own.
        let never = ["127.0.0.0/8", "::1"].iter().filter_map(|network| network.parse().ok());
        Self {
            failures: 10,
            window: Duration::from_secs(600),
            first: Duration::from_secs(300),
            longest: Duration::from_secs(86_400),
            registered: Registered::default(),
            never: never.collect(),
            scanners: Self::SCANNERS.map(Box::from).into(),
            user_failures: 50,
        }
    }
}

impl Bans {
    /// How tools call themselves that look for servers and guess passwords, unless they are told to lie.
    pub const SCANNERS: [&str; 7] =
        ["friendly-scanner", "sipvicious", "sipcli", "sip-scan", "sundayddr", "iWar", "pplsip"];
}
