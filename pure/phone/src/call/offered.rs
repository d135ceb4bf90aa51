//! `Offered`: a call of theirs that nobody has picked up yet.

use std::time::Duration;

use machine::{Dice, Time};
use protocol::dialog::Dialog;
use protocol::session::{Provisionals, RELIABLY, SessionTimer, Traffic};
use protocol::transaction::ServerId;
use sdp::Description;
use sip::header::{CSeq, Expires, Require, Supported};
use sip::{Draft, Message, Name, Status};

use super::Role;
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
    pub(super) timer: SessionTimer,
    pub(super) takes: Takes,
    pub(super) provisionals: Provisionals,
    pub(super) told: Told,
    pub(super) next: Next,
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

/// Which provisional responses the caller takes (RFC 3262 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None that are repeated until it acknowledges them.
    Plain,
    /// Such too. We send those with a session description so: they matter.
    Either,
    /// No others.
    Reliable,
}

/// What we have said of the session before anybody has picked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// This, in a response that may be lost: the 2xx says the same again.
    Perhaps(Vec<u8>),
    /// In a response that is acknowledged: offer or answer is made.
    Surely,
}

/// What is to be said as soon as what was said before is acknowledged (RFC 3262 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Say(Status),
    PickUp,
}

impl Offered {
    pub(crate) fn new(
        now: Time,
        id: ServerId,
        (invite, dialog): (Message, Dialog),
        offer: Option<Description>,
        (session, dice): (u32, &mut Dice),
    ) -> Self {
        let patience = now + limits::RINGING;
        let expires = invite
            .get::<Expires>()
            .map(|Expires(seconds)| now + Duration::from_secs(seconds.into()));
        let until = match expires {
            Some(expires) if expires < patience => Until::Expires(expires),
            _ => Until::Patience(patience),
        };
        let cseq = invite.get::<CSeq<'_>>().map_or(0, |cseq| cseq.number);
        Self {
            id,
            dialog,
            offer,
            until,
            bell: Bell::Silent,
            timer: SessionTimer::new(session),
            takes: takes(&invite),
            provisionals: Provisionals::begin(cseq, dice),
            told: Told::Nothing,
            next: Next::Nothing,
            invite,
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Time {
        let (Until::Patience(until) | Until::Expires(until)) = self.until;
        let until = self.provisionals.deadline().map_or(until, |again| again.min(until));
        match self.bell {
            Bell::Silent => until,
            Bell::Rings { again } => again.min(until),
        }
    }

    /// True for this transaction.
    pub(crate) fn is(&self, id: ServerId) -> bool {
        self.id == id
    }

    /// True when the first thing that we say must be an offer: the caller made none, and hears nothing that might be lost (RFC 3262 §5).
    pub(super) fn wants_our_offer(&self) -> bool {
        self.takes == Takes::Reliable && self.offer.is_none() && self.told == Told::Nothing
    }

    /// Whose offer is under way (RFC 3311 §5.2).
    pub(super) fn traffic(&self) -> Traffic {
        match (&self.told, &self.offer) {
            (Told::Surely, None) if self.provisionals.is_waiting() => Traffic::Ours,
            (Told::Surely, _) => Traffic::Quiet,
            (Told::Nothing | Told::Perhaps(_), _) => Traffic::Theirs,
        }
    }

    /// Begins an answer that makes or confirms the dialog: our tag, Record-Route, Contact (RFC 3261 §12.1.1).
    pub(super) fn draft(&self, turn: &Turn<'_>, role: Role, status: Status) -> Draft {
        let contact = role.contact(&turn.line.contact_in(&self.dialog, self.transport()));
        let draft = self
            .tagged(status, status.phrase())
            .copy(&self.invite, Name::RecordRoute)
            .raw(Name::Contact, contact.as_bytes());
        turn.line.account.sign(draft, Name::Server)
    }

    /// Begins a refusal: with the same tag (RFC 3261 §8.2.6.2).
    pub(super) fn tagged(&self, status: Status, phrase: &str) -> Draft {
        Draft::reply_tagged(&self.invite, status, phrase, self.dialog.id().local.to_string())
    }

    /// The transport of the top Via: our Contact is for who is there.
    fn transport(&self) -> protocol::Transport {
        let via = self.invite.get::<sip::header::Via<'_>>();
        via.and_then(|via| protocol::Transport::of(via.transport.0))
            .unwrap_or(protocol::Transport::Udp)
    }
}

fn takes(invite: &Message) -> Takes {
    let is = |tag: &str| tag.eq_ignore_ascii_case(RELIABLY);
    if invite.all::<Require<'_>>().flatten().any(|tag| is(tag.0)) {
        return Takes::Reliable;
    }
    let supported = invite.all::<Supported<'_>>().flatten().any(|tag| is(tag.0));
    if supported { Takes::Either } else { Takes::Plain }
}
