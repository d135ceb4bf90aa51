//! Messages made to be expensive (RELIABILITY R12): four times the size costs about four times the work, not sixteen.

use offhook_tests::work::assert_in_proportion;
use sip::stream::Framer;
use sip::{Message, check};

/// Rows of about so many octets.
type Row = fn(usize) -> String;

/// A request of about `size` octets, most of them made by `row`.
fn request(size: usize, row: Row) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n{}Content-Length: 0\r\n\r\n",
        row(size)
    )
    .into_bytes()
}

fn repeated(head: &str, piece: &str, tail: &str, size: usize) -> String {
    format!("{head}{}{tail}", piece.repeat(size / piece.len()))
}

/// Rows whose cost could grow with the square of their length, were it read carelessly.
const ROWS: [(&str, Row); 14] = [
    ("rows", |size| "A: b\r\n".repeat(size / 6)),
    ("Vias", |size| "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n".repeat(size / 44)),
    ("Vias in one row", |size| repeated("Via: a", ", SIP/2.0/UDP a;b=c", "\r\n", size)),
    ("folds", |size| repeated("Subject: a", "\r\n b", "\r\n", size)),
    ("blanks", |size| repeated("Subject: a", " ", "b\r\n", size)),
    ("parameters of a Via", |size| repeated("Via: SIP/2.0/UDP a", ";a=b", "\r\n", size)),
    ("parameters of a URI", |size| repeated("Route: <sip:a@b", ";a=b", ">\r\n", size)),
    ("headers of a URI", |size| repeated("Refer-To: <sip:a@b?a=b", "&a=b", ">\r\n", size)),
    ("Routes", |size| repeated("Route: <sip:a;lr>", ",<sip:a;lr>", "\r\n", size)),
    ("Contacts", |size| repeated("Contact: <sip:a@b>", ",<sip:a@b>", "\r\n", size)),
    ("quotes", |size| repeated("Contact: ", "\"a\" ", "<sip:a@b>\r\n", size)),
    ("escapes", |size| repeated("Contact: \"", "\\\"", "\" <sip:a@b>\r\n", size)),
    ("credentials", |size| repeated("Authorization: Digest a=b", ",a=\"b\"", "\r\n", size)),
    ("options", |size| repeated("Require: a", ",b", "\r\n", size)),
];

#[test]
fn reading_a_message_costs_in_proportion_to_its_length() {
    for (name, row) in ROWS {
        let read = |wire: &Vec<u8>| {
            if let Ok(message) = Message::parse(wire.clone()) {
                let _ = std::hint::black_box(check(&message));
            }
        };
        let (small, large) = (request(2_000, row), request(8_000, row));
        assert_in_proportion(name, || read(&small), || read(&large));
    }
}

/// A stream that brings its octets one by one: the head is read once, and not again for each octet of the body.
#[test]
fn a_slow_stream_costs_in_proportion_to_its_length() {
    let drip = |size: usize| {
        let head = request(size, |size| "A: b\r\n".repeat(size.min(2900) / 6));
        let head = String::from_utf8(head).unwrap();
        let wire = head.replace("Content-Length: 0", &format!("Content-Length: {size}"));
        let wire = format!("{wire}{}", "x".repeat(size)).into_bytes();
        move || {
            let mut framer = Framer::default();
            let mut messages = 0;
            for octet in wire.chunks(1) {
                framer.push(octet);
                messages += usize::from(framer.cut().unwrap().is_some());
            }
            assert_eq!(messages, 1);
        }
    };
    assert_in_proportion("a slow stream", drip(700), drip(2800));
}
