//! `Question`: a client asks for the upgrade, and judges the answer (RFC 6455 §4.1, RFC 7118 §4.1).

use std::fmt;

use httparse::Status;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

use super::http::Fields;
use crate::limits;

/// What a client asks.
#[derive(Clone, Debug)]
pub(super) struct Question {
    key: String,
}

/// Why a client was not given the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// There was no whole answer.
    Silent,
    /// The answer is no HTTP, or too long.
    Unreadable,
    /// The answer has another status than 101.
    Status(u16),
    /// The answer does not prove that the request was understood.
    Unproven,
    /// The server does not speak SIP here, or speaks of something that was not asked for.
    NoSip,
}

impl Question {
    pub(super) fn new() -> Self {
        Self { key: generate_key() }
    }

    /// Writes it.
    pub(super) fn write(&self, host: &str, out: &mut Vec<u8>) {
        let key = &self.key;
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
    }

    /// Reads the answer; how many octets it has, or `None` when it is not whole.
    pub(super) fn judge(&self, head: &[u8]) -> Result<Option<usize>, NotOpened> {
        let mut rows = [httparse::EMPTY_HEADER; limits::WEB_ROWS];
        let mut answer = httparse::Response::new(&mut rows);
        let length = match answer.parse(head) {
            Ok(Status::Complete(length)) if length <= limits::WEB_HEAD => length,
            Ok(Status::Partial) if head.len() < limits::WEB_HEAD => return Ok(None),
            Ok(_) | Err(_) => return Err(NotOpened::Unreadable),
        };
        if answer.code != Some(101) {
            return Err(NotOpened::Status(answer.code.unwrap_or(0)));
        }
        let fields = Fields(answer.headers);
        let upgrade =
            fields.list("Connection").any(|element| element.eq_ignore_ascii_case(b"upgrade"));
        let accept = derive_accept_key(self.key.as_bytes());
        let proven =
            fields.one("Sec-WebSocket-Accept") == super::http::Field::Once(accept.as_bytes());
        if !upgrade || !fields.is("Upgrade", "websocket") || !proven {
            return Err(NotOpened::Unproven);
        }
        let sip = fields.one("Sec-WebSocket-Protocol") == super::http::Field::Once(b"sip");
        let extended = fields.list("Sec-WebSocket-Extensions").next().is_some();
        if sip && !extended { Ok(Some(length)) } else { Err(NotOpened::NoSip) }
    }
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("the server did not answer the request to upgrade"),
            Self::Unreadable => f.write_str("the server does not speak HTTP"),
            Self::Status(401) => f.write_str("the server wants a login before SIP (HTTP 401)"),
            Self::Status(403) => f.write_str("the server does not let us in (HTTP 403)"),
            Self::Status(status) => write!(f, "the server answers HTTP {status}"),
            Self::Unproven => f.write_str("the server did not understand the upgrade"),
            Self::NoSip => f.write_str("the server does not speak SIP over WebSocket"),
        }
    }
}

impl std::error::Error for NotOpened {}
