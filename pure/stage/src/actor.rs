//! `Actor`: a machine, or the shards of one, as a host of the world.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use machine::{Machine, Time};
use protocol::doors::{Alive, Asker, Event, Input, Output, Socket};
use protocol::locate::Means;
use protocol::{Flow, Listener, Question, Ticket};
use sim::{Connection, Door, Host, Kind, Parcel, Segment, Transport, Unreachable};
use sip::stream::Frame;
use sip::{Bytes, Malformed, Message};

use crate::disk::Disk;
use crate::limits;
use crate::lines::Lines;
use crate::names::{Names, Speed};
use crate::papers::{Introduced, Papers};
use crate::sockets::Sockets;

/// What a shard is chosen for.
#[derive(Clone, Copy, Debug)]
pub enum Steered<'a> {
    /// A message that came.
    Message(&'a Message),
    /// An address of record that one shard asks another about.
    Aor(&'a [u8]),
}

/// Chooses the shard: the number is taken modulo how many there are.
type Steer = Box<dyn Fn(Steered<'_>) -> u64>;

/// One host that speaks SIP.
pub struct Actor<M> {
    shards: Vec<M>,
    listeners: Vec<Listener>,
    steer: Steer,
    pub(crate) lines: Lines,
    pub(crate) papers: Papers,
    pub(crate) introduced: Introduced,
    sockets: Sockets,
    names: Names,
    /// What the driver itself will say, by the time when it is due.
    late: BTreeMap<(Time, u64), (usize, Input)>,
    said: u64,
    asked: u64,
    events: VecDeque<(Time, Event)>,
    disk: Disk,
}

impl<M: Machine<Input = Input, Output = Output>> Actor<M> {
    /// A machine that listens here.
    pub fn new(machine: M, listeners: Vec<Listener>) -> Self {
        Self::sharded(vec![machine], listeners, |_| 0)
    }

    /// The shards of one server, and who chooses between them.
    pub fn sharded(
        shards: Vec<M>,
        listeners: Vec<Listener>,
        steer: impl Fn(Steered<'_>) -> u64 + 'static,
    ) -> Self {
        let home = listeners.first().map(|listener| listener.bound.ip());
        let ip = home.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        Self {
            shards,
            listeners,
            steer: Box::new(steer),
            lines: Lines::default(),
            papers: Papers::default(),
            introduced: Introduced::default(),
            sockets: Sockets::new(ip),
            names: Names::default(),
            late: BTreeMap::new(),
            said: 0,
            asked: 0,
            events: VecDeque::new(),
            disk: Disk::default(),
        }
    }

    /// What it has kept so far, to be changed, and to be given to the machine that comes after it.
    pub const fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// With these names to look up.
    #[must_use]
    pub fn knowing(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// With these papers to show to TLS peers.
    #[must_use]
    pub fn showing(mut self, papers: Papers) -> Self {
        self.papers = papers;
        self
    }

    /// The papers, to change: lines that are up stay up.
    pub const fn papers_mut(&mut self) -> &mut Papers {
        &mut self.papers
    }

    /// The resolver, to change.
    pub const fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The shards.
    pub fn shards(&self) -> &[M] {
        &self.shards
    }

    /// The only machine, or the first shard.
    pub fn machine(&self) -> Option<&M> {
        self.shards.first()
    }

    /// What was reported, with its time; the last [`limits::EVENTS`].
    pub fn events(&self) -> impl Iterator<Item = &(Time, Event)> {
        self.events.iter()
    }

    /// Connections that are open or being opened.
    pub fn connections(&self) -> usize {
        self.lines.len()
    }

    /// Media sockets that are lent.
    pub fn media_sockets(&self) -> usize {
        self.sockets.len()
    }

    /// Answers that are still to be given.
    pub fn answers_due(&self) -> usize {
        self.late.len()
    }

    /// Questions that were asked so far, by all shards.
    pub const fn questions(&self) -> u64 {
        self.asked
    }

    /// Commands the only machine, or the first shard, and carries what it says: `world.act(id, |actor, now, out|
    /// actor.command(now, out, |phone, now, said| phone.call(now, …, said)))`.
    pub fn command<R>(
        &mut self,
        now: Time,
        out: &mut Vec<Parcel>,
        deed: impl FnOnce(&mut M, Time, &mut Vec<Output>) -> R,
    ) -> Option<R> {
        let mut said = Vec::new();
        let answer = deed(self.shards.first_mut()?, now, &mut said);
        self.carry(now, 0, said, out);
        Some(answer)
    }

    pub(crate) fn feed(&mut self, now: Time, shard: usize, input: Input, out: &mut Vec<Parcel>) {
        let mut said = Vec::new();
        if let Some(machine) = self.shards.get_mut(shard) {
            machine.handle(now, input, &mut said);
        }
        self.carry(now, shard, said, out);
    }

    /// Does what a shard said.
    fn carry(&mut self, now: Time, shard: usize, said: Vec<Output>, out: &mut Vec<Parcel>) {
        for output in said {
            match output {
                Output::Send(flow, octets) => self.send(now, shard, (flow, octets), out),
                Output::Introduce(name) => self.introduced.note(name),
                Output::Alias(flow, peer) => self.lines.alias(flow, peer),
                Output::Leave(flow) => self.lines.leave(flow, out),
                // Here is room for all.
                Output::Vouch(_) => {}
                Output::Media(socket, to, octets) => self.send_media(socket, to, octets, out),
                Output::Ask(ticket, question) => self.ask(now, shard, ticket, question),
                Output::Tell(asker, answer) => {
                    let input = Input::Answered(asker.ticket, answer);
                    self.say(now, usize::from(asker.shard), input);
                }
                Output::Warn(warning) => self.tell_others(now, shard, &Input::Warned(warning)),
                Output::Announce(aor) => self.tell_others(now, shard, &Input::Announced(aor)),
                Output::Caution(caution) => {
                    self.tell_others(now, shard, &Input::Cautioned(caution));
                }
                // The machine itself drops what still comes.
                Output::Bar(..) | Output::Unbar(_) | Output::Deafen(_) => {}
                Output::Report(event) => self.keep(now, event),
            }
        }
    }

    fn tell_others(&mut self, now: Time, shard: usize, news: &Input) {
        for other in (0..self.shards.len()).filter(|other| *other != shard) {
            self.say(now, other, news.clone());
        }
    }

    fn keep(&mut self, now: Time, event: Event) {
        if self.events.len() >= limits::EVENTS {
            self.events.pop_front();
        }
        self.events.push_back((now, event));
    }

    fn send(
        &mut self,
        now: Time,
        shard: usize,
        (flow, octets): (Flow, Bytes),
        out: &mut Vec<Parcel>,
    ) {
        let number = |listener: &&Listener| listener.number == flow.listener;
        let sent = match self.listeners.iter().find(number) {
            Some(listener) if !flow.transport.is_reliable() => {
                out.push(Parcel::datagram(listener.bound, flow.peer, octets));
                true
            }
            Some(listener) => self.lines.send(listener, flow, octets, out),
            None => false,
        };
        if !sent {
            self.say(now, shard, Input::Failed(flow));
        }
    }

    fn send_media(&self, socket: Socket, to: SocketAddr, octets: Bytes, out: &mut Vec<Parcel>) {
        if let Some(from) = self.sockets.address(socket) {
            out.push(Parcel::datagram(from, to, octets));
        }
    }

    fn ask(&mut self, now: Time, shard: usize, ticket: Ticket, question: Question) {
        self.asked = self.asked.saturating_add(1);
        match question {
            Question::Resolve(hop) => {
                let answer = self.names.resolve(hop, Means::of(&self.listeners));
                if let Speed::After(delay) = self.names.speed {
                    self.say(now + delay, shard, Input::Answered(ticket, answer));
                }
            }
            Question::Services(name) => {
                let answer = self.names.services(name);
                if let Speed::After(delay) = self.names.speed {
                    self.say(now + delay, shard, Input::Answered(ticket, answer));
                }
            }
            Question::Locate(ref aor) => {
                let keeper = self.shard_of(Steered::Aor(aor));
                self.ask_shard(now, (shard, ticket), keeper, question);
            }
            Question::Wake(ref sleeper) => {
                let keeper = self.shard_of(Steered::Aor(&sleeper.aor));
                self.ask_shard(now, (shard, ticket), keeper, question);
            }
            // There are no notification services in this world.
            Question::Push(_) => {
                self.say(now, shard, Input::Answered(ticket, protocol::Answer::Nothing))
            }
            Question::Spend { keeper, .. } => {
                self.ask_shard(now, (shard, ticket), usize::from(keeper), question);
            }
            Question::Keep(record) => {
                if let Some((delay, answer)) = self.disk.keep(record) {
                    self.say(now + delay, shard, Input::Answered(ticket, answer));
                }
            }
            // The world lends a cluster its store itself, between its hosts.
            Question::Share(_) => {
                self.say(now, shard, Input::Answered(ticket, protocol::Answer::NotKept))
            }
            Question::Recall(_) => {
                self.say(now, shard, Input::Answered(ticket, protocol::Answer::NotRecalled))
            }
            Question::SpendAnywhere { .. } => {
                self.say(now, shard, Input::Answered(ticket, protocol::Answer::Nothing))
            }
            Question::MediaSockets => {
                let answer = self.sockets.lend(shard);
                self.say(now, shard, Input::Answered(ticket, answer));
            }
            Question::CloseMedia(rtp, rtcp) => {
                self.sockets.close(rtp);
                self.sockets.close(rtcp);
            }
        }
    }

    fn ask_shard(
        &mut self,
        now: Time,
        (shard, ticket): (usize, Ticket),
        keeper: usize,
        question: Question,
    ) {
        let asker = Asker { shard: u16::try_from(shard).unwrap_or(u16::MAX), ticket };
        self.say(now, keeper, Input::Asked(asker, question));
    }

    /// Tells a shard something at `due`, never while it is still speaking.
    fn say(&mut self, due: Time, shard: usize, input: Input) {
        self.said = self.said.wrapping_add(1);
        self.late.insert((due, self.said), (shard, input));
    }

    /// Says it, and what is said to that. Whoever asks again at every answer waits for the next turn at last.
    fn say_what_is_due(&mut self, now: Time, out: &mut Vec<Parcel>) {
        for _ in 0..limits::ANSWERS {
            let later = self.late.split_off(&(now, u64::MAX));
            for (shard, input) in std::mem::replace(&mut self.late, later).into_values() {
                self.feed(now, shard, input, out);
            }
        }
    }

    fn shard_of(&self, what: Steered<'_>) -> usize {
        let shards = u64::try_from(self.shards.len()).unwrap_or(1);
        let number = (self.steer)(what).checked_rem(shards).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    fn receive(&mut self, now: Time, flow: Flow, message: Message, out: &mut Vec<Parcel>) {
        let shard = self.shard_of(Steered::Message(&message));
        self.feed(now, shard, Input::Received(flow, message), out);
    }

    /// Every shard may have something under way there.
    fn failed(&mut self, now: Time, flow: Flow, out: &mut Vec<Parcel>) {
        for shard in 0..self.shards.len() {
            self.feed(now, shard, Input::Failed(flow), out);
        }
    }

    fn datagram(&mut self, now: Time, parcel: &Parcel, octets: Bytes, out: &mut Vec<Parcel>) {
        if let Some((socket, shard)) = self.sockets.at(parcel.to) {
            return self.feed(now, shard, Input::Media(socket, parcel.from, octets), out);
        }
        let Some(flow) = self.datagram_flow(parcel.to, parcel.from) else { return };
        // RFC 5626 §3.5.1 and older habits: blank datagrams only keep a NAT open.
        if octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return;
        }
        if let Some(answer) = stun::answer(&octets, parcel.from) {
            return out.push(Parcel::datagram(parcel.to, parcel.from, Bytes::from(answer)));
        }
        if let Some((transaction, mapped)) = stun::mapped(&octets) {
            let alive = Alive::Mapped(transaction, mapped);
            return self.feed(now, 0, Input::Alive(flow, alive), out);
        }
        match Message::parse(octets) {
            Ok(message) => self.receive(now, flow, message, out),
            Err(malformed) => self.feed(now, 0, Input::Malformed(flow, malformed), out),
        }
    }

    fn datagram_flow(&self, local: SocketAddr, peer: SocketAddr) -> Option<Flow> {
        let here = |one: &&Listener| !one.transport.is_reliable() && hears(one, local);
        self.listeners.iter().find(here).map(|listener| Flow::to(listener, peer))
    }

    fn segment(
        &mut self,
        now: Time,
        parcel: &Parcel,
        (stream, segment): (Connection, Segment),
        out: &mut Vec<Parcel>,
    ) {
        match segment {
            Segment::Open => {
                let here = |one: &&Listener| one.transport.is_reliable() && hears(one, parcel.to);
                if let Some(listener) = self.listeners.iter().find(here) {
                    self.lines.accept(listener, parcel, stream);
                }
            }
            Segment::Opened => self.lines.opened(stream, &self.papers, out),
            Segment::Data(octets) => self.data(now, stream, &octets, out),
            Segment::Close => self.hang_up(now, stream, out),
            Segment::Reset => {
                if let Some(flow) = self.lines.remove(stream) {
                    self.failed(now, flow, out);
                }
            }
            // It concerns everybody who may want to reach that peer.
            Segment::Refused | Segment::TimedOut => {
                if let Some(flow) = self.lines.remove(stream) {
                    self.failed(now, flow.any_connection(), out);
                }
            }
        }
    }

    /// Reads what is whole on a stream.
    pub(crate) fn cut(&mut self, now: Time, stream: Connection, out: &mut Vec<Parcel>) {
        while let Some(line) = self.lines.line(stream) {
            let flow = line.flow;
            match line.framer.cut() {
                Ok(None) => return,
                Ok(Some(Frame::Message(message))) => self.receive(now, flow, message, out),
                Ok(Some(Frame::Ping)) => {
                    out.push(line.parcel(Segment::Data(Bytes::from_static(b"\r\n"))));
                }
                Ok(Some(Frame::Pong)) => self.feed(now, 0, Input::Alive(flow, Alive::Pong), out),
                Err(malformed) => return self.garbled(now, stream, malformed, out),
            }
        }
    }

    /// A stream has lost its meaning: the machine may answer, then it is closed.
    fn garbled(
        &mut self,
        now: Time,
        stream: Connection,
        malformed: Malformed,
        out: &mut Vec<Parcel>,
    ) {
        let Some(flow) = self.lines.line(stream).map(|line| line.flow) else { return };
        self.feed(now, 0, Input::Malformed(flow, malformed), out);
        self.hang_up(now, stream, out);
    }

    fn hang_up(&mut self, now: Time, stream: Connection, out: &mut Vec<Parcel>) {
        if let Some(line) = self.lines.line(stream) {
            out.push(line.parcel(Segment::Close));
        }
        if let Some(flow) = self.lines.remove(stream) {
            self.failed(now, flow, out);
        }
    }
}

/// Whether what comes to an address of this host is for a listener.
fn hears(listener: &Listener, to: SocketAddr) -> bool {
    let bound = listener.bound;
    bound == to || bound.ip().is_unspecified() && bound.port() == to.port()
}

impl<M: Machine<Input = Input, Output = Output>> Host for Actor<M> {
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>) {
        match parcel.kind.clone() {
            Kind::Datagram(octets) => self.datagram(now, &parcel, octets, out),
            Kind::Stream(stream, segment) => self.segment(now, &parcel, (stream, segment), out),
            Kind::Unreachable(Unreachable::Port(_) | Unreachable::TooBig { .. }) => {
                if let Some(flow) = self.datagram_flow(parcel.to, parcel.from) {
                    self.failed(now, flow, out);
                }
            }
        }
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>) {
        self.say_what_is_due(now, out);
        for shard in 0..self.shards.len() {
            let Some(machine) = self.shards.get_mut(shard) else { continue };
            if machine.deadline().is_some_and(|deadline| deadline <= now) {
                let mut said = Vec::new();
                machine.wake(now, &mut said);
                self.carry(now, shard, said, out);
            }
        }
        self.say_what_is_due(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        let late = self.late.keys().next().map(|(due, _)| *due);
        self.shards.iter().filter_map(Machine::deadline).chain(late).min()
    }

    fn listens(&self, door: Door) -> bool {
        let datagrams = door.transport == Transport::Udp;
        let fits = |one: &Listener| hears(one, door.at) && one.transport.is_reliable() != datagrams;
        self.listeners.iter().any(fits) || datagrams && self.sockets.at(door.at).is_some()
    }
}
