//! `Transactions`: requests to a STUN or TURN server that wait for their answer, said again until it comes (RFC 8489 §6.2.1).

use std::time::Duration;

use machine::{Dice, Time};
use stun::{Draft, Message};

use crate::limits;

/// Requests that wait, each for something.
#[derive(Debug)]
pub(crate) struct Transactions<Purpose> {
    dice: Dice,
    waiting: Vec<Waiting<Purpose>>,
}

#[derive(Debug)]
struct Waiting<Purpose> {
    transaction: [u8; 12],
    purpose: Purpose,
    octets: Vec<u8>,
    again: Time,
    pause: Duration,
    left: u8,
}

/// What time has brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Late<Purpose> {
    /// To be said again.
    Again(Vec<u8>),
    /// Nobody answers.
    Unanswered(Purpose),
}

impl<Purpose> Transactions<Purpose> {
    pub(crate) const fn new(dice: Dice) -> Self {
        Self { dice, waiting: Vec::new() }
    }

    /// Begins a request: what goes out.
    pub(crate) fn ask(
        &mut self,
        now: Time,
        (purpose, kind): (Purpose, u16),
        write: impl FnOnce(Draft) -> Vec<u8>,
    ) -> Vec<u8> {
        let transaction = self.transaction();
        let octets = write(Draft::new(kind, transaction));
        let (pause, left) = (limits::ASK_AGAIN, limits::ASKS);
        let (again, sent) = (now + pause, octets.clone());
        if self.waiting.len() < limits::REQUESTS {
            self.waiting.push(Waiting { transaction, purpose, octets, again, pause, left });
        }
        sent
    }

    /// What the request was for that this answers.
    pub(crate) fn answered(&mut self, answer: &Message<'_>) -> Option<Purpose> {
        let is = |one: &Waiting<Purpose>| one.transaction == answer.transaction;
        let at = self.waiting.iter().position(is)?;
        Some(self.waiting.swap_remove(at).purpose)
    }

    /// The next that is late.
    pub(crate) fn late(&mut self, now: Time) -> Option<Late<Purpose>> {
        let at = self.waiting.iter().position(|one| one.again <= now)?;
        let one = self.waiting.get_mut(at)?;
        let Some(left) = one.left.checked_sub(1) else {
            return Some(Late::Unanswered(self.waiting.swap_remove(at).purpose));
        };
        one.left = left;
        one.pause = one.pause.saturating_mul(2);
        one.again = now + one.pause;
        Some(Late::Again(one.octets.clone()))
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.waiting.iter().map(|one| one.again).min()
    }

    /// A transaction of nobody, for what is not answered.
    pub(crate) fn indication(&mut self, kind: u16) -> Draft {
        Draft::new(kind, self.transaction())
    }

    /// 96 random bits (RFC 8489 §5).
    fn transaction(&mut self) -> [u8; 12] {
        let mut transaction = [0; 12];
        let random = [self.dice.roll().to_be_bytes(), self.dice.roll().to_be_bytes()];
        transaction.iter_mut().zip(random.as_flattened()).for_each(|(to, octet)| *to = *octet);
        transaction
    }
}
