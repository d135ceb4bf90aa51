//! Keeping records, away from the shards: a disk may take its time, and a shard never waits.

use protocol::Record;

use crate::reply::Reply;

/// Keeps what must outlive the process.
pub trait Keeper: Send + Sync {
    /// Takes a record, and returns at once. [`Answer::Kept`](protocol::Answer::Kept) is given to `reply` when it is safe, now or later, by any
    /// thread; dropped without an answer, it is not kept.
    fn keep(&self, record: Record, reply: Reply);
}

/// Without a keeper nothing is kept.
pub(crate) struct Forgetful;

impl Keeper for Forgetful {
    fn keep(&self, _: Record, _: Reply) {}
}
