//! `Waiting`: who has shown the right credentials, and waits for another shard to say that their nonce was not used like this before.

use std::collections::BTreeMap;

use machine::Time;
use protocol::transaction::ServerId;
use protocol::{Flow, Output, Question, Ticket};
use sip::Message;

use super::Asker;
use crate::limits;
use crate::proxy::Plan;
use crate::purpose::Purpose;
use crate::turn::Turn;

/// Those who wait, by the question that was asked for them: in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    visitors: BTreeMap<Ticket, Box<Visitor>>,
    asked: u64,
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Its transaction.
    pub(crate) id: ServerId,
    /// What it wants, and how it came.
    pub(crate) way: (Flow, Message, Plan),
    /// What for.
    pub(crate) purpose: Purpose,
    /// As what we have asked who it is.
    pub(crate) asker: Asker,
    /// What a 2xx will say in its Authentication-Info.
    pub(crate) info: Option<Box<str>>,
    /// How long it waits: a shard that has not answered by then never will.
    pub(crate) until: Time,
}

impl Waiting {
    /// Asks for a visitor; gives it back when too many wait.
    pub(crate) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        question: Question,
        visitor: Box<Visitor>,
    ) -> Result<(), Box<Visitor>> {
        if self.visitors.len() >= limits::VISITORS {
            return Err(visitor);
        }
        self.asked = self.asked.wrapping_add(1);
        let ticket = Ticket(self.asked | OURS);
        self.visitors.insert(ticket, visitor);
        turn.out.push(Output::Ask(ticket, question));
        Ok(())
    }

    /// The one that an answer is for.
    pub(crate) fn answered(&mut self, ticket: Ticket) -> Option<Box<Visitor>> {
        self.visitors.remove(&ticket)
    }

    /// One who does not want it any more.
    pub(crate) fn cancelled(&mut self, id: ServerId) -> Option<Box<Visitor>> {
        let (ticket, _) = self.visitors.iter().find(|(_, visitor)| visitor.id == id)?;
        let ticket = *ticket;
        self.visitors.remove(&ticket)
    }

    /// One who has waited for too long.
    pub(crate) fn overdue(&mut self, now: Time) -> Option<Box<Visitor>> {
        let first = self.visitors.first_entry().filter(|first| first.get().until <= now)?;
        Some(first.remove())
    }

    /// When that will be.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.visitors.first_key_value().map(|(_, visitor)| visitor.until)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.visitors.len()
    }
}

/// What tells our tickets from the proxy's.
const OURS: u64 = 1 << 63;
