//! The request to upgrade, as a server reads it (RFC 6455 §4.2, RFC 7118 §4.1), and what is said to those who ask for something else.

use std::fmt;

use httparse::Status;
use tungstenite::handshake::derive_accept_key;

use super::http::{Field, Fields};
use super::origin::Origins;
use crate::limits;

/// An upgrade that we agree to.
#[derive(Debug)]
pub(super) struct Upgrade {
    accept: String,
    /// Octets of the head.
    pub(super) length: usize,
}

/// Why we do not agree to an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No HTTP, or what may be there once is there twice.
    Unreadable,
    /// A head that is too long.
    TooLong,
    /// Not a GET.
    Method,
    /// Somebody who looks what this port is: no request to upgrade.
    NoUpgrade,
    /// Another version than 13.
    Version,
    /// No key, or one that is not 16 octets.
    Key,
    /// The subprotocol `sip` is not offered (RFC 7118 §4.1).
    NoSip,
    /// A page of a site that may not come; what it says of itself.
    Origin(Box<str>),
}

/// Reads a head; `None` when it is not whole.
pub(super) fn judge(head: &[u8], origins: &Origins) -> Result<Option<Upgrade>, Refusal> {
    let mut rows = [httparse::EMPTY_HEADER; limits::WEB_ROWS];
    let mut request = httparse::Request::new(&mut rows);
    let length = match request.parse(head) {
        Ok(Status::Complete(length)) if length <= limits::WEB_HEAD => length,
        Ok(Status::Partial) if head.len() < limits::WEB_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLong),
        Err(_) => return Err(Refusal::Unreadable),
    };
    if request.method != Some("GET") {
        return Err(Refusal::Method);
    }
    let fields = Fields(request.headers);
    let asks = |name: &str, token: &[u8]| {
        fields.list(name).any(|element| element.eq_ignore_ascii_case(token))
    };
    let old = request.version == Some(0);
    if old || !asks("Upgrade", b"websocket") || !asks("Connection", b"upgrade") {
        return Err(Refusal::NoUpgrade);
    }
    if !matches!(fields.one("Host"), Field::Once(_)) {
        return Err(Refusal::Unreadable);
    }
    if !fields.is("Sec-WebSocket-Version", "13") {
        return Err(Refusal::Version);
    }
    let Field::Once(key) = fields.one("Sec-WebSocket-Key") else { return Err(Refusal::Key) };
    if !is_key(key) {
        return Err(Refusal::Key);
    }
    match fields.one("Origin") {
        Field::Absent => {}
        Field::Once(origin) if origins.allow(origin) => {}
        Field::Once(origin) => {
            return Err(Refusal::Origin(String::from_utf8_lossy(origin).into()));
        }
        Field::Often => return Err(Refusal::Unreadable),
    }
    // An exact element of the list: `sip2` is another protocol, and nothing says that `SIP` is this one (RFC 7118 §10.1).
    if !fields.list("Sec-WebSocket-Protocol").any(|element| element == b"sip") {
        return Err(Refusal::NoSip);
    }
    Ok(Some(Upgrade { accept: derive_accept_key(key), length }))
}

/// 16 octets in base64 (RFC 4648 §4): 22 digits, of which the last carries two bits.
fn is_key(key: &[u8]) -> bool {
    let digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    matches!(key.split_last_chunk::<3>(), Some((digits, [b'A' | b'Q' | b'g' | b'w', b'=', b'=']))
        if digits.len() == 21 && digits.iter().all(digit))
}

impl Upgrade {
    /// Agrees.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let accept = &self.accept;
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
             Sec-WebSocket-Protocol: sip\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
    }
}

impl Refusal {
    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unreadable | Self::Key | Self::NoSip => 400,
            Self::Origin(_) => 403,
            Self::Method => 405,
            Self::NoUpgrade | Self::Version => 426,
            Self::TooLong => 431,
        }
    }

    /// What must stand in the head of such an answer (RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4).
    const fn rows(&self) -> &'static str {
        match self {
            Self::Method => "Allow: GET\r\n",
            Self::NoUpgrade | Self::Version => {
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            }
            _ => "",
        }
    }

    /// Answers, in words for whoever looks at it with a browser.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let (status, phrase, rows) = (self.status(), self.phrase(), self.rows());
        let words =
            format!("Here is a telephone server, Offhook, for SIP over WebSocket. {self}.\n");
        let connection = if rows.starts_with("Upgrade") { "Upgrade, close" } else { "close" };
        let length = words.len();
        let answer = format!(
            "HTTP/1.1 {status} {phrase}\r\n{rows}Connection: {connection}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\n\r\n{words}"
        );
        out.extend_from_slice(answer.as_bytes());
    }

    const fn phrase(&self) -> &'static str {
        match self.status() {
            403 => "Forbidden",
            405 => "Method Not Allowed",
            426 => "Upgrade Required",
            431 => "Request Header Fields Too Large",
            _ => "Bad Request",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("This was no request that can be read"),
            Self::TooLong => f.write_str("The request has too many or too long headers"),
            Self::Method => f.write_str("Only GET is understood"),
            Self::NoUpgrade => f.write_str(
                "There is no page to see: a web phone connects to this address by itself, with ws:// or wss:// before it",
            ),
            Self::Version => f.write_str("Only version 13 of WebSocket is spoken (RFC 6455)"),
            Self::Key => f.write_str("Sec-WebSocket-Key is missing, or not 16 octets in base64"),
            Self::NoSip => f.write_str(
                "The subprotocol \"sip\" was not offered (RFC 7118): Sec-WebSocket-Protocol: sip",
            ),
            Self::Origin(origin) => write!(
                f,
                "Pages of {} may not use this server: [websocket] origins does not list them",
                origin.escape_debug()
            ),
        }
    }
}

impl std::error::Error for Refusal {}
