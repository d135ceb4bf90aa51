//! `Trace`: what is kept of a copy of an INVITE once somebody has heard it. It is not sent again then, and its CANCEL and its ACK need a
//! third of it, of which half stands in the request that it is a copy of (RFC 3261 §9.1, §17.1.1.2, §17.1.1.3).

use sip::{Bytes, Draft, Message, Method, Name};

use crate::texts::Texts;

/// What is left of a copy.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What it has of its own.
    own: Texts,
    /// The request of which it is a copy.
    original: Bytes,
}

/// What a copy has of its own.
#[derive(Clone, Copy)]
enum Own {
    Uri = 1,
    Via,
    Routes,
}

/// What it shares with the request that it is a copy of. By the last three, who was found before is found again (RFC 3841 §5).
const SHARED: [Name; 7] = [
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::AcceptContact,
    Name::RejectContact,
    Name::RequestDisposition,
];

impl Trace {
    /// That of a copy with this Request-URI, this top Via and these routes.
    pub fn of(original: &Message, uri: &[u8], via: &[u8], routes: &[u8]) -> Self {
        let all = [(Own::Uri, uri), (Own::Via, via), (Own::Routes, routes)];
        let mut own = Texts::default();
        own.put(all.into_iter().map(|(kind, text)| (kind as u8, [text, b""])));
        Self { own, original: original.wire().clone() }
    }

    /// The copy, as far as its CANCEL and its ACK must know it.
    pub(super) fn invite(&self) -> Option<Message> {
        let original = Message::parse(self.original.clone()).ok()?;
        let own = |kind: Own| self.own.get(kind as u8);
        let draft = Draft::request(Method::Invite, own(Own::Uri)).raw(Name::Via, own(Own::Via));
        let draft = match own(Own::Routes) {
            b"" => draft,
            routes => draft.raw(Name::Route, routes),
        };
        let draft = SHARED.into_iter().fold(draft, |draft, name| draft.copy(&original, name));
        Message::parse(draft.wire()).ok()
    }
}
