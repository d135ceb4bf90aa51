//! `Group`: next hops that stand for each other, as the settings say it.

use std::time::Duration;

/// Next hops that stand for each other: a request goes to the first that takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What routes call it.
    pub name: Box<str>,
    /// Its members.
    pub members: Vec<Member>,
    /// Which is tried first, among those of one priority.
    pub balance: Balance,
    /// With which answers a member sends a request on to the next: besides silence, a transport that fails, and 503.
    pub failover: Vec<u16>,
    /// How it is found out who is alive; `None`: by requests alone.
    pub probe: Option<Probe>,
    /// How long a call counts when nobody is seen to hang it up.
    pub longest_call: Duration,
}

/// One next hop of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// A SIP URI.
    pub to: Box<str>,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Its share among those of its priority.
    pub weight: u16,
    /// How many calls it has at once; `None`: as many as there are.
    pub calls: Option<u32>,
    /// How many calls begin there in a second; `None`: as many as there are.
    pub rate: Option<u32>,
}

/// Which member is tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The first.
    #[default]
    Order,
    /// Each in its turn.
    RoundRobin,
    /// By chance, in proportion to the weights.
    Weight,
    /// The same for all requests of one call.
    CallId,
    /// The same for all calls of one caller.
    Caller,
}

/// How it is found out who is alive: by OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// From one to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many in a row without an answer, and it is down.
    pub down: u32,
    /// So many answers in a row, and it is back.
    pub up: u32,
}

impl Group {
    /// A group of these members, the first tried first.
    pub fn of(name: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|to| Member::at(to)).collect();
        Self {
            name: name.into(),
            members,
            balance: Balance::Order,
            failover: Vec::new(),
            probe: None,
            longest_call: Duration::from_secs(4 * 3600),
        }
    }
}

impl Member {
    /// A member like any other.
    pub fn at(to: &str) -> Self {
        Self { to: to.into(), priority: 1, weight: 1, calls: None, rate: None }
    }
}

impl Default for Probe {
    fn default() -> Self {
        let [interval, timeout] = [30, 4].map(Duration::from_secs);
        Self { interval, timeout, down: 2, up: 2 }
    }
}
