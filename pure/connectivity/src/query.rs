//! `Query`: asks a STUN server from where it sees us (RFC 8489 §2, RFC 8445 §5.1.1.2).

use std::net::SocketAddr;

use machine::{Dice, Time};
use stun::{Message, attributes, kinds};

use crate::limits;
use crate::transaction::{Late, Transactions};

/// The question, until it is answered.
#[derive(Debug)]
pub(crate) struct Query {
    server: SocketAddr,
    transactions: Transactions<()>,
    answer: Answer,
    /// When it is asked again, so that a NAT on the way remembers us.
    keep: Option<Time>,
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
        Self { server, transactions, answer: Answer::Waiting, keep: None }
    }

    /// Where the question goes.
    pub(crate) const fn server(&self) -> SocketAddr {
        self.server
    }

    /// What is known.
    pub(crate) const fn answer(&self) -> Answer {
        self.answer
    }

    /// A datagram of the server; `None`, when it answers something else. What it says first counts: our description has said it.
    pub(crate) fn receive(&mut self, now: Time, octets: &[u8]) -> Option<()> {
        let message = Message::read(octets)?;
        self.transactions.answered(&message)?;
        if let Answer::Mapped(_) = self.answer {
            return Some(());
        }
        let mapped = message.address(attributes::XOR_MAPPED_ADDRESS);
        self.keep = mapped.map(|_| now + limits::KEEP_MAPPED);
        self.answer = match mapped.filter(|_| message.kind == kinds::BINDING_SUCCESS) {
            Some(mapped) => Answer::Mapped(mapped),
            None => Answer::Silence,
        };
        Some(())
    }

    /// A way was found: what flows there keeps the NAT awake (RFC 8445 §8.3).
    pub(crate) const fn rest(&mut self) {
        self.keep = None;
    }

    /// Asks again, or gives up.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Vec<u8>>) {
        if self.keep.is_some_and(|due| due <= now) {
            self.keep = Some(now + limits::KEEP_MAPPED);
            out.push(self.transactions.ask(now, ((), kinds::BINDING), |draft| draft.finish(None)));
        }
        while let Some(late) = self.transactions.late(now) {
            match late {
                Late::Again(octets) => out.push(octets),
                Late::Unanswered(()) if self.keep.is_some() => {}
                Late::Unanswered(()) => self.answer = Answer::Silence,
            }
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.transactions.deadline().into_iter().chain(self.keep).min()
    }
}
