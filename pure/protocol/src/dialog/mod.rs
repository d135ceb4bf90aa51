//! `Dialog`: what two user agents remember of each other between an INVITE and a BYE (RFC 3261 §12).
//!
//! A caller has one dialog for each To tag that answers; all but one of them end with the first final answer. A dialog
//! writes its requests; Via, Contact and body are the business of whoever sends them.

mod fault;
mod id;
mod routes;

use sip::header::{CSeq, Contact, From, To};
use sip::{Draft, Message, Method, Name, Uri};

pub use fault::Fault;
pub use id::{CallId, DialogId, Tag};
pub use routes::{Routes, for_request_uri};

use crate::transport::Transport;

/// One dialog, seen from one side.
#[derive(Clone, Debug)]
pub struct Dialog {
    id: DialogId,
    stage: Stage,
    local_uri: Box<[u8]>,
    remote_uri: Box<[u8]>,
    target: Box<[u8]>,
    routes: Routes,
    local_cseq: Option<u32>,
    remote_cseq: Option<u32>,
    privacy: Privacy,
}

/// How far a dialog has come (RFC 3261 §12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A provisional response made it.
    Early,
    /// A 2xx made it, or confirmed it.
    Confirmed,
}

/// The "secure" flag (RFC 3261 §12.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Asked for with a SIPS URI, and it came by TLS: it must stay so.
    Secure,
    /// Anything else.
    Plain,
}

/// How a request of the other side stands to those before it (RFC 3261 §12.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newer than all before; gaps are fine.
    Next,
    /// Its number was seen: a repeat whose transaction is gone, or a CANCEL or ACK.
    Again,
}

impl Dialog {
    /// The caller's: from its request and a 101–299 (RFC 3261 §12.1.2). `None` when there is no dialog in that: a 100, or a message
    /// without From, To or CSeq. `by` is how the request went.
    pub fn of_caller(request: &Message, response: &Message, by: Transport) -> Option<Self> {
        let status = response.status().filter(|status| status.code() > 100)?;
        let (from, to) = (request.get::<From>()?, response.get::<To>()?);
        let uri = request.request_uri()?;
        // RFC 3261 §12.1.2 wants a Contact. Some leave it out of a 180; until the 2xx names one, the address that was called must do.
        let target = contact_uri(response).unwrap_or_else(|| uri.into());
        Some(Self {
            id: DialogId::of_response(response)?,
            stage: if status.is_success() { Stage::Confirmed } else { Stage::Early },
            local_uri: from.uri.into(),
            remote_uri: to.uri.into(),
            target,
            routes: Routes::of_response(response),
            local_cseq: Some(request.get::<CSeq>()?.number),
            remote_cseq: None,
            privacy: privacy(uri, by),
        })
    }

    /// The callee's: from a request and the tag that its answers carry (RFC 3261 §12.1.1). `by` is how the request came.
    pub fn of_callee(request: &Message, tag: Tag, by: Transport) -> Result<Self, Fault> {
        let from = request.get::<From>().ok_or(Fault::Unreadable)?;
        let to = request.get::<To>().ok_or(Fault::Unreadable)?;
        let cseq = request.get::<CSeq>().ok_or(Fault::Unreadable)?;
        let remote = Tag::of(from.tag().unwrap_or_default());
        Ok(Self {
            id: DialogId { call_id: CallId::in_message(request), local: tag, remote },
            stage: Stage::Early,
            local_uri: to.uri.into(),
            remote_uri: from.uri.into(),
            target: contact_uri(request).ok_or(Fault::NoContact)?,
            routes: Routes::of_request(request),
            local_cseq: None,
            remote_cseq: Some(cseq.number),
            privacy: privacy(request.request_uri().unwrap_or_default(), by),
        })
    }

    /// The subscriber's, from the first NOTIFY, which may come before the answer to its SUBSCRIBE of this number (RFC 6665 §4.1.2.4).
    pub fn of_subscriber(subscribed: u32, notify: &Message, by: Transport) -> Result<Self, Fault> {
        let tag = Tag::in_to(notify).ok_or(Fault::Unreadable)?;
        let mut dialog = Self::of_callee(notify, tag, by)?;
        dialog.local_cseq = Some(subscribed);
        dialog.remote_cseq = None;
        dialog.confirm();
        Ok(dialog)
    }

    /// One that stands, from what somebody has kept of it: both URIs (ours first), where the other side is and by which routes, and the number
    /// of our latest request.
    pub fn kept(
        id: DialogId,
        [local, remote]: [&[u8]; 2],
        (target, routes): (&[u8], Routes),
        local_cseq: u32,
    ) -> Self {
        Self {
            id,
            stage: Stage::Confirmed,
            local_uri: local.into(),
            remote_uri: remote.into(),
            target: target.into(),
            routes,
            local_cseq: Some(local_cseq),
            remote_cseq: None,
            privacy: Privacy::Plain,
        }
    }

    /// Its name.
    pub const fn id(&self) -> &DialogId {
        &self.id
    }

    /// How far it has come.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The "secure" flag.
    pub const fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// Where the other side wants to be reached: the remote target.
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// Who the other side is: the remote URI.
    pub fn remote_uri(&self) -> &[u8] {
        &self.remote_uri
    }

    /// The URI whose host requests are sent to: the nearest proxy's, or the target's (RFC 3261 §8.1.2).
    pub fn next_hop(&self) -> &[u8] {
        self.routes.first_uri().unwrap_or(&self.target)
    }

    /// The number of our latest request in it.
    pub const fn local_cseq(&self) -> Option<u32> {
        self.local_cseq
    }

    /// The callee has sent its 2xx.
    pub const fn confirm(&mut self) {
        self.stage = Stage::Confirmed;
    }

    /// The caller hears a 2xx in what was early: route set and target are those of the 2xx (RFC 3261 §13.2.2.4).
    pub fn confirmed_by(&mut self, response: &Message) {
        self.stage = Stage::Confirmed;
        self.routes = Routes::of_response(response);
        self.refresh(response);
    }

    /// The other side says in a target refresh (INVITE, UPDATE, or the 2xx to one) where it is now (RFC 3261 §12.2).
    pub fn refresh(&mut self, message: &Message) {
        if let Some(target) = contact_uri(message) {
            self.target = target;
        }
    }

    /// Checks the place of a request of the other side, and keeps it (RFC 3261 §12.2.2).
    pub fn receive(&mut self, request: &Message) -> Result<Order, Fault> {
        let got = request.get::<CSeq>().ok_or(Fault::Unreadable)?.number;
        match self.remote_cseq {
            Some(seen) if got < seen => Err(Fault::StaleCSeq { got, seen }),
            Some(seen) if got == seen => Ok(Order::Again),
            _ => {
                self.remote_cseq = Some(got);
                Ok(Order::Next)
            }
        }
    }

    /// Takes the next number for a request of ours.
    pub fn next_cseq(&mut self) -> u32 {
        let next = self.local_cseq.map_or(FIRST_CSEQ, |last| last.saturating_add(1).min(LAST_CSEQ));
        self.local_cseq = Some(next);
        next
    }

    /// Begins a request of ours: everything but Via, Contact and body (RFC 3261 §12.2.1.1).
    pub fn request(&mut self, method: Method<'_>) -> Draft {
        let cseq = self.next_cseq();
        self.begin(method, cseq)
    }

    /// Begins the ACK for a 2xx to `invite`: its CSeq number, its credentials (RFC 3261 §13.2.2.4).
    pub fn ack(&self, invite: &Message) -> Draft {
        let cseq = invite.get::<CSeq>().map_or(0, |cseq| cseq.number);
        let draft = self.begin(Method::Ack, cseq);
        draft.copy(invite, Name::Authorization).copy(invite, Name::ProxyAuthorization)
    }

    fn begin(&self, method: Method<'_>, cseq: u32) -> Draft {
        self.routes
            .begin(method, &self.target)
            .raw(Name::MaxForwards, b"70")
            .raw(Name::From, &tagged(&self.local_uri, &self.id.local))
            .raw(Name::To, &tagged(&self.remote_uri, &self.id.remote))
            .raw(Name::CallId, self.id.call_id.as_bytes())
            .raw(Name::CSeq, format!("{cseq} {method}").as_bytes())
    }
}

/// Where the numbers of a callee's own requests begin.
const FIRST_CSEQ: u32 = 1;

/// The largest number that may be written (RFC 3261 §8.1.1.5).
const LAST_CSEQ: u32 = (1 << 31) - 1;

/// An address with its tag, if it has one (RFC 3261 §12.2.1.1).
fn tagged(uri: &[u8], tag: &Tag) -> Vec<u8> {
    let address = [b"<", uri, b">"].concat();
    if tag.is_null() { address } else { [&address, &b";tag="[..], tag.as_bytes()].concat() }
}

fn contact_uri(message: &Message) -> Option<Box<[u8]>> {
    match message.get::<Contact>()? {
        Contact::At(address) if address.parsed().is_ok_and(|uri| uri.sip().is_some()) => {
            Some(address.uri.into())
        }
        Contact::At(_) | Contact::All => None,
    }
}

fn privacy(request_uri: &[u8], by: Transport) -> Privacy {
    let sips = Uri::parse(request_uri).is_ok_and(|uri| uri.sip().is_some_and(|uri| uri.secure));
    if sips && by.is_secure() { Privacy::Secure } else { Privacy::Plain }
}
