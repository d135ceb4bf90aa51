//! A town: a server whose work takes time, as a queue in virtual time, and whoever calls and registers there.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::{Dice, Machine as _, Time};
use protocol::doors::{Backlog, Deafness, Event};
use protocol::load::{PARTS, part};
use protocol::{Flow, Identity, Input, Output, Transport};
use server::{Node, Settings};
use sip::{Bytes, Message, Method, Name};

/// What it takes to read a message, and what it takes to send one, in microseconds: forty times as much as on a real machine.
const WORK: u64 = 200;

/// What it takes to step over a message of a stream, which nobody reads.
const GLANCE: u64 = WORK / 6;

/// What it takes to tell the kernel what to drop: a millisecond there where one processor has a twentieth of its time.
const FILTER: u64 = EACH / 5;

/// A container may run for so much of each so much, in microseconds, and works twenty times as fast meanwhile: a twentieth of one processor.
const QUOTA: u64 = 5_000;
const EACH: u64 = 100_000;
const FASTER: u64 = EACH / QUOTA;

/// Datagrams for which the kernel has room, and what a turn reads at most: fewer, for each takes longer.
pub(super) const ROOM: usize = 300;
const TURN: usize = 100;

/// A call is six messages that come and seven that go.
pub(super) const CAPACITY: u64 = 1_000_000 / (13 * WORK);

/// What happens, and when.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A datagram comes to the server.
    Comes(SocketAddr, Vec<u8>),
    /// A datagram comes to a caller, or to the callee.
    Goes(SocketAddr, Vec<u8>),
    /// A call begins.
    Begins,
    /// A caller has heard nothing, and repeats itself.
    Again(u64, u32),
    /// A caller hangs up.
    HangsUp(u64),
    /// The server has time.
    Turn,
}

pub(super) struct Call {
    invite: Vec<u8>,
    began: Time,
    pub(super) heard: bool,
    bye: Vec<u8>,
}

/// How the calls of a while went.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) begun: u64,
    pub(super) done: u64,
    pub(super) registered: u64,
    pub(super) refused: u64,
    /// How long set-up took, in milliseconds.
    setups: Vec<u64>,
    /// How long registering took.
    waits: Vec<u64>,
}

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// A call each, from an address of its own.
    Calls,
    /// Phones that register, by one edge proxy.
    Registrations,
    /// Neighbours that ask whether we live.
    Pings,
    /// One as often as the other.
    Both,
    /// Phones that register, and among twenty one that calls.
    FewCalls,
}

pub(super) struct Town {
    pub(super) node: Node,
    /// By what everybody talks to the server.
    transport: Transport,
    pub(super) now: Time,
    agenda: BinaryHeap<Reverse<(Time, u64, What)>>,
    planned: u64,
    pub(super) queue: VecDeque<(SocketAddr, Bytes)>,
    pub(super) deafness: Deafness,
    /// What is still to be left out of the streams, in parts of one.
    owed: u16,
    lost: u64,
    waited: Duration,
    busy: bool,
    /// When the turn is over that the server is in.
    free: Time,
    /// Of its quota, when it has one: in which period it ran last, and how much of that it has used.
    pub(super) quota: Option<(u64, u64)>,
    /// What the kernel has room for.
    pub(super) room: usize,
    /// What begins.
    pub(super) crowd: Crowd,
    /// Calls a second; and how callers are spread over addresses.
    offered: u64,
    pub(super) calls: BTreeMap<u64, Call>,
    last: u64,
    tally: Tally,
    pub(super) events: Vec<Event>,
}

const CALLEE: &str = "198.51.100.9:5060";

impl Town {
    pub(super) fn new(settings: Settings) -> Self {
        Self::by(Transport::Udp, settings)
    }

    pub(super) fn by(transport: Transport, settings: Settings) -> Self {
        let node = Node::new(settings, Dice::new(1));
        let now = Time(1_800_000_000_000_000_000);
        let mut town = Self {
            node,
            transport,
            now,
            agenda: BinaryHeap::new(),
            planned: 0,
            queue: VecDeque::new(),
            deafness: Deafness::default(),
            owed: 0,
            lost: 0,
            waited: Duration::ZERO,
            busy: false,
            free: now,
            quota: None,
            room: ROOM,
            crowd: Crowd::Calls,
            offered: 1,
            calls: BTreeMap::new(),
            last: 0,
            tally: Tally::default(),
            events: Vec::new(),
        };
        let register = format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/{transport} {CALLEE};branch=z9hG4bKr\r\nFrom: <sip:102@example.test>;tag=r\r\n\
             To: <sip:102@example.test>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\nContact: <sip:102@{CALLEE};transport={transport}>\r\nExpires: 3600\r\n\
             Content-Length: 0\r\n\r\n"
        );
        town.plan(0, What::Comes(CALLEE.parse().unwrap(), register.into_bytes()));
        town.plan(50, What::Begins);
        town
    }

    fn plan(&mut self, millis: u64, what: What) {
        self.plan_at(self.now + Duration::from_millis(millis), what);
    }

    fn plan_at(&mut self, at: Time, what: What) {
        self.planned += 1;
        self.agenda.push(Reverse((at, self.planned, what)));
    }

    /// Lives for a while with so many new calls a second, and says how they went.
    pub(super) fn live(&mut self, seconds: u64, offered: u64) -> Tally {
        self.offered = offered;
        self.tally = Tally::default();
        let until = self.now + Duration::from_secs(seconds);
        while let Some(Reverse((at, _, _))) = self.agenda.peek()
            && *at <= until
        {
            let Some(Reverse((at, _, what))) = self.agenda.pop() else { break };
            self.now = at;
            self.happens(what);
        }
        self.now = until;
        std::mem::take(&mut self.tally)
    }

    fn happens(&mut self, what: What) {
        match what {
            What::Comes(from, wire) => self.comes(from, wire),
            What::Goes(to, wire) if to == CALLEE.parse().unwrap() => self.callee(&wire),
            What::Goes(to, wire) => self.caller(to, &wire),
            What::Begins => self.begins(),
            What::Again(call, times) => self.again(call, times),
            What::HangsUp(call) => {
                let Some(bye) = self.calls.get(&call).map(|call| call.bye.clone()) else { return };
                self.plan(0, What::Comes(self.address(call), bye));
            }
            What::Turn => self.turn(),
        }
    }

    fn comes(&mut self, from: SocketAddr, wire: Vec<u8>) {
        if self.transport == Transport::Udp {
            if begins(&wire) && part(self.deafness.key, &wire) < self.deafness.share {
                return;
            }
            let room = self.deafness.room.map_or(self.room, |room| self.room.min(room as usize));
            if self.queue.len() >= room {
                // The kernel does not tell them from those that it was told to drop.
                self.lost += u64::from(self.deafness.share == 0);
                return;
            }
        }
        self.queue.push_back((from, wire.into()));
        if !self.busy {
            self.busy = true;
            self.waited = Duration::ZERO;
            // It may still be in its last turn.
            self.plan_at(self.now.max(self.free), What::Turn);
        }
    }

    /// One turn: what has come is handled, and what that says goes out at the end.
    fn turn(&mut self) {
        if self.now < self.free {
            return;
        }
        let left = self.queue.len() > TURN;
        let batch: Vec<_> = self.queue.drain(..self.queue.len().min(TURN)).collect();
        let (mut out, now) = (Vec::new(), self.now);
        let lost = std::mem::take(&mut self.lost);
        let read = batch.len() as u64;
        let backlog = Backlog { waited: self.waited, lost, read, unread: left };
        self.node.handle(now, Input::Waited(backlog), &mut out);
        let mut work = 0;
        for (peer, wire) in batch {
            if self.steps_over(&wire) {
                work += GLANCE;
                continue;
            }
            work += WORK;
            let flow = self.flow(peer);
            let message = Message::parse(wire).unwrap();
            self.node.handle(now, Input::Received(flow, message), &mut out);
        }
        if self.node.deadline().is_some_and(|deadline| deadline <= now) {
            self.node.wake(now, &mut out);
        }
        work += out.iter().map(|output| self.work_of(output)).sum::<u64>();
        let end = self.after(work);
        self.free = end;
        for output in out {
            match output {
                Output::Send(flow, wire) => self.plan_at(end, What::Goes(flow.peer, wire.to_vec())),
                Output::Deafen(deafness) => self.deafness = deafness,
                Output::Report(event @ (Event::Overloaded { .. } | Event::Relieved { .. })) => {
                    self.events.push(event);
                }
                _ => {}
            }
        }
        // As in `io/net/src/pressure.rs`.
        let (busy, since) = (end - now, self.waited + (end - now));
        self.waited = match (left, lost > 0) {
            (true, true) => since.min(2 * busy),
            (true, false) => since,
            (false, _) => busy,
        };
        let more = !self.queue.is_empty() || work > 0;
        let next = self.node.deadline().map(|deadline| deadline.max(end));
        match (more, next) {
            (true, _) => self.plan_at(end, What::Turn),
            (false, Some(next)) => {
                self.busy = false;
                self.plan_at(next, What::Turn);
            }
            (false, None) => self.busy = false,
        }
    }

    /// Is it a phone that registers, or a neighbour that asks: is one answer all that it wants?
    fn registers(&self, call: u64) -> bool {
        match self.crowd {
            Crowd::Calls => false,
            Crowd::Registrations | Crowd::Pings => true,
            Crowd::Both => call.is_multiple_of(2),
            Crowd::FewCalls => !call.is_multiple_of(20),
        }
    }

    /// Each caller has an address of its own.
    fn address(&self, call: u64) -> SocketAddr {
        let caller = if self.registers(call) { 0 } else { call as u32 };
        SocketAddr::from((std::net::Ipv4Addr::from_bits(0x0a00_0000 + caller), 5060))
    }

    /// When so much work is done that begins now.
    fn after(&mut self, work: u64) -> Time {
        let Some((period, mut used)) = self.quota else {
            return self.now + Duration::from_micros(work.max(1000));
        };
        let (mut now, mut left) = (self.now.0 / 1000, work / FASTER + 20);
        if now / EACH != period {
            used = 0;
        }
        while left > QUOTA - used {
            left -= QUOTA - used;
            (now, used) = ((now / EACH + 1) * EACH, 0);
        }
        now += left;
        self.quota = Some((now / EACH, used + left));
        Time(now * 1000).max(self.now)
    }

    /// From whom something comes: by a stream everybody has a connection.
    fn flow(&self, peer: SocketAddr) -> Flow {
        let (transport, identity) = (self.transport, Identity::NONE);
        let (listener, connection) = match peer.ip() {
            _ if transport == Transport::Udp => (0, 0),
            IpAddr::V4(ip) => (1, ip.to_bits()),
            IpAddr::V6(_) => (1, 0),
        };
        Flow { transport, listener, connection, peer, identity }
    }

    /// What it takes to do what the server says.
    fn work_of(&self, output: &Output) -> u64 {
        let by_datagrams = self.transport == Transport::Udp;
        match output {
            Output::Send(..) => WORK,
            Output::Deafen(new) if by_datagrams && new.share != self.deafness.share => FILTER,
            _ => 0,
        }
    }

    /// Is this left out of a stream? As in `io/net/src/ear.rs`.
    fn steps_over(&mut self, wire: &[u8]) -> bool {
        if self.transport == Transport::Udp || !begins(wire) {
            return false;
        }
        self.owed += self.deafness.share;
        let over = self.owed >= PARTS;
        self.owed %= PARTS;
        over
    }

    fn begins(&mut self) {
        self.last += 1;
        let call = self.last;
        let (at, by) = (self.address(call), self.transport);
        let register = format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/{by} {at};rport;branch=z9hG4bKi{call}\r\nMax-Forwards: 70\r\n\
             From: <sip:c{call}@example.test>;tag=c{call}\r\nTo: <sip:c{call}@example.test>\r\nCall-ID: {call}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:c{call}@{at};transport={by}>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
        );
        let invite = format!(
            "INVITE sip:102@example.test SIP/2.0\r\nVia: SIP/2.0/{by} {at};rport;branch=z9hG4bKi{call}\r\nMax-Forwards: 70\r\n\
             From: <sip:c@elsewhere.test>;tag=c{call}\r\nTo: <sip:102@example.test>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:c@{at};transport={by}>\r\nContent-Length: 0\r\n\r\n"
        );
        let invite = match self.crowd {
            Crowd::Pings => register.replace("REGISTER", "OPTIONS"),
            _ if self.registers(call) => register,
            _ => invite,
        };
        let (invite, began) = (invite.into_bytes(), self.now);
        self.plan(0, What::Comes(at, invite.clone()));
        self.plan(500, What::Again(call, 1));
        self.calls.insert(call, Call { invite, began, heard: false, bye: Vec::new() });
        self.tally.begun += 1;
        self.plan_at(self.now + Duration::from_micros(1_000_000 / self.offered), What::Begins);
    }

    fn again(&mut self, call: u64, times: u32) {
        let Some(found) = self.calls.get(&call).filter(|call| !call.heard) else { return };
        if times > 5 {
            self.calls.remove(&call);
            return;
        }
        if self.transport == Transport::Udp {
            let invite = found.invite.clone();
            self.plan(0, What::Comes(self.address(call), invite));
        }
        self.plan(500 << times, What::Again(call, times + 1));
    }

    /// The callee rings and answers everything at once.
    fn callee(&mut self, wire: &[u8]) {
        let request = Message::parse(Bytes::copy_from_slice(wire)).unwrap();
        let statuses: &[u16] = match request.method() {
            Some(Method::Invite) => &[180, 200],
            Some(Method::Ack) | None => &[],
            Some(_) => &[200],
        };
        for status in statuses {
            let status = sip::Status::new(*status).unwrap();
            let reply = sip::Draft::reply_tagged(&request, status, status.phrase(), "b");
            let routes: Vec<_> = request.rows(Name::RecordRoute).collect();
            let reply =
                routes.into_iter().fold(reply, |reply, row| reply.raw(Name::RecordRoute, row));
            let contact = format!("<sip:102@{CALLEE};transport={}>", self.transport);
            let reply = reply.raw(Name::Contact, contact.as_bytes()).wire().to_vec();
            self.plan(0, What::Comes(CALLEE.parse().unwrap(), reply));
        }
    }

    fn caller(&mut self, to: SocketAddr, wire: &[u8]) {
        let response = Message::parse(Bytes::copy_from_slice(wire)).unwrap();
        let number = String::from_utf8_lossy(response.call_id()).parse().unwrap();
        let (now, at, by) = (self.now, self.address(number), self.transport);
        let registers = self.registers(number);
        assert_eq!(to, at);
        let Some(call) = self.calls.get_mut(&number) else { return };
        call.heard = true;
        let status = response.status().unwrap();
        let ours = |method: &str, branch: &str, cseq: u32| {
            let routes: Vec<_> = response.rows(Name::RecordRoute).map(text).collect();
            let routes: String = routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
            let to = text(response.rows(Name::To).next().unwrap());
            let uri = if routes.is_empty() {
                "sip:102@example.test"
            } else {
                "sip:102@198.51.100.9:5060"
            };
            format!(
                "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{by} {at};rport;branch=z9hG4bK{branch}{number}\r\nMax-Forwards: 70\r\n{routes}\
                 From: <sip:c@elsewhere.test>;tag=c{number}\r\nTo: {to}\r\nCall-ID: {number}\r\nCSeq: {cseq} {method}\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .into_bytes()
        };
        let is_bye = response.get::<sip::header::CSeq>().is_some_and(|cseq| cseq.number == 2);
        match status.code() {
            200 if registers => {
                self.tally.waits.push((now - call.began).as_millis() as u64);
                self.calls.remove(&number);
                self.tally.registered += 1;
            }
            200 if is_bye => {
                self.calls.remove(&number);
                self.tally.done += 1;
            }
            200 => {
                self.tally.setups.push((now - call.began).as_millis() as u64);
                call.bye = ours("BYE", "b", 2);
                let ack = ours("ACK", "a", 1);
                self.plan(0, What::Comes(at, ack));
                self.plan(300, What::HangsUp(number));
            }
            code if code >= 300 => {
                assert_eq!(code, 503);
                let ack = ours("ACK", "i", 1);
                self.calls.remove(&number);
                self.tally.refused += 1;
                if !registers {
                    self.plan(0, What::Comes(at, ack));
                }
            }
            _ => {}
        }
    }
}

/// Does it begin something? What belongs to a call has a Route here.
fn begins(wire: &[u8]) -> bool {
    [&b"INVITE"[..], b"REGISTER", b"OPTIONS"].iter().any(|method| wire.starts_with(method))
        && !wire.windows(6).any(|part| part == b"\nRoute")
}

fn text(row: &[u8]) -> String {
    String::from_utf8_lossy(row).into_owned()
}

impl Tally {
    /// Below what so many in a hundred set-ups stay, in milliseconds.
    pub(super) fn setup(&mut self, percent: usize) -> u64 {
        below(&mut self.setups, percent)
    }

    /// How many were set up.
    pub(super) fn setups(&self) -> u64 {
        self.setups.len() as u64
    }

    /// The same of those who register.
    pub(super) fn wait(&mut self, percent: usize) -> u64 {
        below(&mut self.waits, percent)
    }
}

/// What so many in a hundred stay below.
fn below(times: &mut [u64], percent: usize) -> u64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}
