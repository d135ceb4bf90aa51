//! Locating servers (RFC 3263), away from the shards: a look-up may take seconds, and a shard never waits.

use protocol::locate::{Domain, Hop, Means};

use crate::reply::Reply;

/// Finds where a next hop is. Numbers never come here.
pub trait Resolver: Send + Sync {
    /// Begins a look-up with what the listeners can send by, and returns at once. The answer is given to `reply`, now or later, by any
    /// thread.
    fn resolve(&self, hop: Hop, means: Means, reply: Reply);

    /// Begins a look-up of the services of a name (NAPTR records), in the same way. Who knows none drops the reply.
    fn services(&self, name: Domain, reply: Reply) {
        drop((name, reply));
    }
}

/// Without a resolver nobody answers.
pub(crate) struct Nobody;

impl Resolver for Nobody {
    fn resolve(&self, _: Hop, _: Means, _: Reply) {}
}
