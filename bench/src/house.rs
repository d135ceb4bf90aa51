//! A server without a network, and what phones say to it.

use std::net::SocketAddr;

use machine::{Dice, Machine as _, Time};
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use server::Node;
use server::settings::{Overload, Redirect, Settings, User};
use sip::{Bytes, Message};

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 10], 5060);
pub(crate) const CALLER: ([u8; 4], u16) = ([198, 51, 100, 1], 5060);
pub(crate) const CALLEE: ([u8; 4], u16) = ([198, 51, 100, 2], 5060);

pub(crate) struct House {
    node: Node,
    now: Time,
    out: Vec<Output>,
}

impl House {
    /// A server that trusts everybody, or asks who it is.
    pub(crate) fn new(challenge: &[&str]) -> Self {
        let listeners = vec![Listener::new(0, Transport::Udp, SocketAddr::from(SERVER))];
        let users = (100..1100).map(|n| User::new(&n.to_string(), "secret")).collect();
        let challenge = challenge.iter().map(|method| (*method).into()).collect();
        let elsewhere = Redirect::new("away", &["sip:102@192.0.2.77:5060"]);
        let settings = Settings {
            users,
            challenge,
            redirects: vec![elsewhere],
            // A thousand phones come from one address here.
            overload: Overload { per_source: 0, ..Overload::default() },
            ..Settings::of("example.test", listeners)
        };
        Self { node: Node::new(settings, Dice::new(1)), now: Time(1), out: Vec::new() }
    }

    /// Octets come; the octets that go.
    pub(crate) fn hears(&mut self, from: ([u8; 4], u16), wire: impl Into<Bytes>) -> Vec<Bytes> {
        let (transport, peer) = (Transport::Udp, SocketAddr::from(from));
        let flow = Flow { transport, listener: 0, connection: 0, peer, identity: Identity::NONE };
        let input = match Message::parse(wire) {
            Ok(message) => Input::Received(flow, message),
            Err(malformed) => Input::Malformed(flow, malformed),
        };
        self.now = Time(self.now.0 + 1_000_000);
        self.node.wake(self.now, &mut self.out);
        self.node.handle(self.now, input, &mut self.out);
        let sent = |output| match output {
            Output::Send(_, wire) => Some(wire),
            _ => None,
        };
        self.out.drain(..).filter_map(sent).collect()
    }
}

/// Writes texts behind what is there.
pub(crate) fn put(message: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| message.extend_from_slice(text.as_bytes()));
}
