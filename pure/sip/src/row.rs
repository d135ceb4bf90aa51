//! What we write stays where we put it: no name, value or URI, whoever it came from, can end its line (RFC 3261 §7.3.1, §25.1).
//!
//! A value with a line end in it would become a header of its own at the next hop. Values of a peer have none but folds, and
//! a fold means one blank; a program's may have any. So a line end in a value becomes a blank, in a URI `%0D` and `%0A`,
//! in a name or a method `-`.

use crate::Name;
use crate::octets::{find_control, find_light};
use crate::scan::is_token;

/// One row with its CRLF, its value written by `value`.
pub(crate) fn row(name: &str, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    token(name, out);
    out.extend_from_slice(b": ");
    one_line(out, value);
    out.extend_from_slice(b"\r\n");
}

/// The same under a name of the table, which needs no second look.
pub(crate) fn known(name: Name, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(name.beginning_of_row().as_bytes());
    one_line(out, value);
    out.extend_from_slice(b"\r\n");
}

/// The same with a value that has no line end within: `line` is it, and its CRLF.
pub(crate) fn copied(name: Name, out: &mut Vec<u8>, line: &[u8]) {
    out.extend_from_slice(name.beginning_of_row().as_bytes());
    out.extend_from_slice(line);
}

/// Whatever `text` writes, a value or a reason phrase, without line ends.
pub(crate) fn one_line(out: &mut Vec<u8>, text: impl FnOnce(&mut Vec<u8>)) {
    let from = out.len();
    text(out);
    let text = out.get_mut(from..).unwrap_or_default();
    if find_control(text).is_some() {
        for octet in text.iter_mut().filter(|octet| matches!(octet, b'\r' | b'\n')) {
            *octet = b' ';
        }
    }
}

/// Writes `1*DIGIT`: a port, a length, a number of the protocol.
pub fn decimal(number: u64, out: &mut Vec<u8>) {
    let digit = |number: u64| b'0'.wrapping_add((number % 10) as u8);
    match number {
        0..10 => out.push(digit(number)),
        10..100 => out.extend_from_slice(&[digit(number / 10), digit(number)]),
        100..1000 => {
            out.extend_from_slice(&[digit(number / 100), digit(number / 10), digit(number)]);
        }
        _ => {
            decimal(number / 1000, out);
            let rest = number % 1000;
            out.extend_from_slice(&[digit(rest / 100), digit(rest / 10), digit(rest)]);
        }
    }
}

/// A name or a method. One that is none is a mistake of ours; it must not become anything else.
pub(crate) fn token(word: &str, out: &mut Vec<u8>) {
    if word.is_empty() {
        out.push(b'-');
    }
    let from = out.len();
    out.extend_from_slice(word.as_bytes());
    for octet in out.get_mut(from..).unwrap_or_default() {
        *octet = if is_token(*octet) { *octet } else { b'-' };
    }
}

/// A Request-URI: blanks and control octets are escaped (RFC 3261 §7.1).
pub(crate) fn uri(uri: &[u8], out: &mut Vec<u8>) {
    if find_light(uri).is_none() {
        return out.extend_from_slice(uri);
    }
    for octet in uri {
        match octet {
            0..=b' ' | 0x7f => out.extend_from_slice(format!("%{octet:02X}").as_bytes()),
            _ => out.push(*octet),
        }
    }
}

/// A `quoted-string` that means this text: for display names and parameters that a person chose. Line ends and NULs,
/// which cannot stand in one, become blanks (RFC 3261 §25.1).
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut word = Vec::with_capacity(text.len() + 2);
    word.push(b'"');
    for octet in text {
        match octet {
            b'"' | b'\\' => word.extend_from_slice(&[b'\\', *octet]),
            b'\r' | b'\n' | 0 => word.push(b' '),
            _ => word.push(*octet),
        }
    }
    word.push(b'"');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{From, NameAddr, Subject};
    use crate::{Draft, Header, Message, Method, Status};

    /// Whatever a program puts in, this is what a reader must not find.
    const EVIL: &[&[u8]] = &[
        b"x\r\nEvil: 1",
        b"x\nEvil: 1",
        b"x\rEvil: 1",
        b"x\r\n\r\nEvil: 1",
        b"\r\nEvil: 1\r\n",
        b"x\r\n \r\nEvil: 1",
    ];

    fn holds(wire: &[u8]) {
        let text = String::from_utf8_lossy(wire);
        let message = Message::parse(wire.to_vec()).unwrap_or_else(|bad| panic!("{bad}: {text}"));
        assert_eq!(message.rows_named("Evil").count(), 0, "{text}");
        assert_eq!(message.body(), b"body", "{text}");
        let lines = wire.split(|octet| *octet == b'\n').count();
        assert_eq!(lines, message.all_rows().count() + 3, "{text}");
    }

    #[test]
    fn no_value_name_method_uri_or_phrase_can_begin_a_header() {
        for evil in EVIL {
            let word = std::str::from_utf8(evil).unwrap();
            let draft = Draft::request(Method::Other(word), evil)
                .raw(Name::Subject, evil)
                .named(word, evil)
                .header(&Subject(evil))
                .header(&From(NameAddr { display: Some(evil), ..NameAddr::of(evil) }));
            holds(&draft.clone().body(word, b"body").wire());
            let phrase = Draft::response_saying(Status::OK, word).body("text/plain", b"body");
            holds(&phrase.wire());
            let message = Message::parse(draft.body("text/plain", b"body").wire()).unwrap();
            let mut edit = message.edit();
            edit.request_uri(evil).push_raw(Name::Via, evil).replace_raw(Name::Subject, evil);
            edit.append_raw(word, evil).push(&Subject(evil)).replace(&Subject(evil));
            holds(&edit.wire());
        }
    }

    #[test]
    fn no_row_can_say_another_length_than_the_body_has() {
        let draft = Draft::request(Method::Info, b"sip:b@h")
            .raw(Name::ContentLength, b"1")
            .named("l", b"2")
            .body("text/plain", b"body");
        holds(&draft.clone().wire());
        let message = Message::parse(draft.wire()).unwrap();
        let mut edit = message.edit();
        edit.push_raw(Name::ContentLength, b"0").append_raw("L", b"2");
        edit.replace_raw(Name::ContentLength, b"3");
        holds(&edit.wire());
        holds(&edit.measured().wire());
    }

    #[test]
    fn a_fold_that_a_peer_sent_is_copied_as_blanks() {
        let request = Message::parse(
            "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;\r\n branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n",
        );
        let reply = request.unwrap().reply(Status::OK).wire();
        assert!(reply.starts_with(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;   branch=z9hG4bK1\r\n"));
    }

    #[test]
    fn numbers_are_written_as_everybody_does() {
        for number in [0, 9, 10, 99, 100, 4_294_967_295, u64::MAX] {
            let mut out = Vec::new();
            decimal(number, &mut out);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn what_is_quoted_reads_back() {
        let text = b"a \"b\" \\ <sip:x>;y, caf\xe9";
        assert_eq!(crate::scan::unquote(&quote(text)), text);
        let quoted = quote(b"a\"\r\nEvil: 1\0");
        let from = From(NameAddr { display: Some(&quoted), ..NameAddr::of(b"sip:a@b") });
        assert_eq!(From::parse(from.text().as_bytes()).unwrap().0.uri, b"sip:a@b");
        assert_eq!(from.display_text().unwrap(), "a\"  Evil: 1 ");
    }
}
