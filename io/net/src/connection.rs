//! One TCP connection: octets in, messages out of them, octets out, and how long the peer may take (RFC 3261 §18.3, RFC 5626 §4.4.1).

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpStream};

use machine::Time;
use protocol::Flow;
use protocol::load::welcomes;
use sip::Message;

use crate::census::{Begins, Seat};
use crate::ear::{Ear, Speaker};
use crate::framing::{End, Framing, Piece};
use crate::kernel::Watch;
use crate::layer::Layer;
use crate::limits;
use crate::plan::Patience;
use crate::stall::Stall;
use crate::tls::session::Session;
use crate::websocket::NotOpened;

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub stream: TcpStream,
    pub flow: Flow,
    pub state: State,
    /// The shards that have had a message from it, or sent one to it, as bits: they are told when it ends.
    pub known_to: u64,
    /// When its alarm rings.
    pub alarm: Time,
    /// What epoll was last told.
    pub watch: Watch,
    /// Addresses beside its own that are reached by it (RFC 5923).
    pub aliases: BTreeSet<SocketAddr>,
    begun: Begins,
    speaker: Speaker,
    layer: Layer,
    framing: Framing,
    half_since: Option<Time>,
    /// When we asked whether the peer is there, and it has not answered.
    asked_at: Option<Time>,
    out: Vec<u8>,
    written: usize,
    stall: Stall,
    seat: Seat,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// We open it.
    Opening { since: Time },
    /// The layer below messages comes up.
    Greeting { since: Time },
    /// It was accepted, and has not sent a whole message.
    Silent { since: Time },
    /// It is in use; when the peer last gave a sign of life.
    Open { heard: Time },
    /// Nothing more is read. It ends when everything is written.
    Leaving { until: Time },
}

/// Why a connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The peer ended it, or the network did.
    Gone,
    /// It could not be opened.
    NotOpened,
    /// The peer has not proven who it is, or we have not.
    Untrusted,
    /// The peer was too slow to agree on how to talk.
    SlowGreeting,
    /// The peer said nothing, or not enough, for too long.
    Slow,
    /// The peer is quiet: it is asked whether it is there.
    Quiet,
    /// It had said nothing yet, and others needed the place.
    Evicted,
    /// The peer does not read.
    Deaf,
    /// All is said.
    Finished,
    /// We want it no more.
    Left,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Come {
    Message(Message),
    /// The answer to a sign of life.
    Pong,
    /// Nothing more.
    End(End),
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        (flow, layer, framing): (Flow, Layer, Framing),
        state: State,
        seat: Seat,
    ) -> Self {
        Self {
            stream,
            flow,
            state,
            known_to: 0,
            alarm: Time::NEVER,
            watch: Watch::Reading,
            aliases: BTreeSet::new(),
            begun: if matches!(state, State::Opening { .. }) {
                Begins::ByUs
            } else {
                Begins::ByPeer
            },
            speaker: Speaker::Stranger,
            layer,
            framing,
            half_since: None,
            asked_at: None,
            out: Vec::new(),
            written: 0,
            stall: Stall::None,
            seat,
        }
    }

    /// The way there is open, though nothing may have been agreed upon yet.
    pub(crate) fn opened(&mut self, now: Time) {
        self.state = State::Greeting { since: now };
        self.come_up(now);
    }

    /// Goes on to messages when the layer below is up. Who is on the other side is known then.
    fn come_up(&mut self, now: Time) {
        let State::Greeting { since } = self.state else { return };
        if !self.layer.is_up() {
            return;
        }
        self.state = match self.begun {
            // A stranger does not get more time for its first message by a long handshake.
            Begins::ByPeer => State::Silent { since },
            Begins::ByUs => State::Open { heard: now },
        };
        if let Some(session) = self.layer.session() {
            self.flow.identity = session.identity();
        }
    }

    /// The TLS of it, if there is any.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.layer.session()
    }

    /// The flows of the addresses beside its own that are reached by it.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = Flow> {
        self.aliases.iter().map(|peer| Flow { peer: *peer, ..self.flow })
    }

    /// The peer has proven who it is.
    pub(crate) fn vouch(&self) {
        self.seat.proven();
    }

    /// True when we have opened it.
    pub(crate) const fn begun_by_us(&self) -> bool {
        matches!(self.begun, Begins::ByUs)
    }

    /// True while nothing is agreed upon, though the way there is open.
    pub(crate) const fn is_greeting(&self) -> bool {
        matches!(self.state, State::Greeting { .. })
    }

    /// What is to be said before all else.
    pub(crate) fn begin(&mut self, octets: Vec<u8>) {
        self.out = octets;
    }

    /// Why a peer that we have called has not agreed to messages so far.
    pub(crate) fn not_opened(&self) -> Option<NotOpened> {
        self.framing.not_opened()
    }

    /// Remembers that a shard has to do with it.
    pub(crate) fn known_by(&mut self, shard: u16) {
        self.known_to |= 1_u64.checked_shl(u32::from(shard)).unwrap_or(0);
    }

    /// Octets that wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.out.len().saturating_sub(self.written)
    }

    /// What was put into the queue and has not been written.
    fn queued(&self) -> usize {
        self.waiting().saturating_add(self.framing.held())
    }

    /// Puts a message into the queue. An error when it would become longer than `most`, though the kernel was offered what it holds.
    pub(crate) fn put(&mut self, now: Time, message: &[u8], most: usize) -> Result<(), Reason> {
        let fits = |waiting: usize| waiting.saturating_add(message.len()) <= most;
        if !fits(self.queued()) {
            self.flush(now)?;
            if !fits(self.queued()) {
                return Err(Reason::Deaf);
            }
        }
        if self.speaker == Speaker::Stranger && welcomes(message) {
            self.speaker = Speaker::Phone;
        }
        self.framing.write(message, &mut self.out);
        Ok(())
    }

    /// Writes as much as the kernel takes. An error when the connection has ended.
    pub(crate) fn flush(&mut self, now: Time) -> Result<(), Reason> {
        if matches!(self.state, State::Opening { .. }) {
            return Ok(());
        }
        while self.has_to_write() {
            let ours = if self.layer.is_up() { self.out.get(self.written..) } else { None };
            match self.layer.write(&mut self.stream, ours.unwrap_or_default()) {
                Ok(written) => {
                    self.written = self.written.saturating_add(written);
                    self.stall.taken(written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let below = if self.layer.wants_write() { limits::TLS_BUFFER } else { 0 };
                    self.stall.begin(now, self.waiting().saturating_add(below));
                    self.forget_written();
                    return Ok(());
                }
                Err(_) => return Err(Reason::Gone),
            }
        }
        self.stall = Stall::None;
        if self.waiting() == 0 {
            self.out.clear();
            self.written = 0;
            if self.out.capacity() > limits::IDLE_BUFFER {
                self.out = Vec::new();
            }
        }
        Ok(())
    }

    /// True when there is something to write, and it may be written.
    pub(crate) fn has_to_write(&self) -> bool {
        self.layer.wants_write() || self.layer.is_up() && self.waiting() > 0
    }

    /// Says goodbye, and that nothing more will be written.
    pub(crate) fn farewell(&mut self, now: Time) -> Result<(), Reason> {
        self.framing.farewell(&mut self.out);
        self.flush(now)?;
        if !self.has_to_write() {
            self.layer.farewell(&mut self.stream);
        }
        Ok(())
    }

    /// Says goodbye where that is due, before the connection is closed; whether it is heard or not.
    pub(crate) fn part(&mut self) {
        if self.layer.session().is_some_and(Session::is_up) {
            self.layer.farewell(&mut self.stream);
        }
    }

    /// Keeps the queue's memory near its length.
    fn forget_written(&mut self) {
        if self.written > self.out.len() / 2 {
            drop(self.out.drain(..self.written.min(self.out.len())));
            self.written = 0;
            self.out.shrink_to(2 * limits::READ);
        }
    }

    /// Reads what has come, into `found`, and no more than its share of it. `Ok(true)` when there may be more; an error when the peer has
    /// ended.
    pub(crate) fn read(
        &mut self,
        now: Time,
        (buffer, mut share): (&mut [u8], usize),
        ear: &mut Ear,
        found: &mut Vec<Come>,
    ) -> Result<bool, Reason> {
        while share > 0 || self.layer.holds_more() {
            let most = if share > 0 { buffer.len().min(share) } else { buffer.len() };
            let buffer = buffer.get_mut(..most).unwrap_or_default();
            let result = self.layer.read(&mut self.stream, buffer);
            self.come_up(now);
            match result {
                Ok(0) => return Err(Reason::Gone),
                Ok(count) => {
                    if !matches!(self.state, State::Leaving { .. }) {
                        self.take(now, buffer.get(..count).unwrap_or_default(), ear, found);
                    }
                    share = share.saturating_sub(count);
                    if !self.layer.may_have_more(count, buffer.len()) {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(Reason::Untrusted);
                }
                Err(_) => return Err(Reason::Gone),
            }
        }
        Ok(true)
    }

    /// Takes what was read, and whole pieces out of it.
    fn take(&mut self, now: Time, mut octets: &[u8], ear: &mut Ear, found: &mut Vec<Come>) {
        let left_out = ear.left_out;
        ear.speaker = self.speaker;
        while !octets.is_empty() && !matches!(found.last(), Some(Come::End(_))) {
            octets = self.framing.push(octets, ear);
            self.cut(now, found);
        }
        if ear.left_out > left_out {
            self.heard(now);
        }
        if self.framing.is_half() {
            self.half_since.get_or_insert(now);
        } else {
            self.half_since = None;
            // A connection that is idle keeps no buffer, however large its last message was.
            self.framing.forget();
        }
    }

    /// A whole message has come, whether it is read or not.
    fn heard(&mut self, now: Time) {
        match self.state {
            State::Silent { .. } if self.flow.identity.is_none() => self.seat.heard(),
            // Its certificate says who it is.
            State::Silent { .. } => self.vouch(),
            _ => {}
        }
        self.state = State::Open { heard: now };
        self.half_since = None;
        self.asked_at = None;
    }

    fn cut(&mut self, now: Time, found: &mut Vec<Come>) {
        loop {
            match self.framing.cut(now, &mut self.out) {
                Ok(Some(Piece::Message(message))) => {
                    self.heard(now);
                    found.push(Come::Message(message));
                }
                // A keep-alive is a sign of life, but a stranger must say something first.
                Ok(Some(piece @ (Piece::SignOfLife | Piece::Pong))) => {
                    if matches!(piece, Piece::Pong) {
                        found.push(Come::Pong);
                    }
                    // One that comes between the parts of a message does not make the rest come sooner.
                    if !self.framing.is_half() {
                        self.half_since = None;
                    }
                    self.asked_at = None;
                    if let State::Open { heard } = &mut self.state {
                        *heard = now;
                    }
                }
                Ok(None) => break,
                Err(end) => {
                    found.push(Come::End(end));
                    break;
                }
            }
        }
    }

    /// Nothing more is read; it ends when everything is written, or at `until`.
    pub(crate) fn leave(&mut self, until: Time) {
        self.state = State::Leaving { until };
        self.half_since = None;
    }

    /// When it is to be looked at again; a peer that is quiet is asked whether it is there. An error when it has taken too long.
    pub(crate) fn judge(&mut self, now: Time, patience: &Patience) -> Result<Time, Reason> {
        let (mut due, mut reason) = self.due(patience);
        if due <= now && reason == Reason::Quiet {
            self.framing.ping(&mut self.out);
            self.asked_at = Some(now);
            (due, reason) = self.due(patience);
        }
        if due <= now { Err(reason) } else { Ok(due) }
    }

    /// When the peer will have taken too long, as things stand.
    fn due(&self, patience: &Patience) -> (Time, Reason) {
        let slow = match self.state {
            State::Opening { since } => return (since + patience.connect, Reason::NotOpened),
            State::Greeting { since } => {
                return (since + patience.handshake, Reason::SlowGreeting);
            }
            State::Leaving { until } => return (until, Reason::Finished),
            State::Silent { since } => since + patience.first_message,
            State::Open { heard } if self.not_opened().is_some() => heard + patience.connect,
            State::Open { heard } => heard + patience.idle,
        };
        let half = self.half_since.map_or(Time::NEVER, |since| since + patience.half_message);
        let deaf = self.stall.since().map_or(Time::NEVER, |since| since + patience.stalled);
        let slow = slow.min(half);
        let (slow, reason) = match (self.state, self.asked_at) {
            (_, Some(asked)) => (slow.min(asked + patience.pong), Reason::Slow),
            (State::Open { heard }, None)
                if self.framing.can_ping() && heard + patience.ping < slow =>
            {
                (heard + patience.ping, Reason::Quiet)
            }
            _ => (slow, Reason::Slow),
        };
        if deaf < slow { (deaf, Reason::Deaf) } else { (slow, reason) }
    }

    /// What epoll should watch for.
    pub(crate) fn wants(&self) -> Watch {
        match self.state {
            State::Opening { .. } => Watch::Writing,
            _ if self.has_to_write() => Watch::Both,
            _ => Watch::Reading,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Duration;

    use protocol::Transport;
    use protocol::doors::Deafness;
    use protocol::load::PARTS;

    use super::*;
    use crate::census::Census;
    use crate::plan::Crowd;
    use crate::websocket::Origins;

    fn connection(state: State) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (theirs, peer) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let flow = Flow {
            transport: Transport::Tcp,
            listener: 0,
            connection: 1,
            peer,
            identity: protocol::Identity::NONE,
        };
        let (seat, _) = Census::new(Crowd::default()).seat(peer, Begins::ByPeer).unwrap();
        let framing = Framing::accepted(flow.transport, &Arc::new(Origins::Any));
        (Connection::new(ours, (flow, Layer::Plain, framing), state, seat), theirs)
    }

    #[test]
    fn the_queue_has_an_end_even_within_a_turn() {
        let (mut connection, _theirs) = connection(State::Open { heard: Time(0) });
        let message = [b'x'; 1000];
        let put =
            (0..100_000).take_while(|_| connection.put(Time(0), &message, 50_000).is_ok()).count();
        // What the kernel took, and 50 of ours.
        assert!((50..100_000).contains(&put), "{put}");
        assert!(connection.waiting() <= 50_000);
        assert_eq!(connection.put(Time(0), &message, 50_000), Err(Reason::Deaf));
    }

    /// Who takes a little now and then must take all that waited in time all the same.
    #[test]
    fn who_reads_a_little_now_and_then_is_deaf() {
        let patience = Patience::default();
        let (mut connection, mut theirs) = connection(State::Open { heard: Time(0) });
        connection.put(Time(0), &vec![b'x'; 32 << 20], usize::MAX).unwrap();
        connection.flush(Time(0)).unwrap();
        let late = (Time(0) + patience.stalled, Reason::Deaf);
        assert_eq!(connection.due(&patience), late);
        let (before, mut room) = (connection.waiting(), vec![0; 64 * 1024]);
        let mut now = Time(0);
        while connection.waiting() > before - (1 << 20) {
            std::io::Read::read(&mut theirs, &mut room).unwrap();
            now = now + Duration::from_millis(1);
            connection.flush(now).unwrap();
        }
        assert_eq!(connection.due(&patience), late, "a megabyte was taken, and the rest waits on");
        while connection.waiting() > 0 {
            std::io::Read::read(&mut theirs, &mut room).unwrap();
            connection.flush(now).unwrap();
        }
        assert_eq!(connection.due(&patience).1, Reason::Slow, "all is taken");
    }

    const INVITE: &str = "INVITE sip:a@h SIP/2.0\r\nTo: <sip:a@h>\r\nContent-Length: 4\r\n\r\nbody";

    /// What is read of these at once, and whether there is more.
    fn read(ear: &mut Ear, share: usize, sent: &str) -> (Vec<Come>, bool) {
        let (mut connection, mut theirs) = connection(State::Open { heard: Time(0) });
        theirs.write_all(sent.as_bytes()).unwrap();
        let (mut room, mut found) = ([0; 10_000], Vec::new());
        connection.stream.set_nonblocking(false).unwrap();
        assert_eq!(connection.stream.peek(&mut room).unwrap(), sent.len());
        let more = connection.read(Time(1), (&mut room, share), ear, &mut found).unwrap();
        (found, more)
    }

    #[test]
    fn what_begins_something_is_thrown_away_when_that_is_wanted_and_the_rest_is_read() {
        let mut ear = Ear::default();
        let sent = format!("{INVITE}{}{INVITE}", INVITE.replace("INVITE", "BYE"));
        let (found, _) = read(&mut ear, 10_000, &sent);
        assert!(matches!(found[..], [Come::Message(_), Come::Message(_), Come::Message(_)]));
        ear.set(Deafness { share: PARTS, ..Deafness::default() });
        let (found, _) = read(&mut ear, 10_000, &sent);
        assert!(matches!(found[..], [Come::Message(_)]), "{found:?}");
        assert_eq!(ear.left_out, 2);
    }

    /// A phone need not show its credentials when it renews its registration: it has a connection by which it has registered.
    #[test]
    fn a_phone_that_renews_its_registration_is_heard_and_a_stranger_is_not() {
        let register = "REGISTER sip:h SIP/2.0\r\nTo: <sip:a@h>\r\nContent-Length: 0\r\n\r\n";
        let mut ear = Ear::default();
        ear.set(Deafness { share: PARTS, ..Deafness::default() });
        for (said, heard) in [("INVITE", 0), ("REGISTER", 1)] {
            let (mut connection, _theirs) = connection(State::Open { heard: Time(0) });
            let said = format!("SIP/2.0 200 OK\r\nCSeq: 1 {said}\r\n\r\nb=\r\nCSeq: 1 REGISTERS");
            connection.put(Time(0), said.as_bytes(), 10_000).unwrap();
            let mut found = Vec::new();
            connection.take(
                Time(1),
                format!("{INVITE}{register}").as_bytes(),
                &mut ear,
                &mut found,
            );
            assert_eq!(found.len(), heard, "{found:?}");
        }
    }

    #[test]
    fn nobody_is_read_more_than_its_share() {
        let sent = INVITE.repeat(40);
        let (found, more) = read(&mut Ear::default(), INVITE.len() * 10, &sent);
        assert_eq!((found.len(), more), (10, true));
    }

    #[test]
    fn every_state_has_its_own_patience() {
        let patience = Patience::default();
        let (mut connection, _theirs) = connection(State::Opening { since: Time(0) });
        let at = |time: Duration| Time(0) + time;
        assert_eq!(connection.due(&patience), (at(patience.connect), Reason::NotOpened));
        connection.state = State::Silent { since: Time(0) };
        assert_eq!(connection.due(&patience), (at(patience.first_message), Reason::Slow));
        connection.state = State::Open { heard: Time(0) };
        assert_eq!(connection.due(&patience), (at(patience.idle), Reason::Slow));
        let now = at(Duration::from_secs(1));
        connection.take(now, b"OPTIONS", &mut Ear::default(), &mut Vec::new());
        let half = at(Duration::from_secs(1) + patience.half_message);
        assert_eq!(connection.due(&patience), (half, Reason::Slow));
        connection.leave(Time(7));
        assert_eq!(connection.due(&patience), (Time(7), Reason::Finished));
    }
}
