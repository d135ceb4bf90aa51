//! OPTIONS to us: what we can (RFC 3261 §11.2). What is said here is made of what is done elsewhere.

use sip::{Bytes, Message, Name, Status};

use crate::admission::SUPPORTED;
use crate::turn::Turn;

/// What we answer as a server; everything else we forward or refuse.
pub(crate) const ALLOW: &str = "REGISTER, OPTIONS";

/// The bodies that we read ourselves: none.
pub(crate) const ACCEPT: &str = "";

/// The 200.
pub(crate) fn answer(turn: &Turn<'_>, request: &Message) -> Bytes {
    turn.reply(request, Status::OK, Status::OK.phrase())
        .raw(Name::Allow, ALLOW.as_bytes())
        .raw(Name::Accept, ACCEPT.as_bytes())
        .raw(Name::AcceptEncoding, b"")
        .raw(Name::AcceptLanguage, b"en")
        .raw(Name::Supported, SUPPORTED.join(", ").as_bytes())
        .wire()
}
