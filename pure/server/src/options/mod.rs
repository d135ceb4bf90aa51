//! OPTIONS to us: what we can (RFC 3261 §11.2). What is said here is made of what is done elsewhere.

use sip::{Bytes, Message, Name, Rows, Status};

use crate::admission::SUPPORTED;
use crate::regevent;
use crate::turn::Turn;

/// The methods that we understand as a server; everything else we forward or refuse.
pub(crate) const ALLOW: &str = "REGISTER, OPTIONS, SUBSCRIBE, ACK, CANCEL";

/// The bodies that we read ourselves: none.
pub(crate) const ACCEPT: &str = "";

/// The content codings that we read ourselves.
pub(crate) const ACCEPT_ENCODING: &str = "identity";

/// The languages that we write.
pub(crate) const ACCEPT_LANGUAGE: &str = "en";

/// As what we answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// As the one who was asked.
    Server,
    /// As the one where the hops ended: what can be done at the user's is not ours to say.
    Proxy,
}

/// What our answers say about us, written once.
#[derive(Debug)]
pub(crate) struct Abilities {
    server: Rows,
    proxy: Rows,
}

impl Abilities {
    pub(crate) fn new() -> Self {
        let server = Rows::default()
            .raw(Name::Allow, ALLOW.as_bytes())
            .raw(Name::AllowEvents, regevent::PACKAGE.as_bytes());
        Self { server: bodies(server), proxy: bodies(Rows::default()) }
    }
}

fn bodies(rows: Rows) -> Rows {
    rows.raw(Name::Accept, ACCEPT.as_bytes())
        .raw(Name::AcceptEncoding, ACCEPT_ENCODING.as_bytes())
        .raw(Name::AcceptLanguage, ACCEPT_LANGUAGE.as_bytes())
        .raw(Name::Supported, SUPPORTED.join(", ").as_bytes())
}

/// The 200.
pub(crate) fn answer(turn: &Turn<'_>, request: &Message, role: As) -> Bytes {
    let abilities = &turn.house.abilities;
    let rows = match role {
        As::Server => &abilities.server,
        As::Proxy => &abilities.proxy,
    };
    turn.reply(request, Status::OK, Status::OK.phrase()).rows(rows).wire()
}
