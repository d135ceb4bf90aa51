//! `Line`: the phone's way out. Transactions, where requests go, and by what transport (RFC 3261 §8.1.2, §18.1.1).
//!
//! Whoever wants to send a request makes an [`Errand`] of it, without Via. What becomes of it is told as [`News`], in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use machine::{Dice, Time};
use protocol::auth::Tries;
use protocol::doors::{Answer, Call, Output, Question, Ticket};
use protocol::locate::{Failure, Means, Risk, States, Target, Unlocated};
use protocol::transaction::{ClientId, ServerId, Timers, Transactions, Up};
use protocol::{Distrust, Flow, Identity, Listener, Transport};
use sip::header::{MAGIC, RetryAfter};
use sip::{Bytes, Message, Method, Name, Status};

use crate::account::Account;
use crate::limits;
use crate::whither::{Hop, Way, Whither};
use crate::words;

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
}

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
    targets: VecDeque<Place>,
    went: Option<Flow>,
}

impl Errand {
    pub(crate) fn new(purpose: Purpose, request: Message, hop: Hop) -> Self {
        let (tries, targets) = (Tries::default(), VecDeque::new());
        Self { purpose, request, hop, tries, targets, went: None }
    }

    /// Which way it went last.
    pub(crate) const fn went(&self) -> Option<Flow> {
        self.went
    }
}

/// An address to try.
#[derive(Clone, Copy, Debug)]
struct Place {
    transport: Transport,
    peer: SocketAddr,
    /// Over TLS: who must be there.
    identity: Identity,
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The registration's.
    Register,
    /// A call's.
    Call(Call, Part),
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
    /// Its end.
    Bye,
}

/// What happened on the line.
#[derive(Debug)]
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

impl Line {
    pub(crate) fn new(account: Account, listeners: Vec<Listener>, mut dice: Dice) -> Self {
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

    /// A ticket for a question.
    pub(crate) const fn ticket(&mut self) -> Ticket {
        self.ticket = self.ticket.wrapping_add(1);
        Ticket(self.ticket)
    }

    /// The address that we speak from.
    pub(crate) fn ip(&self) -> IpAddr {
        self.listeners.first().map_or(Ipv4Addr::LOCALHOST.into(), |listener| listener.bound.ip())
    }

    /// Our address in Contact, for who talks to us by this transport. The first listener has to do when none fits.
    pub(crate) fn contact(&self, transport: Transport) -> String {
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
                errand.targets.push_front(Place { transport, peer, identity });
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
        self.transactions.failed(flow, &mut ups, out);
        for up in ups {
            match up {
                Up::Failed(id) => self.broken(now, id, why, out),
                up => self.rise(now, up, out),
            }
        }
    }

    /// A request did not go out.
    fn broken(&mut self, now: Time, id: ClientId, why: Option<&Distrust>, out: &mut Vec<Output>) {
        let Some(errand) = self.pending.remove(&id) else { return };
        if let Some(flow) = errand.went.filter(|flow| flow.transport == Transport::Tcp) {
            self.whither.no_stream(flow.peer);
        }
        self.note(now, errand.went, Failure::Undelivered);
        let why = why.map_or_else(|| words::broken(errand.went), ToString::to_string);
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
            Up::Stray(..) | Up::Unacknowledged(_) | Up::Unanswerable(_) => {}
            Up::TimedOut(id) => {
                let Some(errand) = self.pending.remove(&id) else { return };
                self.note(now, errand.went, Failure::Unanswered);
                let why = words::silence(errand.went, &self.timers);
                self.next_target(now, errand, (Status::REQUEST_TIMEOUT, why), out);
            }
            Up::Failed(id) => self.broken(now, id, None, out),
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

    /// RFC 3263 §4.3: the next address, with a new branch; when there is none, that was it.
    fn next_target(
        &mut self,
        now: Time,
        errand: Errand,
        (status, why): (Status, String),
        out: &mut Vec<Output>,
    ) {
        if errand.targets.is_empty() {
            return self.fail(errand, status, why);
        }
        self.launch(now, errand, out);
    }

    fn fail(&mut self, errand: Errand, status: Status, why: String) {
        let outcome = Outcome::Failure(status, why);
        self.news.push_back(News::Done { errand, outcome });
    }

    /// Sends to the first target that we have a listener for.
    fn launch(&mut self, now: Time, mut errand: Errand, out: &mut Vec<Output>) {
        // Nobody waits for a registration; somebody waits for a call.
        let risk = if errand.purpose == Purpose::Register { Risk::Take } else { Risk::Avoid };
        let keys = |errand: &Errand| {
            let keys: Vec<_> =
                errand.targets.iter().map(|place| (place.transport, place.peer)).collect();
            keys.into_iter()
        };
        while let Some(at) = self.states.pick(now, keys(&errand), risk)
            && let Some(place) = errand.targets.remove(at)
        {
            let Place { transport, peer, identity } = place;
            let large = transport == Transport::Udp
                && !protocol::transport::fits_udp(errand.request.wire().len() + VIA)
                && !self.whither.is_datagrams_only(peer)
                && self.listener(Transport::Tcp, peer).is_some();
            let transport = if large {
                // RFC 3261 §18.1.1: by TCP when it is large, and by UDP after all when nobody takes it there.
                errand.targets.push_front(place);
                Transport::Tcp
            } else {
                transport
            };
            let Some(listener) = self.listener(transport, peer).cloned() else { continue };
            let flow = Flow { identity, ..Flow::to(&listener, peer) };
            let Some(request) = self.with_via(&errand.request, &listener) else { continue };
            errand.went = Some(flow);
            return self.go(now, errand, (flow, request), out);
        }
        let why = words::no_listener(&self.account);
        self.fail(errand, Status::SERVICE_UNAVAILABLE, why);
    }

    fn go(
        &mut self,
        now: Time,
        errand: Errand,
        (flow, request): (Flow, Message),
        out: &mut Vec<Output>,
    ) {
        let purpose = errand.purpose;
        if let Purpose::Ack(invite) = purpose {
            out.push(Output::Send(flow, request.wire().clone()));
            return self.news.push_back(News::Acknowledged { invite, flow, ack: request });
        }
        let id = self.transactions.request(now, flow, request.clone(), out);
        self.pending.insert(id, errand);
        if request.method() == Some(Method::Invite) {
            self.news.push_back(News::Sent { purpose, id, flow, request });
        }
    }

    /// RFC 3261 §8.1.1.7, RFC 3581 §3.
    fn with_via(&mut self, request: &Message, listener: &Listener) -> Option<Message> {
        let (by, at) = (listener.transport, &listener.advertised);
        let branch = self.dice.roll();
        // An answer over WebSocket comes back by its connection.
        let rport = if by.is_web() { "" } else { ";rport" };
        let via = format!("SIP/2.0/{by} {at};branch={MAGIC}{branch:016x}{rport}");
        request.edit().push_raw(Name::Via, via.as_bytes()).finish().ok()
    }

    fn listener(&self, transport: Transport, peer: SocketAddr) -> Option<&Listener> {
        self.listeners.iter().find(|listener| {
            listener.transport == transport && listener.bound.is_ipv4() == peer.is_ipv4()
        })
    }
}

/// Addresses to try; whom a TLS peer must prove to be is told to the driver.
fn places(targets: &[Target], out: &mut Vec<Output>) -> VecDeque<Place> {
    let secure = |target: &&Target| target.transport.is_secure();
    let names: BTreeSet<_> = targets.iter().filter(secure).map(|target| &target.domain).collect();
    out.extend(names.into_iter().map(|name| Output::Introduce(name.clone())));
    let place = |target: &Target| {
        let (transport, peer) = target.key();
        let secure = transport.is_secure();
        let identity = if secure { Identity::of(&target.domain) } else { Identity::NONE };
        Place { transport, peer, identity }
    };
    targets.iter().map(place).collect()
}

/// Whether a ticket was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    No,
}

/// What a Via adds to a request, in octets, at most.
const VIA: usize = 120;
