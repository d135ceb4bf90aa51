//! How much there is still to finish, known at any moment without a look at everything: for a server that wants to stop.

use std::collections::VecDeque;

use machine::Time;

use super::{Transaction, Transactions};

/// How far a transaction is from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Somebody waits for its final response.
    Open,
    /// That was given to an INVITE, and its ACK is under way.
    Answered,
    /// Nothing is missing. It only absorbs repeats.
    #[default]
    Done,
}

/// How many are not done.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    open: usize,
    answered: usize,
    /// Until when ACKs are waited for. All are waited for equally long, so they stand in the order of their ends.
    waits: VecDeque<(Time, u64)>,
}

impl Transactions {
    /// How many wait for a final response, from us or from others, or for its ACK. The rest only absorb repeats.
    pub fn unfinished(&self, now: Time) -> usize {
        let Unfinished { open, answered, waits } = &self.unfinished;
        let over = waits.iter().take_while(|(until, _)| *until <= now);
        let over = over.filter(|(_, id)| self.stage(*id) == Stage::Answered).count();
        open.saturating_add(*answered).saturating_sub(over)
    }

    fn stage(&self, id: u64) -> Stage {
        self.all.get(id).map_or(Stage::Done, |entry| entry.stage)
    }

    /// A transaction may have gone on: is it at another stage? It is not waited for again that was given up once.
    pub(super) fn count(&mut self, id: u64) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let stage = match &entry.transaction {
            Transaction::Client(client) if client.is_over() => Stage::Done,
            Transaction::Server(server) if server.is_over() => Stage::Done,
            Transaction::Client(client) if client.is_waiting() => Stage::Open,
            Transaction::Server(server) if server.is_open() => Stage::Open,
            Transaction::Server(server) if entry.stage != Stage::Done && server.wants_ack() => {
                Stage::Answered
            }
            Transaction::Client(_) | Transaction::Server(_) => Stage::Done,
        };
        let before = std::mem::replace(&mut entry.stage, stage);
        self.unfinished.moved(before, stage);
    }

    /// An answer was given: when it is the first for good, its ACK is waited for from now on.
    pub(super) fn wait_for_ack(&mut self, now: Time, id: u64, before: Stage) {
        if (before, self.stage(id)) == (Stage::Open, Stage::Answered) {
            self.unfinished.waits.push_back((now + self.timers.acknowledging(), id));
        }
        self.wait_no_more(now);
    }

    /// Some ACKs will not come.
    pub(super) fn wait_no_more(&mut self, now: Time) {
        let due = |waits: &VecDeque<(Time, u64)>| waits.front().copied().filter(|it| it.0 <= now);
        while let Some((_, id)) = due(&self.unfinished.waits) {
            self.unfinished.waits.pop_front();
            if let Some(entry) = self.all.get_mut(id).filter(|it| it.stage == Stage::Answered) {
                entry.stage = Stage::Done;
                self.unfinished.moved(Stage::Answered, Stage::Done);
            }
        }
    }
}

impl Unfinished {
    const fn moved(&mut self, from: Stage, to: Stage) {
        match from {
            Stage::Open => self.open = self.open.saturating_sub(1),
            Stage::Answered => self.answered = self.answered.saturating_sub(1),
            Stage::Done => {}
        }
        match to {
            Stage::Open => self.open = self.open.saturating_add(1),
            Stage::Answered => self.answered = self.answered.saturating_add(1),
            Stage::Done => {}
        }
    }
}
