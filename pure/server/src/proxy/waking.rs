//! A phone that sleeps: its branch waits until it is awake, and then begins (RFC 8599 §5.6.2).

use std::time::Duration;

use protocol::doors::{Question, Sleeper};
use protocol::{Answer, Ticket};
use sip::Status;

use super::best::Candidate;
use super::context::{Branch, Context, Leg};
use super::copy::Routing;
use super::target::Target;
use super::{Proxy, Wait};
use crate::turn::Turn;

/// How much longer than the phone may take we wait for the shard that wakes it.
const GRACE: Duration = Duration::from_secs(2);

impl Proxy {
    /// Has the phone of a target woken.
    pub(super) fn rouse(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        (target, sleeper): (Target, Box<Sleeper>),
        breadth: u32,
    ) {
        let wait = turn.house.settings.push.as_ref().map_or(Duration::ZERO, |push| push.wait);
        let at = context.branches.len();
        let ticket = self.ask(turn, Question::Wake(sleeper), Wait::Phone(context.id, at));
        let state = Leg::Looking { ticket, until: turn.now + wait + GRACE };
        let routing = Routing::of(&context.plan, &target);
        context.branches.push(Branch::new(target, routing, breadth, state));
    }

    /// The phone is awake, and its branch goes where it is now; or it sleeps on.
    pub(super) fn roused(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        (ticket, answer): (Ticket, Answer),
    ) {
        let Some(branch) = context.branches.get_mut(at) else { return };
        if !matches!(branch.state, Leg::Looking { ticket: asked, .. } if asked == ticket) {
            return;
        }
        branch.state = Leg::Done;
        let (Target { q, rank, .. }, breadth) = (&branch.target, branch.breadth);
        let (q, rank) = (*q, *rank);
        let awake = match answer {
            Answer::Bindings(ways) => ways.into_iter().next(),
            _ => None,
        };
        if let Some(way) = awake {
            let spares = std::mem::take(&mut branch.target.spares);
            let target = Target { q, spares, asleep: None, ..Target::at(way, rank) };
            self.begin(turn, context, target, breadth);
        } else if !self.other_way(turn, context, at) {
            let phrase = "The Phone Did Not Wake Up".into();
            context.best.offer(Candidate::Ours(Status::TEMPORARILY_UNAVAILABLE, phrase));
        }
        self.settle(turn, context);
    }
}
