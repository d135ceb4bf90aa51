//! What is carried without a context: the ACK of a 2xx, and responses that come late (RFC 3261 §16.7 step 1, §16.11, §13.2.2.4).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use machine::Time;
use protocol::transaction::ClientId;
use protocol::{Answer, Flow, Output, Ticket, Transport, locate};
use sip::header::{To, Via};
use sip::{Message, Name, Status, Uri};

use super::copy::{Copy, Original, Routing, is_our_branch};
use super::hop::{self, Hop};
use super::target::{Target, Way};
use super::{Plan, Proxy, Wait, session_timer};
use crate::turn::Turn;
use crate::{admission, limits};

/// ACKs whose next hop is looked up.
#[derive(Debug, Default)]
pub(super) struct Acks(BTreeMap<Ticket, Waiting>);

#[derive(Debug)]
struct Waiting {
    came: Flow,
    request: Message,
    plan: Plan,
    until: Time,
}

impl Acks {
    /// Forgets those whose answer never came. Tickets rise, so the oldest stand first.
    pub(super) fn forget(&mut self, now: Time) {
        while let Some(first) = self.0.first_entry() {
            if first.get().until > now && self.0.len() <= limits::CONTEXTS {
                return;
            }
            self.0.pop_first();
        }
    }
}

impl Proxy {
    /// An ACK that belongs to no transaction of ours: that of a 2xx, on its way along the route of its dialog. Without a pass of ours
    /// it is nobody's whom we know: it is dropped, for an ACK cannot be answered.
    pub(crate) fn ack(&mut self, turn: &mut Turn<'_>, came: Flow, request: Message) {
        let tag = request.get::<To>().and_then(|to| to.tag());
        let for_our_refusal = tag.is_some_and(|tag| turn.house.is_our_tag(&request, tag));
        let plan = self.plan(turn, came, &request);
        let welcome = plan.pass.is_some() || turn.house.trusts_everybody();
        if for_our_refusal || !welcome || admission::hops(&request).is_err() {
            return;
        }
        let target = target_of(&plan);
        let routing = Routing::of(&plan, &target);
        if let Some(flow) = target.way.flow() {
            return self.send_ack(turn, (came, &request, &plan), &routing, flow);
        }
        let next = routing.next(&plan, &target);
        let hop = match next.as_deref().map(Uri::parse) {
            Some(Ok(Uri::Sip(uri))) if !turn.house.is_ours(&uri) => hop::of(&uri, turn.house),
            _ => return,
        };
        match hop {
            Ok(Hop::At(targets)) => {
                self.send_ack_to(turn, (came, &request, &plan), &routing, &targets);
            }
            Ok(Hop::Named(question)) => {
                let ticket = self.ask(turn, question, Wait::Ack);
                let until = turn.now + turn.house.settings.timers.patience();
                self.acks.0.insert(ticket, Waiting { came, request, plan, until });
            }
            Err(_) => {}
        }
    }

    /// The next hop of an ACK is known.
    pub(super) fn ack_looked_up(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: Answer) {
        let Some(Waiting { came, request, plan, .. }) = self.acks.0.remove(&ticket) else { return };
        let Answer::Targets(targets) = answer else { return };
        let routing = Routing::of(&plan, &target_of(&plan));
        self.send_ack_to(turn, (came, &request, &plan), &routing, &targets);
    }

    fn send_ack_to(
        &self,
        turn: &mut Turn<'_>,
        ack: (Flow, &Message, &Plan),
        routing: &Routing,
        targets: &[locate::Target],
    ) {
        let Some(target) = targets.first() else { return };
        if let Some(flow) = hop::flow_of(turn.house, target, ack.0.listener, turn.out) {
            self.send_ack(turn, ack, routing, flow);
        }
    }

    /// A repeated ACK gets the same branch again (§16.11).
    fn send_ack(
        &self,
        turn: &mut Turn<'_>,
        ack: (Flow, &Message, &Plan),
        routing: &Routing,
        flow: Flow,
    ) {
        let (came, request, plan) = ack;
        let via = request.elements(Name::Via).next().unwrap_or_default();
        let unique = (self.seal.number([&b"ACK"[..], via]) >> 32) as u32;
        let original = Original { house: turn.house, seal: &self.seal, request, plan, came };
        let target = target_of(plan);
        let copy = Copy { target: &target, flow, unique, breadth: limits::BREADTH };
        if let Ok(copy) = original.copy(routing, &copy) {
            turn.out.push(Output::Send(flow, copy.wire().clone()));
        }
    }

    /// A 2xx that is repeated to a branch whose context is gone. It goes on when its top Via is one that we wrote above the next;
    /// anything else is dropped, or strangers would have us send their responses to others.
    pub(crate) fn repeated(
        &self,
        turn: &mut Turn<'_>,
        (client, came): (ClientId, Flow),
        response: &Message,
    ) {
        // Of the others the caller has heard the end already.
        if !response.status().is_some_and(Status::is_success) {
            return;
        }
        let mut vias = response.elements(Name::Via);
        let (Some(_), Some(below)) = (vias.next(), vias.next()) else { return };
        let Some(via) = response.get::<Via>() else { return };
        let ours = turn.house.ours.wrote(&via)
            && via.branch().is_some_and(|branch| is_our_branch(&self.seal, branch, below));
        if !ours {
            return;
        }
        let mut edit = response.edit();
        edit.remove_first(Name::Via);
        if let Some(expires) = self.paid.to(client) {
            session_timer::pay(expires, response, &mut edit);
        }
        let Ok(onward) = edit.finish() else { return };
        let Some((transport, peer)) = onward.get::<Via>().and_then(|via| way_back(&via)) else {
            return;
        };
        if let Some(flow) = hop::flow_to(turn.house, transport, peer, came.listener) {
            turn.out.push(Output::Send(flow, onward.wire().clone()));
        }
    }
}

/// Where a Via that we signed leads: `received` and `rport` are ours, for we wrote them when the request came (§18.2.2, RFC 3581 §4).
fn way_back(via: &Via<'_>) -> Option<(Transport, SocketAddr)> {
    let transport = Transport::of(via.transport.0)?;
    let port = via.port.unwrap_or(transport.default_port());
    let port = via.rport().flatten().filter(|_| !transport.is_reliable()).unwrap_or(port);
    Some((transport, SocketAddr::new(via.received().or(via.host.ip())?, port)))
}

/// Where a request within a dialog goes: by the flow that our pass remembers, or where its URI and routes lead.
fn target_of(plan: &Plan) -> Target {
    Target::of(plan.uri.clone(), plan.onward().map_or(Way::Uri, Way::Flow))
}
