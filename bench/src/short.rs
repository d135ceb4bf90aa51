//! What short transactions cost a server, from octets to octets: REGISTER, OPTIONS, and an INVITE that is sent elsewhere.

use std::fmt::Write as _;
use std::hint::black_box;

use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use sip::{Bytes, Message, Name};

use crate::call::{REGISTER, request};
use crate::house::{CALLEE, CALLER, House};

/// A REGISTER that is new to the server, and its 200.
pub(crate) fn register(count: u64) {
    let mut house = House::new(&[]);
    for call in 0..count {
        let user = 100 + call % 1000;
        let wire = REGISTER
            .replace("102@", &format!("{user}@"))
            .replace("Call-ID: r", &format!("Call-ID: {call}"));
        let wire = wire.replace("bK-r;", &format!("bK-{call};"));
        assert_eq!(house.hears(CALLEE, wire).len(), 1, "it is answered");
    }
}

/// A REGISTER as a phone repeats it: a user in the thousand, a CSeq.
fn refreshing(user: u64, cseq: u64, rows: &str) -> String {
    let mut wire = String::with_capacity(1024);
    let _ = write!(
        wire,
        "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK{user}.{cseq};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@example.test>;tag=f{user}\r\nTo: <sip:{user}@example.test>\r\n\
         Call-ID: {user}-4711@198.51.100.2\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@198.51.100.2:5060>\r\n\
         Expires: 3600\r\nUser-Agent: Phone 1.0\r\n{rows}Content-Length: 0\r\n\r\n"
    );
    wire
}

/// A REGISTER of a phone that is here already, and its 200.
pub(crate) fn refresh(count: u64) {
    refreshes(House::new(&[]), count);
}

/// The same, where each waits for the disk, and the 200 is that of another.
pub(crate) fn kept(count: u64) {
    refreshes(House::kept(), count);
}

fn refreshes(mut house: House, count: u64) {
    for user in 100..1100 {
        house.hears(CALLEE, refreshing(user, 1, ""));
    }
    for call in 0..count {
        let sent = house.hears(CALLEE, refreshing(100 + call % 1000, 2 + call / 1000, ""));
        assert!(sent.first().is_some_and(|ok| ok.starts_with(b"SIP/2.0 200")), "it is refreshed");
    }
}

/// A REGISTER, the 401, the REGISTER with an answer, and the 200. What the phone hashes is in it.
pub(crate) fn digest(count: u64) {
    let mut house = House::new(&["REGISTER"]);
    let ha1 = Ha1::of(Algorithm::Md5, "102", "example.test", "secret");
    for call in 0..count {
        let sent = house.hears(CALLEE, refreshing(102, 2 * call + 1, ""));
        let Some(nonce) = sent.first().and_then(nonce) else { return };
        let asked = Asked {
            algorithm: Algorithm::Md5,
            session: false,
            method: "REGISTER",
            uri: "sip:example.test",
            nonce: &nonce,
            nc: "00000001",
            cnonce: "c",
            qop: Qop::Auth,
        };
        let row = format!(
            "Authorization: Digest username=\"102\", realm=\"example.test\", nonce=\"{nonce}\", uri=\"sip:example.test\", \
             response=\"{}\", algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001\r\n",
            response(&ha1, &asked)
        );
        let sent = house.hears(CALLEE, refreshing(102, 2 * call + 2, &row));
        assert!(sent.first().is_some_and(|ok| ok.starts_with(b"SIP/2.0 200")), "it is let in");
    }
}

/// The nonce of a challenge.
fn nonce(challenge: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(challenge).ok()?;
    let (_, rest) = text.split_once("nonce=\"")?;
    rest.split_once('"').map(|(nonce, _)| nonce.to_owned())
}

/// An OPTIONS to the server, and its 200.
pub(crate) fn options(count: u64) {
    let mut house = House::new(&[]);
    for call in 0..count {
        let sent = house.hears(CALLER, request("OPTIONS", "sip:example.test", call, &[]));
        assert!(sent.first().is_some_and(|ok| ok.starts_with(b"SIP/2.0 200")), "it is answered");
    }
}

/// An INVITE to somebody who is elsewhere, its 302, and the ACK.
pub(crate) fn redirect(count: u64) {
    let mut house = House::new(&[]);
    for call in 0..count {
        let invite = request("INVITE", "sip:away@example.test", call, &[]);
        let branch = ["INVITE-", &call.to_string()].concat();
        let sent = house.hears(CALLER, invite);
        let Some(moved) = sent.last().filter(|moved| moved.starts_with(b"SIP/2.0 302")) else {
            return;
        };
        let to = Message::parse(moved.clone()).ok();
        let to = to.as_ref().and_then(|moved| moved.rows(Name::To).next()).unwrap_or_default();
        let tag = to.split(|octet| *octet == b';').nth(1).unwrap_or_default();
        let row = [";", std::str::from_utf8(tag).unwrap_or_default()];
        let ack = request("ACK", "sip:away@example.test", call, &row);
        // It has the branch of its INVITE (RFC 3261 §17.1.1.3).
        let ack = String::from_utf8(ack).unwrap_or_default();
        let ack = ack.replace(&["ACK-", &call.to_string()].concat(), &branch);
        assert!(black_box(house.hears(CALLER, ack)).is_empty(), "nothing answers an ACK");
    }
}
