//! What a server's part in a call costs, from octets to octets: nothing of the kernel is in it.

use std::hint::black_box;

use server::{Steering, aor_of};
use sip::{Bytes, Message};

use crate::house::{CALLEE, CALLER, House, put};

/// A request as phones write it.
pub(crate) fn request(method: &str, uri: &str, call: u64, rows: &[&str]) -> Vec<u8> {
    let (call, mut wire) = (call.to_string(), Vec::with_capacity(1024));
    let from = "\"Alice\" <sip:101@example.test>;tag=9fxced76sl\r\nTo: <sip:102@example.test>";
    put(
        &mut wire,
        &[method, " ", uri, " SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK-"],
    );
    put(&mut wire, &[method, "-", &call, ";rport\r\nMax-Forwards: 70\r\nFrom: ", from]);
    put(&mut wire, rows);
    put(
        &mut wire,
        &["\r\nCall-ID: 3848276298220188511-", &call, "@198.51.100.1\r\nCSeq: 1 ", method],
    );
    put(&mut wire, &["\r\nContact: <sip:101@198.51.100.1:5060>\r\nUser-Agent: Phone 1.0\r\n"]);
    put(&mut wire, &["Allow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\nContent-Length: 0\r\n\r\n"]);
    wire
}

/// The answer of the callee, as short as it can be: rows are copied as they stand, so that the phones cost little beside the server.
fn answer(request: &Bytes, line: &str) -> Vec<u8> {
    let mut answer = Vec::with_capacity(request.len() + 256);
    put(&mut answer, &["SIP/2.0 ", line, "\r\n"]);
    for row in request.split_inclusive(|octet| *octet == b'\n').skip(1) {
        let kept = ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"];
        if kept.iter().any(|name| row.starts_with(name.as_bytes())) {
            answer.extend_from_slice(row);
        }
        if row.starts_with(b"To:") {
            let to = row.trim_ascii_end();
            let tagged = to.windows(5).any(|part| part == b";tag=");
            answer.extend_from_slice(to);
            put(&mut answer, &[if tagged { "" } else { ";tag=8321234356" }, "\r\n"]);
        }
    }
    put(&mut answer, &["Contact: <sip:102@198.51.100.2:5060>\r\nContent-Length: 0\r\n\r\n"]);
    answer
}

pub(crate) const REGISTER: &str = "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK-r;rport\r\n\
                        Max-Forwards: 70\r\nFrom: <sip:102@example.test>;tag=1\r\nTo: <sip:102@example.test>\r\n\
                        Call-ID: r\r\nCSeq: 1 REGISTER\r\nContact: <sip:102@198.51.100.2:5060>;expires=7200\r\nContent-Length: 0\r\n\r\n";

/// INVITE, 180, 200, ACK, BYE and 200 through a proxy: with its 100, the 13 messages of a call.
pub(crate) fn proxied_call(count: u64) {
    let mut house = House::new(&[]);
    house.hears(CALLEE, REGISTER);
    for call in 0..count {
        let sent = house.hears(CALLER, request("INVITE", "sip:102@example.test", call, &[]));
        let Some(invite) = sent.get(1) else { return };
        house.hears(CALLEE, answer(invite, "180 Ringing"));
        let ok = house.hears(CALLEE, answer(invite, "200 OK"));
        let Some(ok) = ok.first() else { return };
        let mut rows = ok.split(|octet| *octet == b'\n');
        let route = rows.find_map(|row| row.strip_prefix(b"Record-Route: ")).unwrap_or_default();
        let route = std::str::from_utf8(route.trim_ascii_end()).unwrap_or_default();
        let within = [";tag=8321234356\r\nRoute: ", route];
        let contact = "sip:102@198.51.100.2:5060";
        black_box(house.hears(CALLER, request("ACK", contact, call, &within)));
        let bye = house.hears(CALLER, request("BYE", contact, call, &within));
        let Some(bye) = bye.first() else { return };
        assert_eq!(house.hears(CALLEE, answer(bye, "200 OK")).len(), 1, "the call has ended");
    }
}

/// An INVITE of somebody who has not said who it is, and its 407.
pub(crate) fn challenge(count: u64) {
    let mut house = House::new(&["INVITE"]);
    for call in 0..count {
        let sent = house.hears(CALLER, request("INVITE", "sip:102@example.test", call, &[]));
        assert_eq!(sent.len(), 1, "it is asked");
    }
}

/// The shard of a message.
pub(crate) fn steer(count: u64) {
    let steering = Steering::new(7, 16);
    let wire = request("INVITE", "sip:102@example.test", 1, &[]);
    let Ok(message) = Message::parse(wire) else { return };
    for _ in 0..count {
        black_box(steering.home(black_box(&message)));
    }
    black_box(aor_of(b"sip:102@example.test"));
}
