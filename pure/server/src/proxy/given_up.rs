//! `GivenUp`: INVITEs whose server was silent for so long that the next one was asked (RFC 3263 §4.3).
//!
//! Their transactions still listen. Who rings too late is cancelled; who then never answers is forgotten (RFC 3261 §9.1). Who accepts all the
//! same has the call, as any branch has.

use std::collections::{BTreeMap, VecDeque};

use machine::Time;
use protocol::transaction::ClientId;

use super::Sent;

/// As many as there are client transactions, whose number has a limit.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    /// Those that have not answered for good.
    open: BTreeMap<ClientId, One>,
    /// By the time until which a final answer is waited for: all wait equally long, so the first is the next.
    cancelled: VecDeque<(Time, ClientId)>,
}

#[derive(Debug)]
struct One {
    sent: Sent,
    /// Nothing was heard of it.
    silent: bool,
}

impl GivenUp {
    /// Notes one that nobody waits for any more.
    pub(super) fn note(&mut self, client: ClientId, sent: Sent) {
        self.open.insert(client, One { sent, silent: true });
    }

    /// It rings: true for one that was silent until now.
    pub(super) fn rings(&mut self, client: ClientId) -> bool {
        self.open.get_mut(&client).is_some_and(|one| std::mem::take(&mut one.silent))
    }

    /// It has answered for good, or never will: which it was.
    pub(super) fn over(&mut self, client: ClientId) -> Option<Sent> {
        self.open.remove(&client).map(|one| one.sent)
    }

    /// A CANCEL went after it; its final answer is waited for until then.
    pub(super) fn cancelled(&mut self, client: ClientId, until: Time) {
        self.cancelled.push_back((until, client));
    }

    /// The next one that has had its time, and has not answered.
    pub(super) fn overdue(&mut self, now: Time) -> Option<ClientId> {
        while self.deadline().is_some_and(|until| until <= now) {
            let (_, client) = self.cancelled.pop_front()?;
            if self.over(client).is_some() {
                return Some(client);
            }
        }
        None
    }

    /// When the next one has had its time.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.cancelled.front().map(|(until, _)| *until)
    }
}
