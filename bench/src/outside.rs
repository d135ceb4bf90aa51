//! How a server without a network is set up, what it is told, and what it says.

use std::net::SocketAddr;
use std::ops::Range;

use protocol::doors::{Question, Ticket};
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use server::settings::{Overload, Redirect, Settings, User};
use sip::{Bytes, Message};

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 10], 5060);
pub(crate) const CALLEE: ([u8; 4], u16) = ([198, 51, 100, 2], 5060);

/// A server that trusts everybody, or asks who it is; its users are numbers.
pub(crate) fn settings(challenge: &[&str], users: Range<u32>) -> Settings {
    let listeners = vec![Listener::new(0, Transport::Udp, SocketAddr::from(SERVER))];
    let users = users.map(|n| User::new(&n.to_string(), "secret")).collect();
    let challenge = challenge.iter().map(|method| (*method).into()).collect();
    let elsewhere = Redirect::new("away", &["sip:102@192.0.2.77:5060"]);
    Settings {
        users,
        challenge,
        redirects: vec![elsewhere],
        // A thousand phones come from one address here.
        overload: Overload { per_source: 0, ..Overload::default() },
        ..Settings::of("example.test", listeners)
    }
}

/// Octets come in a datagram.
pub(crate) fn input((ip, port): ([u8; 4], u16), wire: impl Into<Bytes>) -> Input {
    let (transport, peer) = (Transport::Udp, SocketAddr::from((ip, port)));
    let flow = Flow { transport, listener: 0, connection: 0, peer, identity: Identity::NONE };
    match Message::parse(wire) {
        Ok(message) => Input::Received(flow, message),
        Err(malformed) => Input::Malformed(flow, malformed),
    }
}

/// The octets that go, when some do.
pub(crate) fn sent(output: Output) -> Option<Bytes> {
    match output {
        Output::Send(_, wire) => Some(wire),
        _ => None,
    }
}

/// The ticket, when the store is asked to keep something.
pub(crate) fn asked(output: &Output) -> Option<Ticket> {
    match output {
        Output::Ask(ticket, Question::Keep(_)) => Some(*ticket),
        _ => None,
    }
}
