//! `Query`: asks a STUN server from where it sees us (RFC 8489 §2, RFC 8445 §5.1.1.2).

use std::net::SocketAddr;

use machine::{Dice, Time};
use stun::{Message, attributes, kinds};

use crate::transaction::{Late, Transactions};

/// The question, until it is answered.
#[derive(Debug)]
pub(crate) struct Query {
    server: SocketAddr,
    transactions: Transactions<()>,
    answer: Answer,
}

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing yet.
    Waiting,
    /// We come from there.
    Mapped(SocketAddr),
    /// The server does not answer, or not so that it can be understood.
    Silence,
}

impl Query {
    /// Asks.
    pub(crate) fn new(now: Time, server: SocketAddr, dice: Dice, out: &mut Vec<Vec<u8>>) -> Self {
        let mut transactions = Transactions::new(dice);
        out.push(transactions.ask(now, ((), kinds::BINDING), |draft| draft.finish(None)));
        Self { server, transactions, answer: Answer::Waiting }
    }

    /// Where the question goes.
    pub(crate) const fn server(&self) -> SocketAddr {
        self.server
    }

    /// What is known.
    pub(crate) const fn answer(&self) -> Answer {
        self.answer
    }

    /// A datagram of the server.
    pub(crate) fn receive(&mut self, octets: &[u8]) {
        let Some(message) = Message::read(octets) else { return };
        if self.transactions.answered(&message).is_none() {
            return;
        }
        let mapped = message.address(attributes::XOR_MAPPED_ADDRESS);
        self.answer = match mapped.filter(|_| message.kind == kinds::BINDING_SUCCESS) {
            Some(mapped) => Answer::Mapped(mapped),
            None => Answer::Silence,
        };
    }

    /// Asks again, or gives up.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        while let Some(late) = self.transactions.late(now) {
            match late {
                Late::Again(octets) => out.push(octets),
                Late::Unanswered(()) => self.answer = Answer::Silence,
            }
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.transactions.deadline()
    }
}
