//! What strangers can make a server do: guesses of passwords, and messages made to be expensive.

use std::hint::black_box;
use std::net::SocketAddr;

use machine::{Dice, Machine as _, Time};
use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use server::Node;
use server::settings::{Settings, User};
use sip::{Bytes, Message};

use crate::call::request;
use crate::house::{self, CALLER};

const STRANGER: ([u8; 4], u16) = ([198, 51, 100, 66], 5060);

struct House {
    node: Node,
    out: Vec<Output>,
}

impl House {
    fn new() -> Self {
        let at = SocketAddr::from(([192, 0, 2, 10], 5060));
        let listeners =
            vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)];
        let users = (100..1100).map(|n| User::new(&n.to_string(), "secret")).collect();
        let settings = Settings { users, ..Settings::of("example.test", listeners) };
        Self { node: Node::new(settings, Dice::new(1)), out: Vec::new() }
    }

    /// A datagram comes; how many go.
    fn hears(&mut self, wire: Vec<u8>) -> usize {
        let (transport, peer) = (Transport::Udp, SocketAddr::from(STRANGER));
        let flow = Flow { transport, listener: 0, connection: 0, peer, identity: Identity::NONE };
        self.told(flow, wire)
    }

    /// A message comes on a connection of somebody who has never been here before; how many go.
    fn hears_somebody(&mut self, nth: u64, wire: Vec<u8>) -> usize {
        let [_, _, _, _, _, a, b, c] = nth.to_be_bytes();
        let (transport, connection) = (Transport::Tcp, nth as u32 + 1);
        let peer = SocketAddr::from(([10, a, b, c], 5060));
        let flow = Flow { transport, listener: 1, connection, peer, identity: Identity::NONE };
        self.told(flow, wire)
    }

    fn told(&mut self, flow: Flow, wire: Vec<u8>) -> usize {
        let input = match Message::parse(wire) {
            Ok(message) => Input::Received(flow, message),
            Err(malformed) => Input::Malformed(flow, malformed),
        };
        self.node.handle(Time(1_000_000), input, &mut self.out);
        let sent = self.out.iter().filter(|output| matches!(output, Output::Send(..))).count();
        self.out.clear();
        black_box(sent)
    }
}

/// A guess of somebody's password: right in everything but that.
fn guess(user: u64, call: u64) -> Vec<u8> {
    answer(user, call, &format!("{call:064x}"))
}

/// What is right but for one digit.
fn nearly(user: u64, call: u64, wrong: usize) -> Vec<u8> {
    let (name, nonce) = (user.to_string(), format!("{call:044x}"));
    let asked = Asked {
        algorithm: Algorithm::Sha256,
        session: false,
        method: "REGISTER",
        uri: "sip:example.test",
        nonce: &nonce,
        nc: "00000001",
        cnonce: "c",
        qop: Qop::Auth,
    };
    let ha1 = Ha1::of(Algorithm::Sha256, &name, "example.test", "secret");
    let mut digits = response(&ha1, &asked);
    let other = if digits.get(wrong..=wrong) == Some("0") { "1" } else { "0" };
    digits.replace_range(wrong..=wrong, other);
    answer(user, call, &digits)
}

fn answer(user: u64, call: u64, digits: &str) -> Vec<u8> {
    let algorithm = Algorithm::Sha256.token();
    format!(
        "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.66;branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@example.test>;tag=1\r\nTo: <sip:{user}@example.test>\r\nCall-ID: {call}\r\nCSeq: 1 REGISTER\r\n\
         Authorization: Digest username=\"{user}\", realm=\"example.test\", nonce=\"{call:044x}\", uri=\"sip:example.test\", \
         algorithm={algorithm}, response=\"{digits}\", qop=auth, nc=00000001, cnonce=\"c\"\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Each comes from somewhere else: what bans note of it is in the price, and nobody is banned before the end.
fn guesses(first: u64, count: u64, guess: impl Fn(u64, u64) -> Vec<u8>) {
    let mut house = House::new();
    for call in 0..count {
        let wire = guess(first + call % 1000, call);
        assert_eq!(house.hears_somebody(call, wire), 1, "it is challenged");
    }
}

/// Guesses for users that there are.
pub(crate) fn known(count: u64) {
    guesses(100, count, guess);
}

/// The same for users that there are not.
pub(crate) fn unknown(count: u64) {
    guesses(8000, count, guess);
}

/// Guesses of which the first digit is wrong; what the guesser hashes is in it.
pub(crate) fn far(count: u64) {
    guesses(100, count, |user, call| nearly(user, call, 0));
}

/// Guesses of which the last one is.
pub(crate) fn near(count: u64) {
    guesses(100, count, |user, call| nearly(user, call, 63));
}

/// A row that is cheap to send, repeated or drawn out to so many octets.
const ROWS: [fn(usize) -> String; 8] = [
    |size| "A: b\r\n".repeat(size / 6),
    |size| format!("Via: SIP/2.0/UDP a{}\r\n", ", SIP/2.0/UDP a;b=c".repeat(size / 19)),
    |size| format!("Subject: a{}\r\n", "\r\n b".repeat(size / 4)),
    |size| format!("Route: <sip:a@b{}>\r\n", ";a=b".repeat(size / 4)),
    |size| format!("Contact: <sip:a@b>{}\r\n", ",<sip:a@b>".repeat(size / 10)),
    |size| format!("Contact: \"{}\" <sip:a@b>\r\n", "\\\"".repeat(size / 2)),
    |size| format!("Authorization: Digest a=b{}\r\n", ",a=\"b\"".repeat(size / 6)),
    |size| format!("Require: a{}\r\n", ",b".repeat(size / 2)),
];

fn expensive(size: usize, count: u64) {
    let mut house = House::new();
    for (call, row) in (0..count).zip(ROWS.iter().cycle()) {
        let wire = format!(
            "OPTIONS sip:102@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.66;branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:102@example.test>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n{}Content-Length: 0\r\n\r\n",
            row(size)
        );
        house.hears(wire.into_bytes());
    }
}

/// Messages of 8 kilobytes, of each kind one after the other.
pub(crate) fn expensive_8(count: u64) {
    expensive(8_000, count);
}

/// The same of 16.
pub(crate) fn expensive_16(count: u64) {
    expensive(16_000, count);
}

/// The same of 32.
pub(crate) fn expensive_32(count: u64) {
    expensive(32_000, count);
}

/// What is broken in a request, and in what.
const BREAKS: [(&str, &str); 16] = [
    (" SIP/2.0\r\nVia", " SIP/7.0\r\nVia"),
    (" SIP/2.0\r\nVia", "\r\nVia"),
    ("OPTIONS sip:", "OPTIONS  sip:"),
    ("sip:example.test SIP", "sip:example .test SIP"),
    ("Via: SIP/2.0/UDP ", "Via: "),
    ("Via: ", "Via\u{1}: "),
    ("Max-Forwards: 70", "Max-Forwards: seventy"),
    ("Max-Forwards: 70", "Max-Forwards 70"),
    ("\"Alice\" <", "\"Alice <"),
    ("To: <sip:102@example.test>", "To: <sip:102@example.test"),
    ("To: <sip:102@example.test>", "To: <sip:102@example.test>\r\nTo: <sip:103@example.test>"),
    ("Call-ID: ", "Call-ID: \r\nX: "),
    ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"),
    ("CSeq: 1 ", "CSeq: 99999999999999999999 "),
    ("Content-Length: 0", "Content-Length: -1"),
    ("Content-Length: 0\r\n\r\n", "Content-Le"),
];

/// An OPTIONS that is broken, in one way after the other: never more work than a good one.
pub(crate) fn bad(count: u64) {
    let mut house = house::House::new(&[]);
    let broken = BREAKS.map(|(good, broken)| {
        let wire = request("OPTIONS", "sip:example.test", 0, &[]);
        String::from_utf8(wire).unwrap_or_default().replacen(good, broken, 1)
    });
    for (call, wire) in (0..count).zip(broken.iter().cycle()) {
        // To make a good one is in the price of those.
        black_box(request("OPTIONS", "sip:example.test", call, &[]));
        let sent = house.hears(CALLER, wire.clone());
        let good = |answer: &Bytes| answer.starts_with(b"SIP/2.0 2");
        assert!(!black_box(sent).iter().any(good), "{wire:?} is refused");
    }
}
