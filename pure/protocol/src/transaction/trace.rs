//! `Trace`: what is kept of a copy of an INVITE once somebody has heard it. It is not sent again then, and its CANCEL and its ACK need a
//! third of it, of which half stands in the request that it is a copy of (RFC 3261 §9.1, §17.1.1.2, §17.1.1.3).

use sip::{Bytes, Draft, Message, Method, Name};

use crate::limits;
use crate::texts::Texts;

/// What is left of a copy.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What it has of its own.
    pub(super) own: Own,
    /// The request of which it is a copy.
    pub(super) original: Bytes,
}

/// What a copy has of its own; nothing of what is no copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(Texts);

#[derive(Clone, Copy)]
enum Kind {
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
    /// That of a copy with this Request-URI, this top Via and these routes; nothing where that could be too long to be read: such a copy is kept whole.
    pub fn of(original: &Message, uri: &[u8], via: &[u8], routes: &[u8]) -> Option<Self> {
        let all = [(Kind::Uri, uri), (Kind::Via, via), (Kind::Routes, routes)];
        let head = original.wire().len().saturating_sub(original.body().len());
        let length = all.iter().fold(head, |sum, (_, text)| sum.saturating_add(text.len()));
        if length > limits::TRACED {
            return None;
        }
        let mut own = Own::default();
        own.0.put(all.into_iter().map(|(kind, text)| (kind as u8, [text, b""])));
        Some(Self { own, original: original.wire().clone() })
    }
}

impl Own {
    /// True for that of what is no copy.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.size() == 0
    }

    /// The copy of this request, as far as its CANCEL and its ACK must know it.
    pub(super) fn invite(&self, original: &Bytes) -> Option<Message> {
        let original = Message::parse(original.clone()).ok()?;
        let own = |kind: Kind| self.0.get(kind as u8);
        let draft = Draft::request(Method::Invite, own(Kind::Uri)).raw(Name::Via, own(Kind::Via));
        let draft = match own(Kind::Routes) {
            b"" => draft,
            routes => draft.raw(Name::Route, routes),
        };
        let draft = SHARED.into_iter().fold(draft, |draft, name| draft.copy(&original, name));
        Message::parse(draft.wire()).ok()
    }
}
