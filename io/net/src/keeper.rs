//! Keeping records, away from the shards: a disk may take its time, and a shard never waits.

use std::sync::Arc;

use machine::Time;
use protocol::Record;
use protocol::doors::Share;

use crate::reply::Reply;

/// Keeps what must outlive the process.
pub trait Keeper: Send + Sync {
    /// Takes a record, and returns at once. [`Answer::Kept`](protocol::Answer::Kept) is given to `reply` when it is safe, now or later, by any
    /// thread; dropped without an answer, it is not kept.
    fn keep(&self, record: Arc<Record>, reply: Reply);

    /// Takes a record that all nodes of a cluster are to have, in the same way ([`Answer::Differs`](protocol::Answer::Differs): another node
    /// was faster). Who has no such store drops the reply.
    fn share(&self, share: Share, reply: Reply) {
        drop((share, reply));
    }

    /// Begins to look up what all nodes have under a key, in the same way ([`Answer::Recalled`](protocol::Answer::Recalled)).
    fn recall(&self, key: Box<[u8]>, reply: Reply) {
        drop((key, reply));
    }

    /// Begins to note, for all nodes, that a nonce was used with a count, in the same way ([`Answer::Spent`](protocol::Answer::Spent)).
    fn spend(&self, nonce: Box<str>, count: u32, until: Time, reply: Reply) {
        drop((nonce, count, until, reply));
    }
}

/// Without a keeper nothing is kept.
pub(crate) struct Forgetful;

impl Keeper for Forgetful {
    fn keep(&self, _: Arc<Record>, _: Reply) {}
}
