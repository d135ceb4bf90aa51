//! Latecomers: a phone that registers while its number is being called rings too (RFC 3261 §16.5: the source of targets "SHOULD" be
//! monitored while a request is under way).

use std::collections::{BTreeMap, BTreeSet};

use protocol::doors::Reach;
use protocol::transaction::ServerId;
use protocol::{Question, Ticket};

use super::context::{Addressee, Context, State};
use super::disposition::{Disposition, Order};
use super::preferences::Preferences;
use super::{Proxy, Wait, target};
use crate::limits;
use crate::seal::Seal;
use crate::turn::Turn;

/// Which users are being called by which requests, and what those ask just now.
#[derive(Debug, Default)]
pub(super) struct Called {
    /// By numbers that stand for users: two users may have one.
    calls: BTreeSet<(u64, ServerId)>,
    asking: BTreeMap<ServerId, Ticket>,
}

impl Called {
    /// A call begins to ring at a user's phones.
    pub(super) fn note(&mut self, seal: &Seal, context: &Context) {
        if let Addressee::User(aor) = &context.addressee
            && context.is_invite()
        {
            self.calls.insert((number(seal, aor), context.id));
        }
    }

    /// It is over; what it was asking, if it was.
    pub(super) fn forget(&mut self, seal: &Seal, context: &Context) -> Option<Ticket> {
        let Addressee::User(aor) = &context.addressee else { return None };
        self.calls.remove(&(number(seal, aor), context.id));
        self.asking.remove(&context.id)
    }

    /// Calls that ask nothing yet: all that are to a user.
    fn calls(&self, seal: &Seal, aor: &[u8]) -> Vec<ServerId> {
        let number = number(seal, aor);
        let calls = self.calls.range((number, ServerId::FIRST)..);
        let calls = calls.take_while(|(other, _)| *other == number).map(|(_, id)| *id);
        calls.filter(|id| !self.asking.contains_key(id)).collect()
    }
}

fn number(seal: &Seal, aor: &[u8]) -> u64 {
    seal.mark([aor])
}

impl Proxy {
    /// A user has a phone that was not there before: whoever calls it now asks again where it is.
    pub(crate) fn appeared(&mut self, turn: &mut Turn<'_>, aor: &[u8]) {
        for id in self.called.calls(&self.seal, aor) {
            if self.contexts.calls(id, aor) {
                let ticket = self.ask(turn, Question::Locate(aor.into()), Wait::Latecomers(id));
                self.called.asking.insert(id, ticket);
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
        self.called.asking.remove(&context.id);
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
