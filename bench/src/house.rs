//! A server without a network, and what phones say to it.

use machine::{Dice, Machine as _, Time};
use protocol::Output;
use server::Node;
use sip::Bytes;

pub(crate) use crate::outside::CALLEE;
use crate::outside::{input, sent, settings};

pub(crate) const CALLER: ([u8; 4], u16) = ([198, 51, 100, 1], 5060);

pub(crate) struct House {
    node: Node,
    now: Time,
    out: Vec<Output>,
}

impl House {
    /// A server that trusts everybody, or asks who it is.
    pub(crate) fn new(challenge: &[&str]) -> Self {
        let settings = settings(challenge, 100..1100);
        Self { node: Node::new(settings, Dice::new(1)), now: Time(1), out: Vec::new() }
    }

    /// Octets come; the octets that go.
    pub(crate) fn hears(&mut self, from: ([u8; 4], u16), wire: impl Into<Bytes>) -> Vec<Bytes> {
        let input = input(from, wire);
        self.now = Time(self.now.0 + 1_000_000);
        self.node.wake(self.now, &mut self.out);
        self.node.handle(self.now, input, &mut self.out);
        self.out.drain(..).filter_map(sent).collect()
    }
}

/// Writes texts behind what is there.
pub(crate) fn put(message: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| message.extend_from_slice(text.as_bytes()));
}
