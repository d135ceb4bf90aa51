//! The TCP connections of one shard. Every connection to a peer lives at the shard of that peer's address, so "any open connection to
//! it" (RFC 3261 §18.1.1) is looked up without asking another shard.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use machine::Time;
use protocol::transport::distrust::Why;
use protocol::{Distrust, Flow, Identity, Listener};
use sip::{Malformed, Message};
use socket2::SockRef;

use crate::backlogs::Backlogs;
use crate::census::{Begins, Census, Evicted, Seat};
use crate::connection::{Come, Connection, Reason, State};
use crate::counters::{Count, Counters};
use crate::dial::tune;
use crate::ear::Ear;
use crate::framing::{End, Framing};
use crate::handshakes::Handshakes;
use crate::kernel::{Epoll, Ready, Watch};
use crate::layer::Layer;
use crate::limits;
use crate::plan::{Crowd, Nodes, Patience, Plan};
use crate::recent::Recent;
use crate::switchboard::Accepted;
use crate::tls::Tls;
use crate::tls::session::Session;
use crate::token::Token;
use crate::websocket::Origins;

/// The connections of one shard.
#[derive(Debug)]
pub(crate) struct Streams {
    shards: u16,
    /// The same on every shard, and secret: strangers do not choose where they live.
    key: RandomState,
    patience: Patience,
    crowd: Crowd,
    /// Pages of which web sites may open a WebSocket.
    origins: Arc<Origins>,
    tls: Option<Tls>,
    /// The listener of the other servers of our cluster.
    nodes: Option<Nodes>,
    pub(crate) census: Census,
    pub(crate) counters: Arc<Counters>,
    connections: HashMap<u32, Connection>,
    /// How many there are by each listener.
    crowds: BTreeMap<u16, usize>,
    /// The newest connection to each peer, by listener, and by whom the peer has proven to be.
    peers: HashMap<(u16, SocketAddr, Identity), u32>,
    handshakes: Handshakes,
    backlogs: Backlogs,
    /// Addresses that are reached over connections of other shards.
    detours: Recent<(u16, SocketAddr, Identity), Flow>,
    /// The names behind the identities of flows.
    pub(crate) introduced: Recent<Identity, Box<str>>,
    /// Connections whose peers have proven to this shard's machine who they are, wherever they live.
    pub(crate) vouched: Recent<u32, ()>,
    alarms: BTreeSet<(Time, u32)>,
    /// Connections to look after at the end of the turn.
    touched: Vec<u32>,
    buffer: Box<[u8]>,
    /// Octets that are read from each connection in this turn.
    share: usize,
    pub(crate) ear: Ear,
    /// Connections, of any shard, that must go to make room.
    pub(crate) evicted: Vec<Evicted>,
    /// What the shard is to be told.
    pub(crate) news: Vec<News>,
}

/// What streams have to tell.
#[derive(Debug)]
pub(crate) enum News {
    /// A message came.
    Message(Flow, Message),
    /// Octets came that are none.
    Malformed(Flow, Malformed),
    /// A sign of life of ours was answered.
    Pong(Flow),
    /// A connection did not come as far as messages, and why.
    Refused(Flow, Box<str>),
    /// Nothing more can be sent on this flow; the shards that knew it, as bits.
    Failed(Flow, u64),
    /// The same of a connection of ours that its peer has ended: whatever is sent from now on goes by another.
    Ended(Flow, u64),
    /// The same, because the peer has not proven to be whom the flow names.
    Untrusted(Flow, Distrust),
}

impl Streams {
    pub(crate) fn new(
        (shards, key): (u16, RandomState),
        plan: &Plan,
        census: Census,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            shards: shards.max(1),
            key,
            patience: plan.patience,
            crowd: plan.crowd,
            origins: Arc::clone(&plan.origins),
            tls: plan.tls.clone(),
            nodes: plan.nodes.clone(),
            handshakes: Handshakes::new(plan.crowd.handshakes, plan.crowd.handshakes_a_source),
            backlogs: Backlogs::new(plan.crowd.write_queues),
            detours: Recent::new(limits::DETOURS),
            introduced: Recent::new(limits::INTRODUCED),
            vouched: Recent::new(limits::VOUCHED),
            census,
            counters,
            connections: HashMap::new(),
            crowds: BTreeMap::new(),
            peers: HashMap::new(),
            alarms: BTreeSet::new(),
            touched: Vec::new(),
            buffer: vec![0; limits::READ].into_boxed_slice(),
            share: limits::READ_A_TURN,
            ear: Ear::default(),
            evicted: Vec::new(),
            news: Vec::new(),
        }
    }

    /// At which shard connections to a peer live.
    pub(crate) fn owner(&self, peer: SocketAddr) -> u16 {
        let hash = self.key.hash_one(peer).checked_rem(u64::from(self.shards));
        hash.and_then(|shard| u16::try_from(shard).ok()).unwrap_or(0)
    }

    /// A place for a connection that a peer has opened, and who must go for it; `None` when there are too many.
    pub(crate) fn seat(&self, peer: SocketAddr) -> Option<(Seat, Option<Evicted>)> {
        self.census.seat(peer, Begins::ByPeer)
    }

    /// Closes the connection that the flow names, or the one to its peer: we want it no more.
    pub(crate) fn leave(&mut self, flow: Flow) {
        let number = if flow.connection == 0 {
            self.to_peer(flow)
        } else {
            self.has(flow).then_some(flow.connection)
        };
        if let Some(number) = number {
            self.close(number, Reason::Left);
        }
    }

    /// Closes a connection that must make room.
    pub(crate) fn evict(&mut self, number: u32) {
        self.close(number, Reason::Evicted);
    }

    /// The peer of a connection has proven who it is: it does not go for others any more.
    pub(crate) fn vouch(&self, flow: Flow) {
        let there = self.connections.get(&flow.connection);
        there.filter(|connection| connection.flow == flow).into_iter().for_each(Connection::vouch);
    }

    /// Whoever comes from now on sees these certificates, and may come from these pages.
    pub(crate) fn renew(&mut self, tls: Option<Tls>, origins: Arc<Origins>) {
        (self.tls, self.origins) = (tls, origins);
    }

    /// How long is waited for those who come, or are called, by a listener.
    pub(crate) fn patience(&self, listener: u16) -> &Patience {
        patience((&self.patience, &self.nodes), listener)
    }

    /// The TLS of a listener.
    pub(crate) fn tls(&self, listener: u16) -> Option<&Tls> {
        let nodes = self.nodes.as_ref().filter(|nodes| nodes.listener == listener);
        nodes.map_or(self.tls.as_ref(), |nodes| nodes.tls.as_ref())
    }

    /// The listeners by which there are connections.
    pub(crate) fn by_listener(&self) -> BTreeSet<u16> {
        self.crowds.keys().copied().collect()
    }

    /// Takes a connection that was accepted.
    pub(crate) fn adopt(&mut self, epoll: &Epoll, now: Time, accepted: Accepted) -> io::Result<()> {
        let Accepted { stream, listener: (listener, transport), peer, seat } = accepted;
        let flow =
            Flow { transport, listener, connection: seat.number(), peer, identity: Identity::NONE };
        tune(SockRef::from(&stream), self.patience(listener))?;
        let layer = if transport.is_secure() {
            let session = self.tls(listener).and_then(Tls::accept);
            Layer::Tls(Box::new(session.ok_or(io::ErrorKind::Unsupported)?))
        } else {
            Layer::Plain
        };
        epoll.add(&stream, Token::Stream(flow.connection).bits(), Watch::Reading)?;
        self.counters.connections_accepted.one();
        let framing = Framing::accepted(transport, &self.origins);
        let begun = State::Greeting { since: now };
        let state = if layer.is_up() { State::Silent { since: now } } else { begun };
        if state == begun
            && let Some(goes) = self.handshakes.begin(flow.connection, peer.ip().into())
        {
            self.counters.handshakes_evicted.one();
            self.close(goes, Reason::Evicted);
        }
        self.keep(Connection::new(stream, (flow, layer, framing), state, seat));
        Ok(())
    }

    pub(crate) fn keep(&mut self, connection: Connection) {
        let flow = connection.flow;
        self.peers.insert((flow.listener, flow.peer, flow.identity), flow.connection);
        self.connections.insert(flow.connection, connection);
        *self.crowds.entry(flow.listener).or_default() += 1;
        self.counters.connections.set(self.connections.len() as u64);
        self.counters.connections_by.of(flow.transport).into_iter().for_each(Count::one);
        self.touched.push(flow.connection);
    }

    /// What goes to an address, to whom the flow has proven to be, goes over its connection from now on (RFC 5923 §8.2).
    pub(crate) fn alias(&mut self, shard: u16, flow: Flow, peer: SocketAddr) {
        let place = (flow.listener, peer, flow.identity);
        if self.owner(flow.peer) != shard {
            return self.detours.note(place, flow);
        }
        let Some(connection) = self.connections.get_mut(&flow.connection) else { return };
        let proven = connection.flow == flow && !flow.identity.is_none();
        if proven && connection.aliases.len() < limits::ALIASES {
            connection.aliases.insert(peer);
            self.peers.insert(place, flow.connection);
        }
    }

    /// The connection of another shard by which a flow goes, when it is an alias of that, and there is none of its own.
    pub(crate) fn detour(&self, flow: Flow) -> Option<Flow> {
        let place = (flow.listener, flow.peer, flow.identity);
        let real = self.detours.of(&place).filter(|_| flow.connection == 0)?;
        self.to_peer(flow).is_none().then_some(*real)
    }

    /// There is no such connection any more.
    pub(crate) fn no_detour(&mut self, flow: Flow) {
        self.detours.forget(&(flow.listener, flow.peer, flow.identity));
    }

    /// True when something can be sent over this very connection.
    pub(crate) fn has(&self, flow: Flow) -> bool {
        let leaving = |connection: &Connection| matches!(connection.state, State::Leaving { .. });
        let found = self.connections.get(&flow.connection);
        found.is_some_and(|connection| connection.flow == flow && !leaving(connection))
    }

    /// Sends a message for a shard: over the connection that the flow names, or over any to the peer, or over a new one.
    pub(crate) fn send(
        &mut self,
        epoll: &Epoll,
        now: Time,
        (flow, octets): (Flow, &[u8]),
        (from, by): (u16, &Listener),
    ) -> Result<(), Flow> {
        let number = match flow.connection {
            0 => match self.to_peer(flow) {
                Some(number) => number,
                None if self.nobody(flow) => return Ok(()),
                None => self.open(epoll, now, flow, by).map_err(|_| flow)?,
            },
            number => number,
        };
        let usable = |connection: &&mut Connection| {
            let there =
                connection.flow.peer == flow.peer || connection.aliases.contains(&flow.peer);
            there && connection.flow.listener == flow.listener
        };
        let connection = self.connections.get_mut(&number).filter(usable).ok_or(flow)?;
        connection.known_by(from);
        self.touched.push(number);
        if let Err(reason) = connection.put(now, octets, self.crowd.write_queue) {
            self.close(number, reason);
        }
        Ok(())
    }

    /// A connection to the peer that can be used.
    fn to_peer(&self, flow: Flow) -> Option<u32> {
        let number = *self.peers.get(&(flow.listener, flow.peer, flow.identity))?;
        let leaving = |connection: &Connection| matches!(connection.state, State::Leaving { .. });
        self.connections
            .get(&number)
            .is_some_and(|connection| !leaving(connection))
            .then_some(number)
    }

    /// True when nobody has said whom a TLS flow names, or nobody could prove that: whoever wanted it is told.
    fn nobody(&mut self, flow: Flow) -> bool {
        if !flow.transport.is_secure() || self.introduced.of(&flow.identity).is_some() {
            return false;
        }
        self.distrust(flow, Why::NoName);
        true
    }

    pub(crate) fn distrust(&mut self, flow: Flow, why: Why) {
        let domain = self.introduced.of(&flow.identity).cloned().unwrap_or_default();
        let distrust = Distrust { peer: flow.peer, domain, why };
        self.news.push(News::Untrusted(flow, distrust));
    }

    /// So many connections have something in this turn: each may say as much as the others.
    pub(crate) fn share(&mut self, ready: usize) {
        self.share = (limits::READ_A_TURN / ready.max(1)).max(limits::READ_LEAST);
    }

    /// A connection is ready. True when it has more to read.
    pub(crate) fn ready(&mut self, now: Time, number: u32, ready: Ready) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        self.touched.push(number);
        if matches!(connection.state, State::Opening { .. }) {
            match connection.stream.take_error() {
                Ok(None) if ready.write() => {
                    connection.opened(now);
                    self.counters.connections_opened.one();
                }
                Ok(None) => return false,
                _ => {
                    self.close(number, Reason::NotOpened);
                    return false;
                }
            }
        }
        if !ready.read() {
            return false;
        }
        self.read(now, number)
    }

    fn read(&mut self, now: Time, number: u32) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        let (before, greeting) = (connection.flow, connection.is_greeting());
        let mut come = Vec::new();
        // Other nodes have let in already what they send us.
        let by_node = self.nodes.as_ref().is_some_and(|nodes| nodes.listener == before.listener);
        let ear = if by_node { &mut Ear::default() } else { &mut self.ear };
        let result = connection.read(now, (&mut self.buffer, self.share), ear, &mut come);
        self.counters.stream_messages_unheard.add(std::mem::take(&mut self.ear.left_out));
        if greeting {
            self.greeted(number, before);
        }
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        let flow = connection.flow;
        let mut ended = false;
        for come in come {
            ended |= matches!(come, Come::End(_));
            self.news.extend(match come {
                Come::Message(message) => {
                    self.counters.stream_messages_in.one();
                    Some(News::Message(flow, message))
                }
                // Whoever was called by us may be asked whether it is there.
                Come::Pong => connection.begun_by_us().then_some(News::Pong(flow)),
                Come::End(End::Malformed(malformed)) => Some(News::Malformed(flow, malformed)),
                Come::End(End::Refused(why)) => Some(News::Refused(flow, why)),
                Come::End(End::Said | End::NotOpened) => None,
            });
        }
        match result {
            // What is answered within this turn is still written; then it is over.
            Err(_) if matches!(connection.state, State::Leaving { .. }) => {
                self.close(number, Reason::Finished);
                false
            }
            // There is nothing to be said to somebody with whom nothing is agreed.
            Err(reason) if connection.is_greeting() || reason == Reason::Untrusted => {
                self.close(number, reason);
                false
            }
            Err(_) => {
                connection.leave(now);
                if connection.begun_by_us() && connection.not_opened().is_none() {
                    let shards = std::mem::take(&mut connection.known_to);
                    self.news.push(News::Ended(flow, shards));
                    self.news.extend(connection.aliases().map(|alias| News::Ended(alias, shards)));
                }
                false
            }
            Ok(_) if ended => {
                connection.leave(now + self.patience.farewell);
                false
            }
            Ok(more) => more,
        }
    }

    /// Notes that both sides have agreed on how to talk, if they have.
    fn greeted(&mut self, number: u32, before: Flow) {
        let Some(connection) = self.connections.get(&number) else { return };
        if connection.is_greeting() {
            return;
        }
        self.handshakes.end(number);
        self.counters.handshakes.one();
        if connection.session().is_some_and(Session::is_resumed) {
            self.counters.handshakes_resumed.one();
        }
        let (listener, peer, identity) = (before.listener, before.peer, connection.flow.identity);
        if identity != before.identity {
            self.peers.remove(&(listener, peer, before.identity));
            self.peers.insert((listener, peer, identity), number);
        }
    }

    /// Notes that a shard has had a message from a connection.
    pub(crate) fn known_by(&mut self, number: u32, shard: u16) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.known_by(shard);
        }
    }

    /// Writes what waits, and sets alarms. To be called at the end of a turn.
    pub(crate) fn flush(&mut self, epoll: &Epoll, now: Time) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for number in touched.drain(..) {
            if let Err(reason) = self.look_after(epoll, now, number) {
                self.close(number, reason);
            }
        }
        // Closing touches nothing: the row is given back to be filled again.
        self.touched = touched;
    }

    fn look_after(&mut self, epoll: &Epoll, now: Time, number: u32) -> Result<(), Reason> {
        let Some(connection) = self.connections.get_mut(&number) else { return Ok(()) };
        let patience = patience((&self.patience, &self.nodes), connection.flow.listener);
        connection.flush(now)?;
        if connection.waiting() > self.crowd.write_queue {
            return Err(Reason::Deaf);
        }
        let due = connection.judge(now, patience)?;
        connection.flush(now)?;
        if matches!(connection.state, State::Leaving { .. }) && !connection.has_to_write() {
            connection.farewell(now)?;
        }
        if due < connection.alarm {
            self.alarms.remove(&(connection.alarm, number));
            self.alarms.insert((due, number));
            connection.alarm = due;
        }
        let wants = connection.wants();
        if wants != connection.watch {
            connection.watch = wants;
            epoll
                .change(&connection.stream, Token::Stream(number).bits(), wants)
                .map_err(|_| Reason::Gone)?;
        }
        match self.backlogs.note(number, connection.waiting()) {
            Some(goes) if goes == number => return Err(Reason::Deaf),
            Some(goes) => self.close(goes, Reason::Deaf),
            None => {}
        }
        Ok(())
    }

    /// Closes those who have taken too long.
    pub(crate) fn wake(&mut self, now: Time) {
        while let Some((time, number)) =
            self.alarms.first().copied().filter(|(time, _)| *time <= now)
        {
            self.alarms.remove(&(time, number));
            let Some(connection) = self.connections.get_mut(&number) else { continue };
            let patience = patience((&self.patience, &self.nodes), connection.flow.listener);
            match connection.judge(now, patience) {
                Ok(due) => {
                    connection.alarm = due;
                    self.alarms.insert((due, number));
                    self.touched.push(number);
                }
                Err(reason) => self.close(number, reason),
            }
        }
    }

    /// When the next one will have taken too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.first().map(|(time, _)| *time)
    }

    fn close(&mut self, number: u32, reason: Reason) {
        let Some(mut connection) = self.connections.remove(&number) else { return };
        self.count(&connection, reason);
        if !matches!(reason, Reason::Gone | Reason::NotOpened | Reason::Untrusted) {
            connection.part();
        }
        self.alarms.remove(&(connection.alarm, number));
        self.handshakes.end(number);
        self.backlogs.forget(number);
        let Flow { listener, peer, identity, .. } = connection.flow;
        if let Entry::Occupied(mut crowd) = self.crowds.entry(listener) {
            *crowd.get_mut() = crowd.get().saturating_sub(1);
            if *crowd.get() == 0 {
                crowd.remove();
            }
        }
        for peer in connection.aliases.iter().copied().chain([peer]) {
            if self.peers.get(&(listener, peer, identity)) == Some(&number) {
                self.peers.remove(&(listener, peer, identity));
            }
        }
        self.counters.connections.set(self.connections.len() as u64);
        let by = self.counters.connections_by.of(connection.flow.transport);
        by.into_iter().for_each(Count::less);
        self.tell_end(&connection, reason);
    }

    fn count(&self, connection: &Connection, reason: Reason) {
        let counters = &self.counters;
        let count = match reason {
            Reason::NotOpened => &counters.connections_failed,
            Reason::Slow => &counters.connections_slow,
            Reason::SlowGreeting => &counters.handshakes_slow,
            Reason::Evicted => &counters.connections_evicted,
            Reason::Deaf => &counters.connections_deaf,
            Reason::Untrusted => &counters.handshakes_failed,
            Reason::Gone if connection.is_greeting() => &counters.handshakes_failed,
            _ if connection.not_opened().is_some() => &counters.connections_failed,
            Reason::Gone | Reason::Finished | Reason::Left | Reason::Quiet => return,
        };
        count.one();
    }

    /// Tells those who must know that a connection is gone.
    fn tell_end(&mut self, connection: &Connection, reason: Reason) {
        let flow = connection.flow;
        let ours = connection.begun_by_us();
        let why = connection.session().and_then(Session::why);
        match (reason, why) {
            // Who wanted that knows it.
            (Reason::Left, _) => {}
            // It concerns everybody who may want to reach that peer.
            (Reason::NotOpened, _) => {
                self.news.push(News::Failed(flow.any_connection(), u64::MAX));
            }
            (Reason::Untrusted, Some(why)) if ours => self.distrust(flow.any_connection(), why),
            (_, _) if ours && connection.is_greeting() => {
                self.distrust(flow.any_connection(), Why::Unfinished);
            }
            (_, _) if let Some(why) = connection.not_opened() => {
                self.distrust(flow.any_connection(), Why::NoWebSocket(why.to_string().into()));
            }
            (reason, why) => {
                if let (Reason::Untrusted, Some(why)) = (reason, why) {
                    self.news.push(News::Refused(flow, why.to_string().into()));
                }
                self.news.push(News::Failed(flow, connection.known_to));
                let known_to = connection.known_to;
                self.news.extend(connection.aliases().map(|alias| News::Failed(alias, known_to)));
            }
        }
    }

    /// True when nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.connections.values().all(|connection| !connection.has_to_write())
    }
}

/// How long is waited for those who come, or are called, by a listener.
fn patience<'a>((usual, nodes): (&'a Patience, &'a Option<Nodes>), listener: u16) -> &'a Patience {
    let nodes = nodes.as_ref().filter(|nodes| nodes.listener == listener);
    nodes.map_or(usual, |nodes| &nodes.patience)
}
