//! Waking phones, away from the shards: a notification service may take its time, and a shard never waits.

use protocol::doors::Sleeper;

use crate::reply::Reply;

/// Has phones woken by their notification services (RFC 8599).
pub trait Pusher: Send + Sync {
    /// Takes the wish, and returns at once. [`Answer::Pushed`](protocol::Answer::Pushed) is given to `reply` when the service has taken it, now
    /// or later, by any thread; dropped without an answer, it has not.
    fn push(&self, sleeper: Sleeper, reply: Reply);
}

/// Without a pusher nobody is woken.
pub(crate) struct Quiet;

impl Pusher for Quiet {
    fn push(&self, _: Sleeper, _: Reply) {}
}
