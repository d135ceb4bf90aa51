//! `Errand`: a request that somebody wants sent, whose it is, and what became of it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use machine::Time;
use protocol::auth::Tries;
use protocol::doors::{Call, Watch};
use protocol::transaction::{ClientId, ServerId};
use protocol::{Flow, Identity, Transport};
use sip::{Message, Status};

use crate::call::Role;
use crate::whither::Hop;

/// A request that somebody wants sent.
#[derive(Debug)]
pub(crate) struct Errand {
    /// Whose it is.
    pub(crate) purpose: Purpose,
    /// Without Via: each try has its own.
    pub(crate) request: Message,
    /// Where it goes.
    pub(crate) hop: Hop,
    /// How often it was answered for with digest.
    pub(crate) tries: Tries,
    pub(super) targets: VecDeque<Place>,
    pub(super) went: Option<Flow>,
    /// When it went there.
    pub(super) left: Time,
}

impl Errand {
    pub(crate) fn new(purpose: Purpose, request: Message, hop: Hop) -> Self {
        let (tries, targets) = (Tries::default(), VecDeque::new());
        Self { purpose, request, hop, tries, targets, went: None, left: Time::default() }
    }

    /// Which way it went last.
    pub(crate) const fn went(&self) -> Option<Flow> {
        self.went
    }
}

/// An address to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) transport: Transport,
    pub(super) peer: SocketAddr,
    /// Over TLS: who must be there.
    pub(super) identity: Identity,
    pub(super) size: Size,
}

/// Whether a request that is too large for a datagram may go in one (RFC 3261 §18.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// It goes by TCP instead, when there is one.
    Counts,
    /// TCP was tried, and came to nothing: better so than not at all.
    DoesNotCount,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The registration's, by the flow of this number.
    Register(u8),
    /// A call's.
    Call(Call, Part),
    /// A message's, or a ping's.
    Inquiry(u32),
    /// Of something that is watched.
    Watch(Watch, u32),
    /// What somebody is told who watches us.
    Told(u32),
    /// What we say of ourselves.
    Publish,
    /// The ACK of a 2xx to the INVITE of this transaction.
    Ack(ClientId),
    /// Whatever becomes of it, nobody waits: CANCEL, or the BYE of a dialog that was never wanted.
    Nobody,
}

/// Which request of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The INVITE that begins it.
    Invite,
    /// An INVITE within it.
    Reinvite,
    /// The receipt of a reliable provisional response (RFC 3262).
    Prack,
    /// A change without an INVITE (RFC 3311).
    Update,
    /// A transfer that we ask for, by its CSeq number (RFC 3515).
    Refer(u32),
    /// What we tell about the REFER of this number.
    Notify(u32),
    /// Its end.
    Bye,
}

/// What happened on the line.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is taken apart where it was made")]
pub(crate) enum News {
    /// The request went out.
    Sent { purpose: Purpose, id: ClientId, flow: Flow, request: Message },
    /// The ACK went out.
    Acknowledged { invite: ClientId, flow: Flow, ack: Message },
    /// A provisional response.
    Progress { purpose: Purpose, response: Message },
    /// The last word.
    Done { errand: Errand, outcome: Outcome },
    /// One more 2xx to an INVITE that had its last word.
    Further { id: ClientId, response: Message },
    /// Somebody asks something of us.
    Request(ServerId, Flow, Message),
    /// Somebody cancels.
    Cancel { cancel: ServerId, invite: Option<ServerId>, request: Message },
    /// Somebody acknowledges a 2xx.
    Ack(Message),
    /// A call of ours has come so far.
    Told(Call, Tiding),
    /// The other side of a call is the focus of a conference, or is none any more.
    Focus(Call, Role),
    /// What the other side of a call asks for is to be done.
    Follow(Call, Box<str>),
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tiding {
    Progress(u16),
    Up,
    Over(u16),
}

impl Tiding {
    /// The status that it comes to.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Progress(status) | Self::Over(status) => status,
            Self::Up => 200,
        }
    }
}

/// How an errand ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With a final response.
    Response(Message),
    /// Without: 408 or 503 (RFC 3261 §8.1.3.1), and why.
    Failure(Status, String),
}

impl Outcome {
    /// The status that it comes to.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Response(response) => response.status().unwrap_or(Status::SERVER_INTERNAL_ERROR),
            Self::Failure(status, _) => *status,
        }
    }
}
