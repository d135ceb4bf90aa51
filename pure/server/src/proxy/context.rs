//! `Context`: one request that we forward, its branches and what they said (RFC 3261 §16.2 "response context").

use std::collections::VecDeque;

use machine::Time;
use protocol::transaction::{ClientId, ServerId};
use protocol::{Flow, Ticket};
use sip::header::MaxBreadth;
use sip::{Bytes, Message, Method, Name};

use super::best::Best;
use super::copy::Routing;
use super::plan::Plan;
use super::target::{Target, is_same_uri};
use crate::limits;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) id: ServerId,
    /// How it came.
    pub(super) came: Flow,
    /// When it came.
    pub(super) began: Time,
    pub(super) request: Message,
    pub(super) plan: Plan,
    pub(super) state: State,
    /// Whose address it is for.
    pub(super) addressee: Addressee,
    /// When those who ring give way to those who wait.
    pub(super) gives_way: Time,
    /// When nothing is to be expected any more but that it rings on.
    pub(super) dozes: Time,
    /// Where else it may go.
    pub(super) waiting: VecDeque<Target>,
    pub(super) branches: Vec<Branch>,
    pub(super) best: Best,
    pub(super) detours: Option<Box<Detours>>,
    /// What CANCELs say of why (RFC 3326).
    pub(super) reason: Option<Box<[u8]>>,
    /// How many branches may ring at once (RFC 5393 §5.3).
    pub(super) breadth: u32,
    /// For when its alarm is set.
    pub(super) alarm: Time,
}

/// What few requests have.
#[derive(Debug, Default)]
pub(super) struct Detours {
    /// Where it was to go, and that neither waits nor has a branch: no URI is tried twice (§16.5).
    tried: Vec<Bytes>,
    /// Who has sent it on (RFC 5806), the last first.
    diversions: Vec<Bytes>,
}

/// Whose address the Request-URI is: only for users of ours may targets be added (§16.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    /// A user of ours.
    User(Box<[u8]>),
    /// Somebody else, or a number.
    Other,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Another shard is asked where the target is.
    Locating { ticket: Ticket, until: Time },
    /// Branches ring, one after another or together.
    Open,
    /// The caller has hung up, or somebody said no for all: no new branch.
    Closing,
    /// A 2xx was passed on.
    Accepted,
    /// Another final answer was passed on.
    Refused,
    /// An operator has ended it, and its caller was told so.
    Dismissed,
}

/// One copy of the request.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) target: Target,
    pub(super) routing: Routing,
    pub(super) breadth: u32,
    /// Addresses still to be tried (RFC 3263 §4.3).
    pub(super) attempts: Vec<Attempt>,
    /// True as long as nobody has looked where its URI leads, because it has a flow: within a dialog that may be gone.
    pub(super) unread: bool,
    pub(super) state: Leg,
    /// How it was refused, or 408 when nobody answered; 0: not yet.
    pub(super) said: u16,
}

/// One address to be tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) flow: Flow,
    pub(super) size: Size,
}

/// Whether a request that is too large for a datagram may go in one (RFC 3261 §18.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// It goes over TCP instead, when there is one.
    Counts,
    /// TCP was refused, or cannot be: better so than not at all.
    DoesNotCount,
}

/// How far a branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// A name is looked up.
    Looking { ticket: Ticket, until: Time },
    /// Sent, and nothing heard yet. `until` is timer C; at `hurry` the next address is tried.
    Calling { client: ClientId, until: Time, hurry: Time },
    /// A provisional answer came. `until` is timer C.
    Ringing { client: ClientId, until: Time },
    /// Nobody wants it any more, but a CANCEL must wait for a provisional answer (§9.1).
    Unwanted { client: ClientId, until: Time },
    /// A CANCEL went out.
    Cancelling { client: ClientId, until: Time },
    /// Answered for good, or given up.
    Done,
}

impl Context {
    /// A request that has gone nowhere yet.
    pub(super) fn new(
        id: ServerId,
        (came, began): (Flow, Time),
        request: Message,
        plan: Plan,
    ) -> Self {
        let breadth = request.get::<MaxBreadth>().map_or(limits::BREADTH, |MaxBreadth(n)| n);
        Self {
            id,
            came,
            began,
            request,
            plan,
            state: State::Open,
            addressee: Addressee::Other,
            gives_way: Time::NEVER,
            dozes: Time::NEVER,
            waiting: VecDeque::new(),
            branches: Vec::new(),
            best: Best::default(),
            detours: None,
            reason: None,
            breadth: breadth.min(limits::BREADTH),
            alarm: Time::NEVER,
        }
    }

    pub(super) fn is_invite(&self) -> bool {
        self.request.method() == Some(Method::Invite)
    }

    /// True for a request that nobody has sent: we have made it, in the name of somebody else. Nobody waits for its answer but us.
    pub(super) fn is_own(&self) -> bool {
        !self.request.has(Name::Via)
    }

    /// Adds a target before all that wait, unless it was one before.
    pub(super) fn add_first(&mut self, target: Target) {
        if self.is_new(&target) {
            self.waiting.push_front(target);
        }
    }

    /// True for a target that it was not to go to so far.
    pub(super) fn is_new(&self, target: &Target) -> bool {
        !self.tried().any(|tried| is_same_uri(tried, &target.uri))
    }

    /// Every URI that it was to go to so far.
    pub(super) fn tried(&self) -> impl Iterator<Item = &Bytes> {
        let branches = self.branches.iter().map(|branch| &branch.target);
        let targets = branches.chain(&self.waiting).map(|target| &target.uri);
        let others = self.detours.iter().flat_map(|detours| &detours.tried);
        std::iter::once(&self.plan.uri).chain(others).chain(targets)
    }

    /// It does not go where it was to go.
    pub(super) fn passes_over(&mut self, target: Target) {
        self.detours.get_or_insert_default().tried.push(target.uri);
    }

    /// Who has sent it on, the last first.
    pub(super) fn diversions(&self) -> &[Bytes] {
        self.detours.as_ref().map_or(&[], |detours| &detours.diversions)
    }

    /// Somebody has sent it on: these are all that have.
    pub(super) fn is_diverted(&mut self, diversions: Vec<Bytes>) {
        if !diversions.is_empty() {
            self.detours.get_or_insert_default().diversions = diversions;
        }
    }

    /// How much of the breadth that is left is kept, for all that ring share it (RFC 5393 §5.3.3): for who waits, and may be asked before those who
    /// ring have answered that they were cancelled; and for phones that register meanwhile, but nothing of what the request came with, which is to
    /// be handed on whole (appendix A).
    pub(super) fn spare(&self, left: u32) -> u32 {
        let may_come = self.is_invite() && matches!(self.addressee, Addressee::User(_));
        let is_ours = may_come && self.request.get::<MaxBreadth>().is_none();
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        waiting.min(left / 2).saturating_add(if is_ours { limits::LATECOMERS } else { 0 })
    }

    /// How much of its breadth nobody has.
    pub(super) fn breadth_left(&self) -> u32 {
        self.ringing().fold(self.breadth, |left, branch| left.saturating_sub(branch.breadth))
    }

    /// The branches that may still answer.
    pub(super) fn ringing(&self) -> impl Iterator<Item = &Branch> {
        self.branches.iter().filter(|branch| branch.state != Leg::Done)
    }

    /// True for a request outside of every dialog.
    pub(super) fn begins(&self) -> bool {
        self.request.to_tag().is_none()
    }

    /// True while a branch may still answer that somebody waits for.
    pub(super) fn is_calling(&self) -> bool {
        let calls = |leg: &Leg| {
            matches!(leg, Leg::Looking { .. } | Leg::Calling { .. } | Leg::Ringing { .. })
        };
        self.branches.iter().any(|branch| calls(&branch.state))
    }

    /// True while a branch may still answer.
    pub(super) fn is_pending(&self) -> bool {
        self.ringing().next().is_some()
    }

    /// True once a final answer was passed on.
    pub(super) const fn is_answered(&self) -> bool {
        matches!(self.state, State::Accepted | State::Refused | State::Dismissed)
    }

    /// True once it may be forgotten.
    pub(super) fn is_over(&self) -> bool {
        self.is_answered() && !self.is_pending()
    }

    /// When it wants to be woken.
    pub(super) fn deadline(&self) -> Time {
        let own = match self.state {
            State::Locating { until, .. } => until,
            State::Open => self.gives_way.min(self.dozes),
            State::Closing | State::Accepted | State::Refused | State::Dismissed => Time::NEVER,
        };
        self.branches.iter().map(|branch| branch.state.until()).fold(own, Time::min)
    }
}

impl Branch {
    /// A branch that has gone nowhere yet.
    pub(super) const fn new(target: Target, routing: Routing, breadth: u32, state: Leg) -> Self {
        let attempts = Vec::new();
        Self { target, routing, breadth, attempts, unread: false, state, said: 0 }
    }

    /// No further address of it is tried.
    pub(super) fn tries_no_more(&mut self) {
        (self.attempts, self.unread) = (Vec::new(), false);
    }
}

impl Leg {
    /// When this state has lasted too long.
    pub(super) const fn until(&self) -> Time {
        match self {
            Self::Calling { until, hurry, .. } => {
                if until.0 < hurry.0 {
                    *until
                } else {
                    *hurry
                }
            }
            Self::Looking { until, .. }
            | Self::Ringing { until, .. }
            | Self::Unwanted { until, .. }
            | Self::Cancelling { until, .. } => *until,
            Self::Done => Time::NEVER,
        }
    }

    /// Its client transaction.
    pub(super) const fn client(&self) -> Option<ClientId> {
        match self {
            Self::Calling { client, .. }
            | Self::Ringing { client, .. }
            | Self::Unwanted { client, .. }
            | Self::Cancelling { client, .. } => Some(*client),
            Self::Looking { .. } | Self::Done => None,
        }
    }
}
