//! Latecomers: a phone that registers while its number is being called rings too (RFC 3261 §16.5: the source of targets "SHOULD" be
//! monitored while a request is under way).

use std::collections::BTreeMap;

use protocol::doors::Reach;
use protocol::transaction::ServerId;
use protocol::{Question, Ticket};

use super::context::{Addressee, Context, State};
use super::disposition::{Disposition, Order};
use super::preferences::Preferences;
use super::{Proxy, Wait, target};
use crate::limits;
use crate::turn::Turn;

/// Which users are being called by which requests, and what those ask just now.
#[derive(Debug, Default)]
pub(super) struct Called(BTreeMap<Box<[u8]>, BTreeMap<ServerId, Option<Ticket>>>);

impl Called {
    /// A call begins to ring at a user's phones.
    pub(super) fn note(&mut self, context: &Context) {
        if let Addressee::User(aor) = &context.addressee
            && context.is_invite()
        {
            self.0.entry(aor.clone()).or_default().insert(context.id, None);
        }
    }

    /// It is over; what it was asking, if it was.
    pub(super) fn forget(&mut self, context: &Context) -> Option<Ticket> {
        let Addressee::User(aor) = &context.addressee else { return None };
        let calls = self.0.get_mut(aor)?;
        let ticket = calls.remove(&context.id).flatten();
        if calls.is_empty() {
            self.0.remove(aor);
        }
        ticket
    }

    /// The calls to a user that ask nothing yet.
    fn calls(&self, aor: &[u8]) -> Vec<ServerId> {
        let calls = self.0.get(aor).into_iter().flatten();
        calls.filter(|(_, ticket)| ticket.is_none()).map(|(id, _)| *id).collect()
    }

    fn set(&mut self, aor: &[u8], id: ServerId, ticket: Option<Ticket>) {
        if let Some(call) = self.0.get_mut(aor).and_then(|calls| calls.get_mut(&id)) {
            *call = ticket;
        }
    }
}

impl Proxy {
    /// A user has a phone that was not there before: whoever calls it now asks again where it is.
    pub(crate) fn appeared(&mut self, turn: &mut Turn<'_>, aor: &[u8]) {
        for id in self.called.calls(aor) {
            if self.contexts.get(&id).is_some_and(|context| context.state == State::Open) {
                let ticket = self.ask(turn, Question::Locate(aor.into()), Wait::Latecomers(id));
                self.called.set(aor, id, Some(ticket));
            }
        }
    }

    /// Where it is now: what was not tried yet is tried too, by the caller's own preferences.
    pub(super) fn joined(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        bindings: Vec<Reach>,
    ) {
        if let Addressee::User(aor) = &context.addressee {
            self.called.set(aor, context.id, None);
        }
        if context.state != State::Open || Disposition(&context.request).no_fork() {
            return;
        }
        let preferences = Preferences::of(&context.request);
        let bindings = preferences.choose(context.plan.aim.meant(turn.house, bindings));
        for target in target::of_bindings(bindings, &preferences) {
            if !context.is_new(&target) || context.tried().count() > limits::TARGETS {
                continue;
            }
            let rings = context.ringing().any(|branch| branch.target.q <= target.q);
            let beside = Disposition(&context.request).order() != Order::Sequential;
            if rings && beside && context.breadth_left() > 0 {
                self.begin(turn, context, target, 1);
            } else {
                let place = context.waiting.partition_point(|other| other.q >= target.q);
                context.waiting.insert(place, target);
            }
        }
        self.settle(turn, context);
    }
}
