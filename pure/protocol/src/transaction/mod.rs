//! Transactions: a request and its responses (RFC 3261 §17), with RFC 6026 (2xx to INVITE) and RFC 4320 (non-INVITE).

mod acknowledged;
mod answered;
mod back;
mod backoff;
mod broken;
mod client;
mod echo;
mod key;
mod server;
#[cfg(test)]
mod tests;
mod timers;
mod trace;
mod unfinished;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU128;

use machine::{Alarms, Dice, HashKey, Index, Shelf, Time};
use sip::uri::HostPort;
use sip::{Bytes, Draft, Message, Method, Name, Status};

pub use client::{TIMED_OUT, UNSENT, cancel_of};
pub use key::merged;
pub use timers::Timers;
pub use trace::Trace;

use crate::doors::Output;
use crate::transport::{Flow, response_flow};
use acknowledged::Acknowledged;
use answered::Answered;
pub(crate) use backoff::Backoff;
use client::{Client, Heard};
use key::{Key, Keys};
use server::{Again, Server};
use unfinished::{Stage, Unfinished};

/// Names a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u64);

impl ServerId {
    /// Before all others.
    pub const FIRST: Self = Self(0);

    /// Of a request that nobody has sent: its user has made it. There is no transaction of this name, and no answer in it goes anywhere.
    pub const fn of_own(number: u32) -> Self {
        // The names of transactions have something in their upper half, whatever place they have on the shelf.
        Self(number as u64)
    }
}

/// Names a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

/// What a transaction passes up to its user.
#[derive(Clone, Debug)]
pub enum Up {
    /// A new request. For an INVITE a 100 Trying goes out by itself when its user is silent for 200 ms.
    Request(ServerId, Flow, Message),
    /// A CANCEL, with the INVITE that it cancels, when there is one. The user answers both (RFC 3261 §9.2).
    Cancel {
        /// The transaction of the CANCEL itself.
        cancel: ServerId,
        /// The transaction that it cancels.
        invite: Option<ServerId>,
        /// Where it came from.
        flow: Flow,
        /// The CANCEL.
        request: Message,
    },
    /// An ACK for a 2xx, or for nothing that we know.
    Ack(Flow, Message),
    /// A response to a request of ours; each further 2xx to an INVITE too.
    Response(ClientId, Flow, Message),
    /// A response to nothing that we know.
    Stray(Flow, Message),
    /// Nobody answered: timer B or F.
    TimedOut(ClientId),
    /// The request could not be sent, or its connection broke.
    Failed(ClientId),
    /// Nobody acknowledged our refusal: timer H.
    Unacknowledged(ServerId),
    /// The way of our answers is gone, and so is the address that the request came from. Its user finds out where the sent-by of the
    /// top Via leads, and says so by [`Transactions::answer_by`] (RFC 3263 §5).
    Unanswerable(ServerId),
}

/// What a message is to the transactions that there are.
#[derive(Debug)]
pub enum Met {
    /// It was dealt with; what its user must know.
    Known(Option<Up>),
    /// A request that begins something. Nothing is kept of it until it is admitted.
    New(Newcomer),
}

/// A request without a transaction: to be refused without a trace, or to be admitted.
#[derive(Debug)]
pub struct Newcomer {
    key: Key,
    /// Where it came from.
    pub flow: Flow,
    /// The request.
    pub request: Message,
}

impl Newcomer {
    /// What is the same for all copies that came by one path, as a number.
    pub const fn number(&self) -> u128 {
        self.key
    }
}

/// A request of ours as its writer knows it: nobody need read it again to find its transaction.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Its method.
    pub method: Method<'a>,
    /// The branch of its top Via.
    pub branch: &'a [u8],
    /// The sent-by of its top Via.
    pub sent_by: HostPort<'a>,
    /// The request of which it is a copy.
    pub of: ServerId,
    /// All of it.
    pub wire: Bytes,
    /// Of a copy of an INVITE: what is kept of it when it has been heard.
    pub trace: Option<Trace>,
}

#[derive(Debug)]
enum Transaction {
    Client(Client),
    Server(Server),
}

/// One of them, and how it is found.
#[derive(Debug)]
struct Entry {
    /// Nothing for a request of ours that no response can find.
    key: Option<NonZeroU128>,
    /// True while it is listed under its peer.
    listed: bool,
    transaction: Transaction,
    /// When it is woken next, or sooner than it wants: one alarm each, however often it changes its mind.
    alarm: Time,
    stage: Stage,
    idle: bool,
}

/// All transactions of one machine.
#[derive(Debug)]
pub struct Transactions {
    timers: Timers,
    keys: Keys,
    by_key: Index,
    /// Those that care when the way to a peer breaks, by its number: bad news of one peer costs nothing to the others.
    by_peer: BTreeSet<(u64, u64)>,
    all: Shelf<Entry>,
    alarms: Alarms<u64>,
    /// The alarm of the one that was touched last is not set yet: most are answered at once, and want another then.
    latest: Option<(Time, u64)>,
    answered: Answered,
    acknowledged: Acknowledged,
    repeats: Repeats,
    unfinished: Unfinished,
}

/// How often something had to be said again since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Messages that we sent again, because a timer rang or a peer repeated itself.
    pub sent: u64,
    /// Requests and responses that came again.
    pub received: u64,
}

impl Transactions {
    /// None yet.
    pub fn new(timers: Timers, dice: &mut Dice) -> Self {
        let (by_key, keys) = (Index::default(), Keys::new(HashKey::throw(dice)));
        let (by_peer, all) = (BTreeSet::new(), Shelf::default());
        let (alarms, repeats) = (Alarms::default(), Repeats::default());
        let (answered, acknowledged) = (Answered::default(), Acknowledged::default());
        Self {
            timers,
            keys,
            by_key,
            by_peer,
            all,
            alarms,
            latest: None,
            answered,
            acknowledged,
            repeats,
            unfinished: Unfinished::default(),
        }
    }

    /// How often something had to be said again.
    pub const fn repeats(&self) -> Repeats {
        self.repeats
    }

    /// Takes a message from the wire. What a transaction deals with by itself (repeats, ACKs of refusals) ends here.
    pub fn receive(
        &mut self,
        now: Time,
        flow: Flow,
        message: Message,
        out: &mut Vec<Output>,
    ) -> Option<Up> {
        match self.meet(now, flow, message, out) {
            Met::Known(up) => up,
            Met::New(newcomer) => self.admit(now, newcomer, out),
        }
    }

    /// The same, but a request that is new makes no transaction yet: a server first asks who it is.
    pub fn meet(&mut self, now: Time, flow: Flow, message: Message, out: &mut Vec<Output>) -> Met {
        match message.method() {
            None => Met::Known(self.receive_response(now, flow, message, out)),
            Some(_) => self.receive_request(now, flow, message, out),
        }
    }

    /// Begins the server transaction of a new request, and passes it up. When there are too many, it is answered with 503.
    pub fn admit(&mut self, now: Time, newcomer: Newcomer, out: &mut Vec<Output>) -> Option<Up> {
        let Newcomer { key, flow, request } = newcomer;
        let back = response_flow(&request, flow);
        if self.is_full() {
            let busy = Draft::reply(&request, Status::SERVICE_UNAVAILABLE)
                .raw(Name::RetryAfter, b"10")
                .wire();
            out.push(Output::Send(back, busy));
            return None;
        }
        let cancelled = (request.method() == Some(Method::Cancel)).then(|| {
            let key = self.keys.of_cancelled(&request)?;
            let gone = self.acknowledged.has(now, key).then_some(GONE);
            self.find(key).map(ServerId).or(gone)
        });
        let server = Server::start(now, &self.timers, back, &request);
        let id = self.insert(Some(key), Transaction::Server(server));
        Some(match cancelled {
            Some(invite) => Up::Cancel { cancel: ServerId(id), invite, flow, request },
            None => Up::Request(ServerId(id), flow, request),
        })
    }

    /// Is this a CANCEL of a request that we know (RFC 3261 §9.2)?
    pub fn cancels(&self, now: Time, request: &Message) -> bool {
        let key = self.keys.of_cancelled(request);
        key.is_some_and(|key| self.find(key).is_some() || self.acknowledged.has(now, key))
    }

    /// Sends a response in a server transaction. What comes too late for it goes nowhere.
    pub fn respond(&mut self, now: Time, id: ServerId, response: Bytes, out: &mut Vec<Output>) {
        let Some(entry) = self.all.get_mut(id.0) else { return };
        let Transaction::Server(server) = &mut entry.transaction else { return };
        let Some(status) = status_of(&response) else { return };
        let before = entry.stage;
        server.respond(now, &self.timers, (status, response), out);
        if let (Some((answer, until)), Some(key)) = (server.rest(), entry.key) {
            self.answered.keep((key.get(), until), (server.back.flow, &answer));
        }
        self.settle(id.0);
        self.wait_for_ack(now, id.0, before);
    }

    /// The user of a server transaction expects nothing for a while, and keeps its request meanwhile: what was said in it is kept small.
    pub fn lasts(&mut self, id: ServerId, request: &Bytes) {
        let found = self.all.get_mut(id.0).map(|entry| &mut entry.transaction);
        if let Some(Transaction::Server(server)) = found {
            server.lasts(request);
        }
    }

    /// Begins a client transaction. The request carries our Via and its branch already. An ACK for a 2xx has none and is sent
    /// directly.
    pub fn request(
        &mut self,
        now: Time,
        flow: Flow,
        request: Message,
        out: &mut Vec<Output>,
    ) -> ClientId {
        // Without a Via of ours nothing could come back: the transaction then times out, as any that nobody answers.
        let key = self.keys.of_own_request(&request);
        let octets = (request.method(), request.wire().clone());
        let client = Client::start(now, flow, &self.timers, octets, out);
        ClientId(self.insert(key, Transaction::Client(client)))
    }

    /// The same for a request that its writer has no index of.
    pub fn send(
        &mut self,
        now: Time,
        flow: Flow,
        request: Written<'_>,
        out: &mut Vec<Output>,
    ) -> ClientId {
        let key = self.keys.of_written(&request);
        let octets = (Some(request.method), request.wire);
        let mut client = Client::start(now, flow, &self.timers, octets, out);
        client.copies(request.of, request.trace);
        ClientId(self.insert(Some(key), Transaction::Client(client)))
    }

    /// Forgets a client transaction that nobody waits for any more.
    pub fn abandon(&mut self, id: ClientId) {
        let found = self.all.get_mut(id.0).map(|entry| &mut entry.transaction);
        if let Some(Transaction::Client(client)) = found {
            client.give_up();
        }
        self.settle(id.0);
    }

    /// Sends no more copies of a request, and goes on listening for its answer until timer B or F.
    pub fn hush(&mut self, id: ClientId) {
        let found = self.all.get_mut(id.0).map(|entry| &mut entry.transaction);
        if let Some(Transaction::Client(client)) = found {
            client.hush();
        }
    }

    /// The request of a client transaction that may still ring: to make its CANCEL.
    pub fn client_request(&self, id: ClientId) -> Option<Message> {
        match self.all.get(id.0).map(|entry| &entry.transaction) {
            Some(Transaction::Client(client)) => client.request(),
            _ => None,
        }
    }

    /// The way of a client transaction: its CANCEL goes the same.
    pub fn client_flow(&self, id: ClientId) -> Option<Flow> {
        match self.all.get(id.0).map(|entry| &entry.transaction) {
            Some(Transaction::Client(client)) => Some(client.flow),
            _ => None,
        }
    }

    /// True while a server transaction is there to answer in.
    pub fn is_there(&self, id: ServerId) -> bool {
        self.all.get(id.0).is_some()
    }

    /// The way back of an answer to the copy of a request, while that has its transaction: the answer names it below our Via.
    pub fn way_back(&self, copy: ClientId, answer: &Message) -> Option<Flow> {
        let id = self.keys.of_next(answer).and_then(|key| self.find(key))?;
        match (&self.all.get(copy.0)?.transaction, &self.all.get(id)?.transaction) {
            (Transaction::Client(client), Transaction::Server(server))
                if client.is_copy_of(ServerId(id)) =>
            {
                Some(server.back.flow)
            }
            _ => None,
        }
    }

    /// The request of a server transaction, while it may be needed: to find out where its answers can go, and to refuse it late.
    pub fn server_request(&self, id: ServerId) -> Option<Message> {
        match self.all.get(id.0).map(|entry| &entry.transaction) {
            Some(Transaction::Server(server)) => server.request(),
            _ => None,
        }
    }

    /// Repeats and gives up what is due.
    pub fn wake(&mut self, now: Time, out: &mut Vec<Output>, up: &mut Vec<Up>) {
        self.wait_no_more(now);
        self.answered.forget(now);
        self.acknowledged.forget(now);
        self.set_alarm(None);
        while let Some(id) = self.alarms.due(now) {
            let Some(entry) = self.all.get_mut(id) else { continue };
            entry.alarm = Time::NEVER;
            let before = out.len();
            let again = entry.transaction.only_repeats();
            up.extend(match &mut entry.transaction {
                Transaction::Client(client) => {
                    client.wake(now, out).then_some(Up::TimedOut(ClientId(id)))
                }
                Transaction::Server(server) => {
                    server.wake(now, out).then_some(Up::Unacknowledged(ServerId(id)))
                }
            });
            self.repeats.sent += if again { sent_since(before, out) } else { 0 };
            self.settle(id);
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        let latest = self.latest.map(|(time, _)| time);
        let next = self.alarms.next().into_iter().chain(latest);
        next.chain(self.answered.deadline()).chain(self.acknowledged.deadline()).min()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len() + self.answered.len() + self.acknowledged.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn receive_response(
        &mut self,
        now: Time,
        flow: Flow,
        response: Message,
        out: &mut Vec<Output>,
    ) -> Option<Up> {
        let found = self.keys.of_response(&response).and_then(|key| self.find(key));
        let Some(id) = found else { return Some(Up::Stray(flow, response)) };
        let Transaction::Client(client) = &mut self.all.get_mut(id)?.transaction else {
            return None;
        };
        let again = client.is_done();
        let heard = client.receive(now, &self.timers, &response, out);
        self.repeats.received += u64::from(again);
        self.settle(id);
        (heard == Heard::News).then_some(Up::Response(ClientId(id), flow, response))
    }

    fn receive_request(
        &mut self,
        now: Time,
        flow: Flow,
        request: Message,
        out: &mut Vec<Output>,
    ) -> Met {
        // Without a readable Via there is no one to answer.
        let Some(key) = self.keys.of_request(&request) else { return Met::Known(None) };
        if let Some(id) = self.find(key) {
            let found = self.all.get_mut(id).map(|entry| &mut entry.transaction);
            let Some(Transaction::Server(server)) = found else { return Met::Known(None) };
            let before = out.len();
            let again = server.receive(now, &self.timers, &request, out);
            if let Some(until) = server.acknowledged() {
                self.acknowledged.keep(key, until);
            }
            self.repeats.received += u64::from(request.method() != Some(Method::Ack));
            self.repeats.sent += sent_since(before, out);
            self.settle(id);
            return Met::Known((again == Again::ForTheUser).then_some(Up::Ack(flow, request)));
        }
        let is_ack = request.method() == Some(Method::Ack);
        if matches!(request.method(), Some(Method::Ack | Method::Invite))
            && self.acknowledged.has(now, key)
        {
            self.repeats.received += u64::from(!is_ack);
            return Met::Known(None);
        }
        if is_ack {
            return Met::Known(Some(Up::Ack(flow, request)));
        }
        if let Some((back, answer)) = self.answered.find(now, key) {
            self.repeats.received += 1;
            self.repeats.sent += 1;
            out.push(Output::Send(back, answer));
            return Met::Known(None);
        }
        Met::New(Newcomer { key, flow, request })
    }

    fn insert(&mut self, key: Option<Key>, transaction: Transaction) -> u64 {
        let (alarm, stage, listed, idle) = (Time::NEVER, Stage::Done, false, false);
        // Of all keys that there may be one finds nothing.
        let key = key.and_then(NonZeroU128::new);
        let id = self.all.put(Entry { key, transaction, alarm, listed, stage, idle });
        if let Some(key) = key {
            if let Some(before) = self.find(key.get()) {
                self.by_key.remove(hash_of(key), place_of(before));
            }
            let others = |place| self.all.at(place).and_then(|(_, other)| other.key);
            self.by_key.insert(hash_of(key), place_of(id), |it| others(it).map_or(0, hash_of));
        }
        self.settle(id);
        id
    }

    /// The transaction with a key.
    fn find(&self, key: Key) -> Option<u64> {
        let key = NonZeroU128::new(key)?;
        let in_place = |place| self.all.at(place).filter(|(_, entry)| entry.key == Some(key));
        let place = self.by_key.find(hash_of(key), |place| in_place(place).is_some())?;
        in_place(place).map(|(id, _)| id)
    }

    /// After every change: forgets what is over, sets the alarm of what is not.
    fn settle(&mut self, id: u64) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let (over, deadline) = match &entry.transaction {
            Transaction::Client(client) => (client.is_over(), client.deadline()),
            Transaction::Server(server) => (server.is_over(), server.deadline()),
        };
        if self.latest.is_some_and(|(_, latest)| latest == id) {
            (self.latest, entry.alarm) = (None, Time::NEVER);
        }
        let sooner = deadline.filter(|deadline| !over && *deadline < entry.alarm);
        entry.alarm = sooner.unwrap_or(entry.alarm);
        let cares = !over && entry.transaction.cares();
        if cares != entry.listed {
            entry.listed = cares;
            let listed = (number_of(entry.transaction.peer()), id);
            if cares {
                self.by_peer.insert(listed)
            } else {
                self.by_peer.remove(&listed)
            };
        }
        let key = entry.key;
        if let Some(deadline) = sooner {
            self.set_alarm(Some((deadline, id)));
        }
        self.count(id);
        if over {
            self.all.clear(id);
            key.into_iter().for_each(|key| self.by_key.remove(hash_of(key), place_of(id)));
        }
    }

    /// Notes an alarm, and sets the one that was noted before.
    fn set_alarm(&mut self, alarm: Option<(Time, u64)>) {
        if let Some((time, id)) = std::mem::replace(&mut self.latest, alarm) {
            self.alarms.set(time, id);
        }
    }
}

/// An INVITE that was refused, and whose ACK has come: there is nothing to cancel.
const GONE: ServerId = ServerId(u64::MAX);

/// Where it stands on its shelf.
const fn place_of(id: u64) -> u32 {
    id as u32
}

/// A key was hashed when it was made.
const fn hash_of(key: NonZeroU128) -> u64 {
    key.get() as u64
}

/// An address as a number: of IPv4 each has its own, of IPv6 hardly two have the same.
fn number_of(peer: SocketAddr) -> u64 {
    let ip = match peer.ip() {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => ip.octets().chunks(6).fold(0, |all, part| {
            all ^ part.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
        }),
    };
    ip << 16 | u64::from(peer.port())
}

/// The status of a response of ours: `SIP/2.0 302 …`.
fn status_of(response: &[u8]) -> Option<u16> {
    response.get(8..11)?.iter().try_fold(0, |status: u16, digit| {
        let digit = Some(digit.wrapping_sub(b'0')).filter(|digit| *digit < 10)?;
        Some(status * 10 + u16::from(digit))
    })
}

/// Messages that were put into the outbox since it was so long.
fn sent_since(before: usize, out: &[Output]) -> u64 {
    out.len().saturating_sub(before) as u64
}

impl Transaction {
    /// True when what it sends by itself was sent before: all but the 100 that comes by itself.
    const fn only_repeats(&self) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Server(server) => server.has_refused(),
        }
    }

    /// Would the loss of its peer change something? What was answered has come, and responses to datagrams go out whatever happens.
    const fn cares(&self) -> bool {
        match self {
            Self::Client(client) => client.is_waiting(),
            Self::Server(server) => server.back.flow.transport.is_reliable(),
        }
    }

    const fn peer(&self) -> SocketAddr {
        match self {
            Self::Client(client) => client.flow.peer,
            Self::Server(server) => server.back.flow.peer,
        }
    }
}
