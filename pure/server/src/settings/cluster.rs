//! `Cluster`: several servers that serve the same users, each a node.

use protocol::doors::Neighbour;

/// What a server knows of its place in a cluster. All nodes have the same [`secret`](super::Settings::secret): what one has signed, all
/// believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Where the other nodes reach this one, and which of its lives this is.
    pub us: Neighbour,
    /// The listener at that address, by its number: nothing but what a node has sealed is let in there.
    pub listener: u16,
}
