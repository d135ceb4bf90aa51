//! Targets as an operator sees them: the members of groups, and every address that has failed lately.

use std::net::SocketAddr;

use machine::Time;
use protocol::Transport;
use protocol::locate::State;

use super::Node;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its group.
    pub group: Box<str>,
    /// Where it is, as the config says it.
    pub to: Box<str>,
    /// Its addresses, as far as they are known, and how each stands. Those of a name are known once it was looked up.
    pub addresses: Vec<Address>,
    /// Calls that it has now, when their number is limited: on this shard.
    pub calls: usize,
}

/// An address, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// By which transport.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// How it stands.
    pub state: State,
}

/// What this shard knows of the targets of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// The members of all groups, in the order of the config.
    pub members: Vec<Member>,
    /// The addresses that have failed lately, of members or not.
    pub failed: Vec<Address>,
}

impl Node {
    /// How the members of groups stand, and which addresses have failed lately.
    pub fn targets(&self, now: Time) -> Targets {
        self.roles.proxy.targets(now, &self.house)
    }
}
