//! What the nodes of a cluster have in common: the facts that they share, and who of them has a flow.

use std::net::SocketAddr;

use crate::Record;

/// A fact for all nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The fact. Its value begins with its edition, eight octets.
    pub record: Record,
    /// The edition that it takes the place of: when another is kept, that one stays. When nothing is kept, it does not count.
    pub before: [u8; 8],
    /// Whether the other nodes are told.
    pub told: bool,
}

/// Another node of a cluster, as the keeper of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour {
    /// Where other nodes reach it.
    pub at: SocketAddr,
    /// Which of its lives: a connection does not outlive one.
    pub life: u32,
}
