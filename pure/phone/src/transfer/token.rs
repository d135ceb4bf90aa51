//! `Token`: the proof of who asked for a call, as it goes with Referred-By (RFC 3892 §4). It is for whom we call: we carry it, and do not read it.

use machine::Dice;
use sip::body::{NewPart, join};
use sip::header::ReferredBy;
use sip::{Body, Message, Name};

use crate::abilities;

/// A part of the body of a REFER, word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    id: String,
    kind: String,
    disposition: Option<String>,
    octets: Vec<u8>,
}

impl Token {
    /// The token of a REFER, when it has one.
    pub(crate) fn of(refer: &Message) -> Option<Self> {
        let (id, body) = (named_by(refer)?, refer.content()?);
        let part = find(&body, &id)?;
        let text = |name| String::from_utf8(part.named(name)?.to_vec()).ok();
        let (kind, disposition) = (text("Content-Type")?, text("Content-Disposition"));
        Some(Self { id, kind, disposition, octets: part.octets().to_vec() })
    }

    /// The body of an INVITE with this offer and the token, and its type.
    pub(crate) fn beside(&self, offer: &[u8], dice: &mut Dice) -> Option<(String, Vec<u8>)> {
        let content_type = abilities::ACCEPT;
        let offer = NewPart { content_type, disposition: None, id: None, octets: offer };
        let token = NewPart {
            content_type: &self.kind,
            disposition: self.disposition.as_deref(),
            id: Some(&self.id),
            octets: &self.octets,
        };
        let boundary = format!("{:016x}", dice.roll());
        let body = join(&boundary, &[offer, token])?;
        Some((format!("multipart/mixed;boundary={boundary}"), body))
    }
}

/// An INVITE with its offer alone.
pub(crate) fn without_token(invite: &Message) -> Option<Message> {
    let body = invite.content()?;
    let offer = body.find("application", "sdp").ok()??;
    let mut edit = invite.edit();
    edit.replace_raw(Name::ContentType, abilities::ACCEPT.as_bytes()).body(offer.octets());
    edit.finish().ok()
}

/// The Content-ID of the token that a request names in Referred-By (RFC 3892 §3).
pub(crate) fn named_by(request: &Message) -> Option<String> {
    let id = request.get::<ReferredBy<'_>>()?.content_id()?;
    String::from_utf8(id).ok().map(|id| format!("<{id}>"))
}

/// The part of this Content-ID, in parts of parts too.
fn find<'a>(body: &Body<'a>, id: &str) -> Option<Body<'a>> {
    if body.named("Content-ID") == Some(id.as_bytes()) {
        return Some(body.clone());
    }
    body.parts().ok()??.iter().find_map(|part| find(part, id))
}
