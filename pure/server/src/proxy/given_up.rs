//! `GivenUp`: INVITEs whose server was silent for so long that the next one was asked (RFC 3263 §4.3).
//!
//! Their transactions still listen. Who rings too late is cancelled; who then never answers is forgotten (RFC 3261 §9.1).

use std::collections::{BTreeSet, VecDeque};

use machine::Time;
use protocol::transaction::ClientId;

/// As many as there are client transactions, whose number has a limit.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    silent: BTreeSet<ClientId>,
    /// By the time until which a final answer is waited for: all wait equally long, so the first is the next.
    cancelled: VecDeque<(Time, ClientId)>,
}

impl GivenUp {
    /// Notes one that nobody waits for any more.
    pub(super) fn note(&mut self, client: ClientId) {
        self.silent.insert(client);
    }

    /// It spoke, or it never will: true when it was silent until now.
    pub(super) fn spoke(&mut self, client: ClientId) -> bool {
        self.silent.remove(&client)
    }

    /// A CANCEL went after it; its final answer is waited for until then.
    pub(super) fn cancelled(&mut self, client: ClientId, until: Time) {
        self.cancelled.push_back((until, client));
    }

    /// The next one that has had its time, whether it answered or not.
    pub(super) fn overdue(&mut self, now: Time) -> Option<ClientId> {
        self.cancelled.front().filter(|(until, _)| *until <= now)?;
        self.cancelled.pop_front().map(|(_, client)| client)
    }

    /// When the next one has had its time.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.cancelled.front().map(|(until, _)| *until)
    }
}
