//! `Offered`: a call of theirs that nobody has picked up yet.

use std::time::Duration;

use machine::Time;
use protocol::dialog::Dialog;
use protocol::transaction::ServerId;
use sdp::Description;
use sip::header::Expires;
use sip::{Draft, Message, Name, Status};

use crate::limits;
use crate::turn::Turn;

/// A call of theirs that nobody has picked up.
pub(crate) struct Offered {
    /// The transaction of the INVITE.
    pub(super) id: ServerId,
    pub(super) invite: Message,
    pub(super) dialog: Dialog,
    /// What it offers; without one we offer (RFC 3261 §13.2.1).
    pub(super) offer: Option<Description>,
    pub(super) bell: Bell,
    /// When nobody will pick up any more.
    pub(super) until: Until,
}

/// Whether we have said that it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bell {
    Silent,
    /// Said again then, so that no proxy gives up (RFC 3261 §13.3.1.1).
    Rings {
        again: Time,
    },
}

/// When it ends by itself, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// We let it ring no longer: 480.
    Patience(Time),
    /// The INVITE's own Expires: 487 (RFC 3261 §13.3.1).
    Expires(Time),
}

impl Offered {
    pub(crate) fn new(
        now: Time,
        id: ServerId,
        (invite, dialog): (Message, Dialog),
        offer: Option<Description>,
    ) -> Self {
        let patience = now + limits::RINGING;
        let expires = invite
            .get::<Expires>()
            .map(|Expires(seconds)| now + Duration::from_secs(seconds.into()));
        let until = match expires {
            Some(expires) if expires < patience => Until::Expires(expires),
            _ => Until::Patience(patience),
        };
        Self { id, invite, dialog, offer, bell: Bell::Silent, until }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Time {
        let (Until::Patience(until) | Until::Expires(until)) = self.until;
        match self.bell {
            Bell::Silent => until,
            Bell::Rings { again } => again.min(until),
        }
    }

    /// True for this transaction.
    pub(crate) fn is(&self, id: ServerId) -> bool {
        self.id == id
    }

    /// Begins an answer that makes or confirms the dialog: our tag, Record-Route, Contact (RFC 3261 §12.1.1).
    pub(super) fn draft(&self, turn: &Turn<'_>, status: Status) -> Draft {
        let contact = format!("<{}>", turn.line.contact(self.transport()));
        let draft = self
            .tagged(status, status.phrase())
            .copy(&self.invite, Name::RecordRoute)
            .raw(Name::Contact, contact.as_bytes());
        turn.line.account.sign(draft, Name::Server)
    }

    /// Begins a refusal: with the same tag (RFC 3261 §8.2.6.2).
    pub(super) fn tagged(&self, status: Status, phrase: &str) -> Draft {
        Draft::reply_tagged(&self.invite, status, phrase, &self.dialog.id().local.to_string())
    }

    /// The transport of the top Via: our Contact is for who is there.
    fn transport(&self) -> protocol::Transport {
        let via = self.invite.get::<sip::header::Via<'_>>();
        via.and_then(|via| protocol::Transport::of(via.transport.0))
            .unwrap_or(protocol::Transport::Udp)
    }
}
