//! The proxy: stateful, forking, on the path of its dialogs (RFC 3261 §16).
//!
//! A request becomes a [`Context`]; `forward.rs` makes its branches, `response.rs` hears them; `ack.rs` and
//! `stateless.rs` carry what has no context: the ACK of a 2xx, and answers that come late.

mod ack;
mod across;
mod asleep;
mod best;
mod branch;
mod cancel;
mod context;
mod copy;
mod disposition;
mod forward;
mod given_up;
mod history;
pub(crate) mod hop;
mod identity;
mod latecomers;
mod members;
mod neighbours;
mod number;
mod pass;
mod plan;
mod preferences;
mod recurse;
mod refused_tcp;
mod response;
mod session_timer;
mod stateless;
mod target;
mod told;
mod waking;
mod way_back;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use machine::{Alarms, Time};
use protocol::doors::{Reach, Warning};
use protocol::locate::{Domain, Failure, States};
use protocol::transaction::{ClientId, ServerId};
use protocol::{Answer, Fault, Flow, Output, Question, Ticket, Transport};
use sip::header::MaxBreadth;
use sip::{Message, Method, Name, Status};

use crate::groups::{Groups, Place, Probes};
use crate::house::House;
use crate::node::{Address, Targets};
use crate::routes::Errand;
use crate::seal::Seal;
use crate::settings::Trying;
use crate::turn::Turn;
use crate::{admission, limits, outbound};
use ack::Acks;
use asleep::Contexts;
use context::{Addressee, Context, Leg, State};
use copy::Original;
use given_up::GivenUp;
use latecomers::Called;
use neighbours::Neighbours;
use refused_tcp::RefusedTcp;
use session_timer::Paid;

pub(crate) use across::came as came_across;
pub(crate) use hop::direct_flow;
pub(crate) use members::Lead;
pub(crate) use plan::{Plan, shows_pass, sip_uri};
pub(crate) use response::Loss;
pub(crate) use target::{Onward, Target, Way};
pub(crate) use told::told;

/// All requests on their way through this shard.
#[derive(Debug)]
pub(crate) struct Proxy {
    seal: Seal,
    contexts: Contexts,
    clients: BTreeMap<ClientId, Sent>,
    called: Called,
    given_up: GivenUp,
    paid: Paid,
    states: States,
    tickets: BTreeMap<Ticket, Wait>,
    acks: Acks,
    alarms: Alarms<ServerId>,
    refused_tcp: RefusedTcp,
    neighbours: Neighbours,
    groups: Groups,
    probes: Probes,
    /// Numbers that the DNS is asked for: what is to be done with them.
    numbers: BTreeMap<Ticket, Box<Errand>>,
    asked: u64,
}

/// A request that went to an address.
#[derive(Debug)]
struct Sent {
    /// Whose context.
    context: ServerId,
    /// Which of its branches.
    branch: u32,
    /// The address, when its state is kept: not that of a phone's flow, which has no other.
    to: Option<Box<(Transport, SocketAddr)>>,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// A request, for the bindings of its target.
    Bindings(ServerId),
    /// A branch, for the addresses of its next hop.
    Addresses(ServerId, usize),
    /// The same, for the bindings of another user, whom a phone has named in its place.
    Others(ServerId, usize),
    /// A request whose user has got another phone meanwhile.
    Latecomers(ServerId),
    /// A branch, for its phone to wake up.
    Phone(ServerId, usize),
    /// A request, for what the DNS knows of its number.
    Number(ServerId),
    /// An ACK, for the same.
    Ack,
    /// A probe, for the addresses of its member.
    Probe(Place),
    /// The answers to a request, for the same.
    WayBack(ServerId),
}

/// Where the target of a request is.
#[derive(Debug)]
pub(crate) enum Found {
    /// At the first of these that takes it.
    At(Vec<Target>),
    /// With this user, where these bindings say.
    Bound(Box<[u8]>, Vec<Reach>),
    /// The DNS may know.
    Number(Box<(Box<Errand>, Domain)>),
    /// Another shard knows: the address of record.
    Elsewhere(Box<[u8]>),
}

impl Proxy {
    pub(crate) fn new(house: &House) -> Self {
        let mut probes = Probes::default();
        probes.renew(house);
        Self {
            seal: Seal::new(house.settings.secret),
            contexts: Contexts::default(),
            clients: BTreeMap::new(),
            called: Called::default(),
            given_up: GivenUp::default(),
            paid: Paid::default(),
            states: States::default(),
            tickets: BTreeMap::new(),
            acks: Acks::default(),
            alarms: Alarms::default(),
            refused_tcp: RefusedTcp::default(),
            neighbours: Neighbours::default(),
            groups: Groups::default(),
            probes,
            numbers: BTreeMap::new(),
            asked: 0,
        }
    }

    /// The settings have changed.
    pub(crate) fn renewed(&mut self, house: &House) {
        self.groups.renewed(house);
        self.probes.renew(house);
    }

    /// Reads the routes of a request.
    pub(crate) fn plan(&self, turn: &Turn<'_>, came: Flow, request: &Message) -> Plan {
        Plan::of(request, (came, turn.now), turn.house, &self.seal)
    }

    /// May this request be forwarded at all (§16.3)? Asked before anybody is asked who it is.
    pub(crate) fn validate(
        &self,
        turn: &Turn<'_>,
        came: Flow,
        request: &Message,
        plan: &Plan,
    ) -> Result<(), Fault> {
        admission::hops(request)?;
        let original =
            Original { house: turn.house, seal: &self.seal, request, plan, came, past: None };
        if original.is_looping() {
            return Err(Fault::LoopDetected);
        }
        admission::proxy_required(request)?;
        preferences::admits(request)?;
        session_timer::admits(turn.house.settings.proxy.session_timer, request)?;
        outbound::judge(request)?;
        if request.get::<MaxBreadth>() == Some(MaxBreadth(0)) {
            return Err(Fault::BreadthExceeded);
        }
        Ok(())
    }

    /// Takes a request on its way.
    pub(crate) fn forward(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        way: (Flow, Message, Plan),
        found: Found,
    ) {
        let (came, mut request, plan) = way;
        // What an operator orders is rare, and has no Via.
        if self.contexts.len() >= limits::CONTEXTS && request.has(Name::Via) {
            turn.call_refused(plan.call, Status::SERVICE_UNAVAILABLE, None);
            return turn.refuse_in(id, came, &request, &Fault::Overloaded(10));
        }
        let at_once = turn.house.settings.proxy.trying == Trying::AtOnce;
        if request.method() == Some(Method::Invite) && at_once && !turn.house.only_redirects() {
            // Else its transaction says it in time (§17.2.1).
            let trying = request.reply(Status::TRYING).wire();
            turn.answer(id, trying);
        }
        turn.call_passes(plan.call, id, &request);
        match request.method() {
            Some(Method::Bye) => self.free_line(&request),
            // It may ring for minutes.
            Some(Method::Invite) => request.shrink(),
            _ => {}
        }
        let mut context = Box::new(Context::new(id, (came, turn.now), request, plan));
        match found {
            Found::At(targets) => {
                self.took_turn(&targets);
                self.found(turn, &mut context, targets.into());
            }
            Found::Number(asked) => self.ask_number(turn, &mut context, *asked),
            Found::Bound(aor, bindings) => {
                context.addressee = Addressee::User(aor);
                self.bound(turn, &mut context, bindings);
            }
            Found::Elsewhere(aor) => {
                context.addressee = Addressee::User(aor.clone());
                let ticket = self.ask(turn, Question::Locate(aor), Wait::Bindings(id));
                let until = turn.now + turn.house.settings.timers.patience();
                context.state = State::Locating { ticket, until };
            }
        }
        self.keep(turn, context);
    }

    /// Takes the answer to a question; one that nobody waits for any more is ignored.
    pub(crate) fn answered(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: Answer) {
        let Some(wait) = self.tickets.remove(&ticket) else { return };
        match wait {
            Wait::Bindings(id) => {
                let bindings = bindings_of(answer);
                self.with(turn, id, |proxy, turn, context| {
                    proxy.located(turn, context, ticket, bindings);
                });
            }
            Wait::Latecomers(id) => {
                let bindings = bindings_of(answer);
                self.with(turn, id, |proxy, turn, context| proxy.joined(turn, context, bindings));
            }
            Wait::Others(id, branch) => {
                let bindings = bindings_of(answer);
                self.with(turn, id, |proxy, turn, context| {
                    proxy.others(turn, context, branch, bindings);
                });
            }
            Wait::Addresses(id, branch) => self.with(turn, id, |proxy, turn, context| {
                proxy.looked_up(turn, context, branch, (ticket, answer));
            }),
            Wait::Phone(id, branch) => self.with(turn, id, |proxy, turn, context| {
                proxy.roused(turn, context, branch, (ticket, answer));
            }),
            Wait::Probe(place) => self.probe_looked_up(turn, place, answer),
            Wait::Number(id) => {
                let Some(errand) = self.numbers.remove(&ticket) else { return };
                self.with(turn, id, |proxy, turn, context| {
                    proxy.numbered(turn, context, (ticket, errand), answer);
                });
            }
            Wait::Ack => self.ack_looked_up(turn, ticket, answer),
            Wait::WayBack(id) => way_back::found(turn, id, &answer),
        }
    }

    fn located(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        ticket: Ticket,
        bindings: Vec<Reach>,
    ) {
        let State::Locating { ticket: asked, .. } = context.state else { return };
        if ticket == asked {
            context.state = State::Open;
            self.bound(turn, context, bindings);
        }
    }

    /// An address fails: it is tried last for a while, and the other shards need not find out by themselves.
    fn failing(
        &mut self,
        turn: &mut Turn<'_>,
        (transport, address): (Transport, SocketAddr),
        failure: Failure,
    ) {
        if self.states.failed(turn.now, (transport, address), failure) {
            let failure = Some(failure);
            turn.out.push(Output::Warn(Warning { transport, address, failure }));
        }
    }

    /// How the members of groups stand, and which addresses have failed lately.
    pub(crate) fn targets(&self, now: Time, house: &House) -> Targets {
        let members = self.groups.members(house, (now, &self.states));
        let failed = self.states.all(now);
        let failed =
            failed.map(|(transport, address, state)| Address { transport, address, state });
        Targets { members, failed: failed.collect() }
    }

    /// Another shard has found out.
    pub(crate) fn warned(&mut self, now: Time, warning: Warning) {
        let key = (warning.transport, warning.address);
        match warning.failure {
            Some(failure) => drop(self.states.failed(now, key, failure)),
            None => drop(self.states.is_back(now, key)),
        }
    }

    /// Does what is due: timer C (§16.8), CANCELs without an answer, questions without one.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        while let Some(id) = self.alarms.due(turn.now) {
            self.with(turn, id, Self::rung);
        }
        while let Some(client) = self.given_up.overdue(turn.now) {
            turn.transactions.abandon(client);
        }
        self.acks.forget(turn.now);
        self.paid.forget(turn.now);
        self.probe(turn);
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let own = [self.alarms.next(), self.given_up.deadline()];
        own.into_iter().chain([self.groups.deadline(), self.probes.deadline()]).flatten().min()
    }

    /// How many requests are on their way, or wait for an answer of somebody.
    pub(crate) fn len(&self) -> usize {
        self.contexts.len().max(self.clients.len()).max(self.tickets.len())
    }

    /// Asks a question for somebody.
    fn ask(&mut self, turn: &mut Turn<'_>, question: Question, wait: Wait) -> Ticket {
        self.asked = self.asked.wrapping_add(1);
        let ticket = Ticket(self.asked);
        self.tickets.insert(ticket, wait);
        turn.out.push(Output::Ask(ticket, question));
        ticket
    }

    /// Changes a context, if it is still there, and keeps it if it is not over.
    fn with(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        change: impl FnOnce(&mut Self, &mut Turn<'_>, &mut Context),
    ) {
        let Some(mut context) = self.contexts.take(id) else { return };
        change(self, turn, &mut context);
        self.keep(turn, context);
    }

    fn keep(&mut self, turn: &mut Turn<'_>, mut context: Box<Context>) {
        if context.is_over() {
            if let Some(ticket) = self.called.forget(&self.seal, &context) {
                self.tickets.remove(&ticket);
            }
            for client in context.branches.iter().filter_map(|branch| branch.state.client()) {
                self.clients.remove(&client);
            }
            let refused = matches!(context.state, State::Refused | State::Dismissed);
            if refused && context.is_invite() && context.begins() {
                self.free_line(&context.request);
            }
            return;
        }
        let dozes = context.dozes <= turn.now;
        if dozes {
            context.dozes = Time::NEVER;
            turn.transactions.lasts(context.id, context.request.wire());
        }
        let deadline = context.deadline();
        // One alarm a context: an earlier one that rings is set again.
        if deadline < context.alarm {
            context.alarm = deadline;
            self.alarms.set(deadline, context.id);
        }
        if dozes { self.contexts.lay(context) } else { self.contexts.put(context) }
    }

    /// The alarm of a context rang.
    fn rung(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        if context.alarm > turn.now {
            return;
        }
        context.alarm = Time::NEVER;
        if matches!(context.state, State::Locating { until, .. } if until <= turn.now) {
            context.state = State::Open;
        }
        if context.gives_way <= turn.now {
            self.give_way(turn, context);
        }
        for at in 0..context.branches.len() {
            self.overdue(turn, context, at);
        }
        self.settle(turn, context);
    }

    /// What has lasted too long in one branch.
    fn overdue(&mut self, turn: &mut Turn<'_>, context: &mut Context, at: usize) {
        let Some(branch) = context.branches.get_mut(at) else { return };
        if branch.state.until() > turn.now {
            return;
        }
        match branch.state {
            Leg::Looking { ticket, .. } => {
                self.tickets.remove(&ticket);
                self.lost(turn, context, at, response::Loss::Unreachable);
            }
            // §16.8: with a provisional answer it is cancelled, without one it has timed out.
            Leg::Ringing { .. } => {
                self.cancel_branch(turn, context, at, Some(cancel::NOBODY_ANSWERED));
            }
            Leg::Calling { client, hurry, .. } if hurry <= turn.now => {
                // The server may wake up and ring all the same; then it is told that nobody waits any more.
                turn.transactions.hush(client);
                if let Some(sent) = self.clients.remove(&client) {
                    let to = sent.to.as_deref().copied();
                    self.given_up.note(client, sent);
                    to.into_iter().for_each(|to| self.failing(turn, to, Failure::Unanswered));
                }
                self.lost(turn, context, at, response::Loss::Silent);
            }
            Leg::Calling { client, .. }
            | Leg::Unwanted { client, .. }
            | Leg::Cancelling { client, .. } => {
                turn.transactions.abandon(client);
                let sent = self.clients.remove(&client);
                if matches!(branch.state, Leg::Calling { .. })
                    && let Some(to) = sent.and_then(|sent| sent.to)
                {
                    self.failing(turn, *to, Failure::Unanswered);
                }
                self.lost(turn, context, at, response::Loss::Silent);
            }
            Leg::Done => {}
        }
    }
}

/// The bindings that another shard knows; none, when it cannot be asked.
fn bindings_of(answer: Answer) -> Vec<Reach> {
    match answer {
        Answer::Bindings(bindings) => bindings,
        _ => Vec::new(),
    }
}
