//! `Line`: the phone's way out. Transactions, where requests go, and by what transport (RFC 3261 §8.1.2, §18.1.1).
//!
//! Whoever wants to send a request makes an [`Errand`] of it, without Via. What becomes of it is told as [`News`], in order.

mod errand;
mod launch;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use connectivity::Identity;
use machine::{Dice, Time};
use protocol::dialog::{Dialog, Privacy};
use protocol::doors::{Answer, Output, Question, Ticket};
use protocol::locate::{Failure, Means, States, Unlocated};
use protocol::transaction::{ClientId, ServerId, Timers, Transactions, Up};
use protocol::{Distrust, Flow, Listener, Transport};
use sip::header::RetryAfter;
use sip::{Bytes, Message, Status};

use crate::account::Account;
use crate::limits;
use crate::whither::{Way, Whither};
use crate::words;

pub(crate) use errand::{Errand, News, Outcome, Part, Purpose, Tiding};
use errand::{Place, Size};
use launch::places;

/// The way out of a phone.
pub(crate) struct Line {
    pub(crate) account: Account,
    pub(crate) timers: Timers,
    pub(crate) dice: Dice,
    listeners: Vec<Listener>,
    means: Means,
    states: States,
    transactions: Transactions,
    whither: Whither,
    pending: BTreeMap<ClientId, Errand>,
    waiting: BTreeMap<Ticket, (Time, Errand)>,
    news: VecDeque<News>,
    ticket: u64,
    lead: Lead,
    identity: Option<Identity>,
    /// Connections by which something went where datagrams are usual: it was too long for one.
    detours: Vec<Flow>,
    /// Where we are reached, when our sockets do not say it.
    home: Option<IpAddr>,
}

/// The flow by which our requests go, and where others reach us by its registration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lead {
    /// Its proxy; nothing: where the account says.
    pub(crate) way: Option<Box<[u8]>>,
    /// The address by which everybody reaches this phone (RFC 5627 §3.1).
    pub(crate) gruu: Option<Box<str>>,
    /// One that does not say whose phone it is.
    pub(crate) temporary: Option<Box<str>>,
    /// Whether flows are kept there.
    pub(crate) outbound: bool,
}

impl Line {
    pub(crate) fn new(mut account: Account, listeners: Vec<Listener>, mut dice: Dice) -> Self {
        account.proxy = account.proxy.or_else(|| account.flows.first().cloned());
        let timers = Timers::default();
        let transactions = Transactions::new(timers, &mut dice);
        Self {
            account,
            timers,
            dice,
            means: Means::of(&listeners),
            states: States::default(),
            listeners,
            transactions,
            whither: Whither::default(),
            pending: BTreeMap::new(),
            waiting: BTreeMap::new(),
            news: VecDeque::new(),
            ticket: 0,
            lead: Lead::default(),
            home: None,
            identity: None,
            detours: Vec::new(),
        }
    }

    /// With other timers, before anything was sent.
    pub(crate) fn set_timers(&mut self, timers: Timers) {
        self.timers = timers;
        self.transactions = Transactions::new(timers, &mut self.dice);
    }

    /// The next thing that happened.
    pub(crate) fn news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// One more thing that happened.
    pub(crate) fn tell(&mut self, news: News) {
        self.news.push_back(news);
    }

    /// A ticket for a question.
    pub(crate) const fn ticket(&mut self) -> Ticket {
        self.ticket = self.ticket.wrapping_add(1);
        Ticket(self.ticket)
    }

    /// We are reached at this address where our sockets are bound to all of this machine's.
    pub(crate) fn settle_at(&mut self, ip: IpAddr) {
        self.home = Some(ip);
        let wide = |listener: &&mut Listener| {
            listener.bound.ip().is_unspecified() && !listener.is_client()
        };
        for listener in self.listeners.iter_mut().filter(wide) {
            listener.advertised = SocketAddr::new(ip, listener.bound.port()).to_string().into();
        }
    }

    /// Where others reach a socket that is bound there.
    pub(crate) fn reached_at(&self, bound: SocketAddr) -> SocketAddr {
        let ip = if bound.ip().is_unspecified() { self.ip() } else { bound.ip() };
        SocketAddr::new(ip, bound.port())
    }

    /// Our certificate for the handshakes of calls.
    pub(crate) fn identity(&mut self, now: Time) -> Option<Identity> {
        if self.identity.is_none() {
            self.identity = Identity::new(now, &mut Dice::new(self.dice.seed()));
        }
        self.identity.clone()
    }

    /// The address that we speak from.
    pub(crate) fn ip(&self) -> IpAddr {
        if let Some(home) = self.home {
            return home;
        }
        self.listeners.first().map_or(Ipv4Addr::LOCALHOST.into(), |listener| listener.bound.ip())
    }

    /// Our address in Contact, for who talks to us by this transport: the one by which everybody reaches this phone, while we are registered
    /// and have one (RFC 5627 §4.4); else where we listen, by the flow that is kept open (RFC 5626 §4.3).
    pub(crate) fn contact(&self, transport: Transport) -> String {
        let Lead { gruu, temporary, outbound, .. } = &self.lead;
        let known = temporary.as_ref().filter(|_| self.account.temporary).or(gruu.as_ref());
        let flow = if *outbound { ";ob" } else { "" };
        known.map_or_else(|| self.address(transport) + flow, ToString::to_string)
    }

    /// The same within a dialog: where that is secure, so are we (RFC 3261 §12.1.1).
    pub(crate) fn contact_in(&self, dialog: &Dialog, transport: Transport) -> String {
        let contact = self.contact(transport);
        match (dialog.privacy(), contact.strip_prefix("sip:")) {
            (Privacy::Secure, Some(rest)) => format!("sips:{}", rest.replace(";transport=tls", "")),
            _ => contact,
        }
    }

    /// This flow leads from now on; without one, things stay as they are until another does.
    pub(crate) fn lead(&mut self, lead: Option<Lead>) {
        self.lead = lead.unwrap_or_default();
        if let Some(way) = &self.lead.way {
            self.account.proxy = Some(way.clone());
        }
    }

    /// Where we listen, for who talks to us by this transport. The first listener has to do when none fits.
    pub(crate) fn address(&self, transport: Transport) -> String {
        let fits = |listener: &&Listener| listener.transport == transport;
        let listener = self.listeners.iter().find(fits).or_else(|| self.listeners.first());
        let (at, by) = listener.map_or(("invalid", Transport::Udp), |listener| {
            (&*listener.advertised, listener.transport)
        });
        let (scheme, user) = (self.account.scheme(), &self.account.user);
        match by {
            Transport::Udp => format!("{scheme}:{user}@{at}"),
            // RFC 3261 §26.2.2: that it is TLS, sips says.
            Transport::Tls if scheme == "sips" => format!("{scheme}:{user}@{at}"),
            other => format!("{scheme}:{user}@{at};transport={}", other.uri_token()),
        }
    }

    /// Sends a request as soon as it is known where to.
    pub(crate) fn send(&mut self, now: Time, mut errand: Errand, out: &mut Vec<Output>) {
        match self.whither.find(now, &errand.hop, &self.account, &self.means) {
            Way::Known(targets) => {
                errand.targets = places(&targets, out);
                self.launch(now, errand, out);
            }
            Way::Ask(_) if self.waiting.len() >= limits::WAITING => {
                let why = "too many requests wait for a name to be looked up".to_owned();
                self.fail(errand, Status::SERVICE_UNAVAILABLE, why);
            }
            Way::Ask(hop) => {
                let ticket = self.ticket();
                out.push(Output::Ask(ticket, Question::Resolve(hop)));
                self.waiting.insert(ticket, (now + limits::RESOLVING, errand));
            }
            Way::Nowhere(why) => self.fail(errand, Status::SERVICE_UNAVAILABLE, why),
        }
    }

    /// The request again with changes, by the same way as before if that is still known.
    pub(crate) fn send_again(&mut self, now: Time, mut errand: Errand, out: &mut Vec<Output>) {
        match errand.went.take() {
            Some(flow) => {
                let Flow { transport, peer, identity, .. } = flow;
                errand.targets.push_front(Place { transport, peer, identity, size: Size::Counts });
                self.launch(now, errand, out);
            }
            None => self.send(now, errand, out),
        }
    }

    /// A response of ours.
    pub(crate) fn respond(
        &mut self,
        now: Time,
        id: ServerId,
        answer: Bytes,
        out: &mut Vec<Output>,
    ) {
        self.transactions.respond(now, id, answer, out);
    }

    /// Begins a transaction that goes exactly there: a CANCEL.
    pub(crate) fn send_to(&mut self, now: Time, flow: Flow, request: Bytes, out: &mut Vec<Output>) {
        if let Ok(request) = Message::parse(request) {
            self.transactions.request(now, flow, request, out);
        }
    }

    /// Nobody waits for this transaction any more.
    pub(crate) fn abandon(&mut self, id: ClientId) {
        self.pending.remove(&id);
        self.transactions.abandon(id);
    }

    /// Nobody waits any more for what becomes of a request, wherever it is.
    pub(crate) fn abandon_errand(&mut self, purpose: Purpose) {
        self.forget(purpose);
        let is = |(_, errand): &(&ClientId, &Errand)| errand.purpose == purpose;
        let found: Vec<_> = self.pending.iter().filter(is).map(|(id, _)| *id).collect();
        found.into_iter().for_each(|id| self.abandon(id));
    }

    /// Forgets a request that has not gone out yet.
    pub(crate) fn forget(&mut self, purpose: Purpose) {
        self.waiting.retain(|_, (_, errand)| errand.purpose != purpose);
    }

    /// Takes a message in.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        flow: Flow,
        message: Message,
        out: &mut Vec<Output>,
    ) {
        let up = self.transactions.receive(now, flow, message, out);
        if let Some(up) = up {
            self.rise(now, up, out);
        }
    }

    /// Takes an answer in; `false` when the question was not ours.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        ticket: Ticket,
        answer: &Answer,
        out: &mut Vec<Output>,
    ) -> Known {
        let Some((_, mut errand)) = self.waiting.remove(&ticket) else { return Known::No };
        match answer {
            Answer::Targets(targets) if !targets.is_empty() => {
                self.whither.learn(now, &errand.hop, &self.account, targets);
                errand.targets = places(targets, out);
                self.launch(now, errand, out);
            }
            answer => {
                let why = match answer {
                    Answer::Unlocated(why) => *why,
                    _ => Unlocated::NoAnswer,
                };
                let why = words::unlocated_hop(&errand.hop, &self.account, why);
                self.fail(errand, Status::SERVICE_UNAVAILABLE, why);
            }
        }
        Known::Yes
    }

    /// Takes the news that a flow is dead; `why`, when the peer is not whom we wanted.
    pub(crate) fn failed(
        &mut self,
        now: Time,
        flow: Flow,
        why: Option<&Distrust>,
        out: &mut Vec<Output>,
    ) {
        let mut ups = Vec::new();
        match why {
            // Who has not proven to be whom we meant is sent nothing a second time.
            Some(_) => self.transactions.failed(flow, &mut ups, out),
            None => self.transactions.ended(now, flow, &mut ups, out),
        }
        if flow.transport == Transport::Tcp && flow.connection == 0 {
            self.whither.no_stream(flow.peer);
        }
        self.lost(now, ups, (flow, why), out);
    }

    fn lost(
        &mut self,
        now: Time,
        ups: Vec<Up>,
        (flow, why): (Flow, Option<&Distrust>),
        out: &mut Vec<Output>,
    ) {
        for up in ups {
            match up {
                Up::Failed(id) => self.broken(now, id, (flow, why), out),
                up => self.rise(now, up, out),
            }
        }
    }

    /// Wants a connection no more: what waits for an answer there waits no longer, and what is sent from now on goes by another.
    pub(crate) fn leave(&mut self, now: Time, flow: Flow, out: &mut Vec<Output>) {
        let mut ups = Vec::new();
        self.transactions.failed(flow, &mut ups, out);
        self.lost(now, ups, (flow, None), out);
        out.push(Output::Leave(flow));
    }

    /// Something goes by a connection, where datagrams are usual.
    fn note_detour(&mut self, flow: Flow) {
        let is_detour = flow.transport.is_reliable() && !self.account.transport().is_reliable();
        if is_detour && !self.detours.contains(&flow) {
            if self.detours.len() >= limits::DETOURS {
                self.detours.remove(0);
            }
            self.detours.push(flow);
        }
    }

    /// Wants such connections no more: they are bound to an address that this machine has left.
    pub(crate) fn leave_detours(&mut self, now: Time, out: &mut Vec<Output>) {
        for flow in std::mem::take(&mut self.detours) {
            self.leave(now, flow, out);
        }
    }

    /// A request did not go out.
    fn broken(
        &mut self,
        now: Time,
        id: ClientId,
        (failed, why): (Flow, Option<&Distrust>),
        out: &mut Vec<Output>,
    ) {
        let Some(errand) = self.pending.remove(&id) else { return };
        self.note(now, errand.went, Failure::Undelivered);
        let loss = words::Loss::of(failed, now - errand.left);
        let why = why.map_or_else(|| words::broken(errand.went, loss), ToString::to_string);
        self.next_target(now, errand, (Status::SERVICE_UNAVAILABLE, why), out);
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut ups = Vec::new();
        self.transactions.wake(now, out, &mut ups);
        ups.into_iter().for_each(|up| self.rise(now, up, out));
        let due = |(_, (until, _)): &(&Ticket, &(Time, Errand))| *until <= now;
        let late: Vec<_> = self.waiting.iter().filter(due).map(|(ticket, _)| *ticket).collect();
        for ticket in late {
            if let Some((_, errand)) = self.waiting.remove(&ticket) {
                let why = words::unlocated_hop(&errand.hop, &self.account, Unlocated::NoAnswer);
                self.fail(errand, Status::SERVICE_UNAVAILABLE, why);
            }
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let waiting = self.waiting.values().map(|(until, _)| *until).min();
        self.transactions.deadline().into_iter().chain(waiting).min()
    }

    /// True when nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.transactions.is_empty() && self.waiting.is_empty() && self.pending.is_empty()
    }

    fn rise(&mut self, now: Time, up: Up, out: &mut Vec<Output>) {
        match up {
            Up::Request(id, flow, request) => self.news.push_back(News::Request(id, flow, request)),
            Up::Cancel { cancel, invite, request, .. } => {
                self.news.push_back(News::Cancel { cancel, invite, request });
            }
            Up::Ack(_, ack) => self.news.push_back(News::Ack(ack)),
            Up::Response(id, _, response) => self.hear(now, id, response, out),
            // A failure comes with its flow.
            Up::Failed(_) | Up::Stray(..) | Up::Unacknowledged(_) | Up::Unanswerable(_) => {}
            Up::TimedOut(id) => {
                let Some(errand) = self.pending.remove(&id) else { return };
                self.note(now, errand.went, Failure::Unanswered);
                let why = words::silence(errand.went, &self.timers);
                self.next_target(now, errand, (Status::REQUEST_TIMEOUT, why), out);
            }
        }
    }

    /// An address failed: it is tried last for a while.
    fn note(&mut self, now: Time, went: Option<Flow>, failure: Failure) {
        if let Some(flow) = went {
            self.states.failed(now, (flow.transport, flow.peer), failure);
        }
    }

    fn hear(&mut self, now: Time, id: ClientId, response: Message, out: &mut Vec<Output>) {
        let last = response.status().is_some_and(Status::is_final);
        let Some(errand) = self.pending.get(&id) else {
            if last {
                self.news.push_back(News::Further { id, response });
            }
            return;
        };
        let (purpose, went) = (errand.purpose, errand.went);
        let unavailable = response.status() == Some(Status::SERVICE_UNAVAILABLE);
        match (response.get::<RetryAfter>().filter(|_| unavailable), went) {
            (Some(pause), went) => {
                let pause = Duration::from_secs(pause.seconds.into());
                self.note(now, went, Failure::RetryAfter(pause));
            }
            (None, Some(went)) => self.states.succeeded((went.transport, went.peer)),
            (None, None) => {}
        }
        if !last {
            return self.news.push_back(News::Progress { purpose, response });
        }
        let Some(errand) = self.pending.remove(&id) else { return };
        // RFC 3263 §4.3: a 503 is a failure of this server alone.
        if unavailable && !errand.targets.is_empty() {
            return self.launch(now, errand, out);
        }
        let outcome = Outcome::Response(response);
        self.news.push_back(News::Done { errand, outcome });
    }

    fn fail(&mut self, errand: Errand, status: Status, why: String) {
        let outcome = Outcome::Failure(status, why);
        self.news.push_back(News::Done { errand, outcome });
    }
}

/// Whether a ticket was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    No,
}
