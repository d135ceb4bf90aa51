//! What an earlier life had kept of a user, as the disk gives it back: it is taken or left, and whoever asks or calls then is answered with what
//! can be read.

use std::net::SocketAddr;

use machine::{Dice, Machine as _, Time};
use protocol::doors::Asker;
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use server::Node;
use server::settings::{Bindings, Settings, User};
use sip::Message;

/// The octets as the bindings of a user.
pub fn run(octets: &[u8]) {
    let (at, peer) =
        (SocketAddr::from(([192, 0, 2, 10], 5060)), SocketAddr::from(([192, 0, 2, 9], 5060)));
    let listener = Listener::new(0, Transport::Udp, at);
    let settings = Settings {
        users: vec![User::new("101", "secret")],
        challenge: Vec::new(),
        bindings: Bindings::Kept,
        ..Settings::of("h", vec![listener, Listener::new(1, Transport::Tcp, at)])
    };
    let mut node = Node::new(settings, Dice::new(1));
    let now = Time(1_000_000_000);
    node.restore(now, (b"101", octets), 0);
    let flow = Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    for method in ["REGISTER", "INVITE"] {
        let uri = if method == "REGISTER" { "sip:h" } else { "sip:101@h" };
        let wire = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
             From: <sip:101@h>;tag=1\r\nTo: <sip:101@h>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        );
        let Ok(message) = Message::parse(wire) else { panic!("it is well") };
        let mut out = Vec::new();
        node.handle(now, Input::Received(flow, message), &mut out);
        assert!(answers(&mut node, now, out), "{method} is answered, or passed on");
    }
    for _ in 0..8 {
        let Some(at) = node.deadline() else { return };
        let mut out = Vec::new();
        node.wake(at, &mut out);
        answers(&mut node, at, out);
    }
}

/// Each message that goes out can be read; whether one did. What the node asks of itself is answered.
fn answers(node: &mut Node, now: Time, mut out: Vec<Output>) -> bool {
    let mut some = false;
    while let Some(output) = out.pop() {
        match output {
            Output::Send(_, wire) => {
                some = true;
                assert!(Message::parse(wire.clone()).is_ok(), "{wire:?}");
            }
            Output::Ask(ticket, question) => {
                node.handle(now, Input::Asked(Asker { shard: 0, ticket }, question), &mut out);
            }
            Output::Tell(asker, answer) => {
                node.handle(now, Input::Answered(asker.ticket, answer), &mut out);
            }
            _ => {}
        }
    }
    some
}
