//! The ACK of a 2xx, on its way along the route of its dialog: carried without a context (RFC 3261 §16.11, §13.2.2.4).

use std::collections::BTreeMap;

use machine::Time;
use protocol::{Answer, Flow, Output, Question, Ticket, locate};
use sip::{Message, Uri};

use super::across;
use super::copy::{Copy, Original, Routing};
use super::hop::{self, Hop};
use super::preferences::Preferences;
use super::target::{self, Target, Way};
use super::{Plan, Proxy, Wait};
use crate::gruu::Aim;
use crate::house::Place;
use crate::turn::Turn;
use crate::{admission, limits};

/// An ACK on its way.
#[derive(Clone, Debug)]
struct Ack {
    came: Flow,
    request: Message,
    plan: Plan,
    target: Target,
    whence: Whence,
}

/// How we know where an ACK goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whence {
    /// Its dialog says so.
    Dialog,
    /// Its user is registered there.
    Registrar,
}

/// ACKs that wait for an answer: of the DNS, or where a user of ours is.
#[derive(Debug, Default)]
pub(super) struct Acks(BTreeMap<Ticket, (Time, Ack)>);

impl Acks {
    /// Forgets those whose answer never came. Tickets rise, so the oldest stand first.
    pub(super) fn forget(&mut self, now: Time) {
        while let Some(first) = self.0.first_entry() {
            if first.get().0 > now && self.0.len() <= limits::CONTEXTS {
                return;
            }
            self.0.pop_first();
        }
    }
}

impl Proxy {
    /// An ACK that belongs to no transaction of ours. Without a pass of ours it is nobody's whom we know: it is dropped, for an ACK cannot
    /// be answered.
    pub(crate) fn ack(&mut self, turn: &mut Turn<'_>, came: Flow, request: Message) {
        let tag = request.to_tag();
        let for_our_refusal = tag.is_some_and(|tag| turn.house.is_our_tag(&request, tag));
        let plan = self.plan(turn, came, &request);
        let across = plan.token.flow().filter(|_| across::came(turn.house, came));
        let known = plan.pass.is_some() || turn.house.trusts_everybody();
        let welcome = across.is_some() || known && !across::came(turn.house, came);
        if for_our_refusal || !welcome || admission::hops(&request).is_err() {
            return;
        }
        let target = match across {
            Some(flow) => Target::of(plan.uri.clone(), Way::Edge(flow)),
            None => plan.target(turn.house),
        };
        let ack = Ack { came, request, plan, target, whence: Whence::Dialog };
        match &ack.plan.aim {
            // RFC 5627 §6.1: the phone is where it has registered last, and called by that address.
            Aim::Phone(phone) if ack.plan.routes.is_empty() => {
                self.hold_ack(turn, Question::Locate(phone.aor.clone()), ack);
            }
            _ => self.pass_ack(turn, ack),
        }
    }

    fn pass_ack(&mut self, turn: &mut Turn<'_>, mut ack: Ack) {
        let node = self.visit(turn, &ack.request, &mut ack.target);
        let routing = Routing::of(&ack.plan, &ack.target);
        if let Some(flow) = node.or(ack.target.way.flow()) {
            return self.send_ack(turn, &ack, &routing, flow);
        }
        let next = routing.next(&ack.plan, &ack.target);
        let Some(Ok(uri)) = next.map(Uri::parse) else { return };
        let Uri::Sip(sip) = &uri else { return };
        match turn.house.place(&uri) {
            // The Contact of a phone is the address of its user.
            Place::User(named) if ack.whence == Whence::Dialog => {
                self.hold_ack(turn, Question::Locate(named.user), ack);
            }
            Place::Foreign => match hop::of(sip, turn.house) {
                Ok(Hop::At(targets)) => self.send_ack_to(turn, &ack, &routing, &targets),
                Ok(Hop::Named(question)) => self.hold_ack(turn, question, ack),
                Err(_) => {}
            },
            Place::User(_) | Place::Us | Place::Unknown => {}
        }
    }

    fn hold_ack(&mut self, turn: &mut Turn<'_>, question: Question, ack: Ack) {
        let ticket = self.ask(turn, question, Wait::Ack);
        let until = turn.now + turn.house.settings.timers.patience();
        self.acks.0.insert(ticket, (until, ack));
    }

    /// The next hop of an ACK is known, or where its user is. Which phone has answered is not: those that have not, know nothing of it.
    pub(super) fn ack_looked_up(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: Answer) {
        let Some((_, ack)) = self.acks.0.remove(&ticket) else { return };
        match answer {
            Answer::Targets(targets) => {
                let routing = Routing::of(&ack.plan, &ack.target);
                self.send_ack_to(turn, &ack, &routing, &targets);
            }
            Answer::Bindings(bindings) => {
                let meant = ack.plan.aim.meant(turn.house, bindings);
                for target in target::of_bindings(meant, &Preferences::of(&ack.request)) {
                    self.pass_ack(turn, Ack { target, whence: Whence::Registrar, ..ack.clone() });
                }
            }
            _ => {}
        }
    }

    fn send_ack_to(
        &self,
        turn: &mut Turn<'_>,
        ack: &Ack,
        routing: &Routing,
        targets: &[locate::Target],
    ) {
        let Some(target) = targets.first() else { return };
        if let Some(flow) = hop::flow_of(turn.house, target, ack.came.listener, turn.out) {
            self.send_ack(turn, ack, routing, flow);
        }
    }

    /// A repeated ACK gets the same branch again (§16.11): the Via below it is in its signature, and where it was to go in its other part.
    fn send_ack(&self, turn: &mut Turn<'_>, ack: &Ack, routing: &Routing, flow: Flow) {
        let Ack { came, request, plan, target, whence } = ack;
        let unique = match whence {
            Whence::Dialog => 0,
            Whence::Registrar => (self.seal.number([&b"ACK"[..], &target.uri]) >> 32) as u32,
        };
        let (house, seal) = (turn.house, &self.seal);
        let original = Original { house, seal, request, plan, came: *came, past: None };
        let copy = Copy { target, flow, unique, breadth: limits::BREADTH };
        if let Ok(copy) = original.copy(routing, &copy) {
            turn.out.push(Output::Send(flow, copy.wire));
        }
    }
}
