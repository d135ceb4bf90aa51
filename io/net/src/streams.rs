//! The TCP connections of one shard. Every connection to a peer lives at the shard of that peer's address, so "any open connection to
//! it" (RFC 3261 §18.1.1) is looked up without asking another shard.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use machine::Time;
use protocol::{Flow, Identity, Listener};
use sip::{Malformed, Message};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::census::{Begins, Census, Evicted, Seat};
use crate::connection::{Come, Connection, Reason, State};
use crate::counters::Counters;
use crate::framing::{End, Framing};
use crate::kernel::{self, Class, Epoll, Ready, Watch};
use crate::limits;
use crate::plan::{Crowd, Patience, Plan};
use crate::switchboard::Accepted;
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
    census: Census,
    counters: Arc<Counters>,
    connections: HashMap<u32, Connection>,
    /// The newest connection to each peer, by listener.
    peers: HashMap<(u16, SocketAddr), u32>,
    alarms: BTreeSet<(Time, u32)>,
    /// Connections to look after at the end of the turn.
    touched: Vec<u32>,
    buffer: Box<[u8]>,
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
    /// A connection did not come as far as messages, and why.
    Refused(Flow, Box<str>),
    /// Nothing more can be sent on this flow; the shards that knew it, as bits.
    Failed(Flow, u64),
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
            census,
            counters,
            connections: HashMap::new(),
            peers: HashMap::new(),
            alarms: BTreeSet::new(),
            touched: Vec::new(),
            buffer: vec![0; limits::READ].into_boxed_slice(),
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

    /// Closes a connection that must make room.
    pub(crate) fn evict(&mut self, number: u32) {
        self.close(number, Reason::Evicted);
    }

    /// Takes a connection that was accepted.
    pub(crate) fn adopt(&mut self, epoll: &Epoll, now: Time, accepted: Accepted) -> io::Result<()> {
        let Accepted { stream, listener: (listener, transport), peer, seat } = accepted;
        let flow =
            Flow { transport, listener, connection: seat.number(), peer, identity: Identity::NONE };
        tune(SockRef::from(&stream), &self.patience)?;
        epoll.add(&stream, Token::Stream(flow.connection).bits(), Watch::Reading)?;
        self.counters.connections_accepted.one();
        let framing = Framing::accepted(transport, &self.origins);
        self.keep(Connection::new(stream, (flow, framing), State::Silent { since: now }, seat));
        Ok(())
    }

    fn keep(&mut self, connection: Connection) {
        let flow = connection.flow;
        self.peers.insert((flow.listener, flow.peer), flow.connection);
        self.connections.insert(flow.connection, connection);
        self.counters.connections.set(self.connections.len() as u64);
        self.touched.push(flow.connection);
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
                None => self.open(epoll, now, flow, by).map_err(|_| flow)?,
            },
            number => number,
        };
        let usable = |connection: &&mut Connection| {
            connection.flow.peer == flow.peer && connection.flow.listener == flow.listener
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
        let number = *self.peers.get(&(flow.listener, flow.peer))?;
        let leaving = |connection: &Connection| matches!(connection.state, State::Leaving { .. });
        self.connections
            .get(&number)
            .is_some_and(|connection| !leaving(connection))
            .then_some(number)
    }

    /// Opens a connection, without waiting.
    fn open(&mut self, epoll: &Epoll, now: Time, flow: Flow, by: &Listener) -> io::Result<u32> {
        let result = self.dial(epoll, now, flow, by);
        if result.is_err() {
            self.counters.connections_failed.one();
        }
        result
    }

    fn dial(&mut self, epoll: &Epoll, now: Time, flow: Flow, by: &Listener) -> io::Result<u32> {
        // RFC 7118 §5.3: nobody can be called back over WebSocket.
        if flow.transport.is_web() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let seat = self.census.seat(flow.peer, Begins::ByUs);
        let (seat, evicted) = seat.ok_or(io::ErrorKind::QuotaExceeded)?;
        self.evicted.extend(evicted);
        let socket = Socket::new(
            Domain::for_address(flow.peer),
            Type::STREAM.nonblocking(),
            Some(Protocol::TCP),
        )?;
        if !by.bound.ip().is_unspecified() {
            socket.bind(&SocketAddr::new(by.bound.ip(), 0).into())?;
        }
        tune(SockRef::from(&socket), &self.patience)?;
        kernel::mark(&socket, flow.peer, Class::Signalling);
        match socket.connect(&flow.peer.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let flow = Flow { connection: seat.number(), ..flow };
        let stream = TcpStream::from(socket);
        epoll.add(&stream, Token::Stream(flow.connection).bits(), Watch::Writing)?;
        let framing = Framing::opened(flow.transport, "", &mut Vec::new());
        let mut connection =
            Connection::new(stream, (flow, framing), State::Opening { since: now }, seat);
        connection.watch = Watch::Writing;
        self.keep(connection);
        Ok(flow.connection)
    }

    /// A connection is ready. True when it has more to read.
    pub(crate) fn ready(&mut self, now: Time, number: u32, ready: Ready) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else { return false };
        self.touched.push(number);
        if matches!(connection.state, State::Opening { .. }) {
            match connection.stream.take_error() {
                Ok(None) if ready.write() => {
                    connection.state = State::Open { heard: now };
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
        let flow = connection.flow;
        let mut come = Vec::new();
        let result = connection.read(now, &mut self.buffer, &mut come);
        let mut ended = false;
        for come in come {
            ended |= matches!(come, Come::End(_));
            self.news.extend(match come {
                Come::Message(message) => {
                    self.counters.stream_messages_in.one();
                    Some(News::Message(flow, message))
                }
                Come::End(End::Malformed(malformed)) => Some(News::Malformed(flow, malformed)),
                Come::End(End::Refused(why)) => Some(News::Refused(flow, why)),
                Come::End(End::Said) => None,
            });
        }
        match result {
            // What is answered within this turn is still written; then it is over.
            Err(_) if matches!(connection.state, State::Leaving { .. }) => {
                self.close(number, Reason::Finished);
                false
            }
            Err(_) => {
                connection.leave(now);
                false
            }
            Ok(_) if ended => {
                connection.leave(now + self.patience.farewell);
                false
            }
            Ok(more) => more,
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
        connection.flush(now)?;
        if connection.waiting() > self.crowd.write_queue {
            return Err(Reason::Deaf);
        }
        let due = connection.judge(now, &self.patience)?;
        connection.flush(now)?;
        if matches!(connection.state, State::Leaving { .. }) && connection.waiting() == 0 {
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
        Ok(())
    }

    /// Closes those who have taken too long.
    pub(crate) fn wake(&mut self, now: Time) {
        while let Some((time, number)) =
            self.alarms.first().copied().filter(|(time, _)| *time <= now)
        {
            self.alarms.remove(&(time, number));
            let Some(connection) = self.connections.get_mut(&number) else { continue };
            match connection.judge(now, &self.patience) {
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
        let Some(connection) = self.connections.remove(&number) else { return };
        self.alarms.remove(&(connection.alarm, number));
        let peer = (connection.flow.listener, connection.flow.peer);
        if self.peers.get(&peer) == Some(&number) {
            self.peers.remove(&peer);
        }
        self.counters.connections.set(self.connections.len() as u64);
        let count = match reason {
            Reason::NotOpened => Some(&self.counters.connections_failed),
            Reason::Slow => Some(&self.counters.connections_slow),
            Reason::Evicted => Some(&self.counters.connections_evicted),
            Reason::Deaf => Some(&self.counters.connections_deaf),
            Reason::Gone | Reason::Finished | Reason::Quiet => None,
        };
        if let Some(count) = count {
            count.one();
        }
        self.news.push(match reason {
            // It concerns everybody who may want to reach that peer.
            Reason::NotOpened => News::Failed(connection.flow.any_connection(), u64::MAX),
            _ => News::Failed(connection.flow, connection.known_to),
        });
    }

    /// True when nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.connections.values().all(|connection| connection.waiting() == 0)
    }
}

/// What every connection is told: wait for nothing; send at once; and end when the peer's machine has not answered for too long, or
/// requests would go on into a connection whose other end has lost its power.
fn tune(socket: SockRef<'_>, patience: &Patience) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    // The kernel counts these in whole seconds.
    let second = Duration::from_secs(1);
    let (first, next) = (patience.probe.max(second), (patience.stalled / 3).max(second));
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(first).with_interval(next))?;
    // A little later than we would see it ourselves: who is there and does not read is counted as such.
    socket.set_tcp_user_timeout(Some(patience.stalled.saturating_add(5 * second)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_peer_that_has_lost_its_power_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let patience = Patience::default();
        tune(SockRef::from(&stream), &patience).unwrap();
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(35)));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), patience.probe);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        assert!(socket.nonblocking().unwrap() && socket.tcp_nodelay().unwrap());
    }
}
