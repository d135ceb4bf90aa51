//! A server without a network, and what phones say to it.

use std::collections::VecDeque;

use machine::{Dice, Machine as _, Time};
use protocol::doors::Ticket;
use protocol::{Answer, Input, Output};
use server::Node;
use server::settings::{Bindings, Settings};
use sip::Bytes;

pub(crate) use crate::outside::CALLEE;
use crate::outside::{asked, input, sent, settings};

pub(crate) const CALLER: ([u8; 4], u16) = ([198, 51, 100, 1], 5060);

pub(crate) struct House {
    node: Node,
    now: Time,
    out: Vec<Output>,
    /// Whether bindings are kept.
    keeps: bool,
    /// What the store was asked to keep last.
    unkept: VecDeque<Ticket>,
}

impl House {
    /// A server that trusts everybody, or asks who it is.
    pub(crate) fn new(challenge: &[&str]) -> Self {
        Self::of(settings(challenge, 100..1100))
    }

    /// One that trusts everybody, and has bindings kept.
    pub(crate) fn kept() -> Self {
        Self::of(Settings { bindings: Bindings::Kept, ..settings(&[], 100..1100) })
    }

    fn of(settings: Settings) -> Self {
        let keeps = settings.bindings == Bindings::Kept;
        let (node, out) = (Node::new(settings, Dice::new(1)), Vec::new());
        Self { node, now: Time(1), out, keeps, unkept: VecDeque::new() }
    }

    /// Octets come; the octets that go. What the store was asked for a while ago is safe now.
    pub(crate) fn hears(&mut self, from: ([u8; 4], u16), wire: impl Into<Bytes>) -> Vec<Bytes> {
        let input = input(from, wire);
        self.now = Time(self.now.0 + 1_000_000);
        self.node.wake(self.now, &mut self.out);
        self.node.handle(self.now, input, &mut self.out);
        if self.keeps {
            self.keeps();
        }
        self.out.drain(..).filter_map(sent).collect()
    }

    /// The store has kept what it was asked for a while ago.
    fn keeps(&mut self) {
        self.unkept.extend(self.out.iter().filter_map(asked));
        let is_safe = self.unkept.len() > UNKEPT;
        if let Some(ticket) = is_safe.then(|| self.unkept.pop_front()).flatten() {
            self.node.handle(self.now, Input::Answered(ticket, Answer::Kept), &mut self.out);
        }
    }
}

/// Writes texts behind what is there.
pub(crate) fn put(message: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| message.extend_from_slice(text.as_bytes()));
}

/// As many wait for the disk.
const UNKEPT: usize = 400;
