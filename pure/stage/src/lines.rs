//! Connections: streams of the world, numbered as flows (RFC 3261 §18.1.1, §18.2.2).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use protocol::{Flow, Identity, Listener};
use sim::{Connection, Parcel, Segment};
use sip::Bytes;
use sip::stream::Framer;

use crate::limits;
use crate::papers::Papers;

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) flow: Flow,
    stream: Connection,
    local: SocketAddr,
    pub(crate) framer: Framer,
    stage: Stage,
    /// What has come before the peer's first word was whole, and what waits to be sent then: on TLS lines.
    pub(crate) heard: Vec<u8>,
    held: Vec<Bytes>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    /// Nobody has proven anything yet.
    Proving(By),
    Open,
}

/// Who opened a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Us,
    Them,
}

/// All connections of an actor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    all: BTreeMap<u32, Line>,
    by_stream: BTreeMap<Connection, u32>,
    /// Addresses that are reached by lines to another one (RFC 5923).
    aliases: BTreeMap<(u16, SocketAddr, Identity), u32>,
    last: u32,
}

impl Lines {
    /// Sends octets by a flow: by its connection, or by any to the peer, or by a new one. False when that is not possible.
    pub(crate) fn send(
        &mut self,
        listener: &Listener,
        flow: Flow,
        octets: Bytes,
        out: &mut Vec<Parcel>,
    ) -> bool {
        let number = match flow.connection {
            0 => self.any(flow).or_else(|| self.open(listener, flow, out)),
            number => Some(number),
        };
        // The number may be of a life before a restart, and be another peer's now.
        let same =
            |line: &&mut Line| line.flow.peer == flow.peer && line.flow.listener == flow.listener;
        let line = number.and_then(|number| self.all.get_mut(&number)).filter(same);
        let Some(line) = line else { return false };
        if line.stage == Stage::Open || !flow.transport.is_secure() {
            out.push(line.parcel(Segment::Data(octets)));
        } else {
            line.held.push(octets);
        }
        true
    }

    /// A peer has opened one.
    pub(crate) fn accept(&mut self, listener: &Listener, parcel: &Parcel, stream: Connection) {
        let transport = listener.transport;
        let flow = Flow {
            transport,
            listener: listener.number,
            connection: 0,
            peer: parcel.from,
            identity: Identity::NONE,
        };
        let stage = if transport.is_secure() { Stage::Proving(By::Them) } else { Stage::Open };
        self.insert(flow, stream, parcel.to, stage);
    }

    /// The peer has accepted the one that we opened.
    pub(crate) fn opened(&mut self, stream: Connection, papers: &Papers, out: &mut Vec<Parcel>) {
        let Some(line) = self.line(stream) else { return };
        line.stage = Stage::Open;
        if line.flow.transport.is_secure() {
            line.stage = Stage::Proving(By::Us);
            out.push(line.parcel(Segment::Data(papers.word())));
        }
    }

    /// What goes to this address, to the peer of the flow, goes by its line.
    pub(crate) fn alias(&mut self, flow: Flow, peer: SocketAddr) {
        let proven = |line: &Line| line.flow == flow && !flow.identity.is_none();
        if self.all.get(&flow.connection).is_some_and(proven) {
            self.aliases.insert((flow.listener, peer, flow.identity), flow.connection);
        }
    }

    /// Closes the line that the flow names, or all to its peer.
    pub(crate) fn leave(&mut self, flow: Flow, out: &mut Vec<Parcel>) {
        let named = |line: &&Line| match flow.connection {
            0 => line.flow.any_connection() == flow,
            _ => line.flow == flow,
        };
        let left: Vec<_> = self.all.values().filter(named).map(|line| line.stream).collect();
        for stream in left {
            out.extend(self.line(stream).map(|line| line.parcel(Segment::Close)));
            self.remove(stream);
        }
    }

    pub(crate) fn line(&mut self, stream: Connection) -> Option<&mut Line> {
        self.all.get_mut(self.by_stream.get(&stream)?)
    }

    /// Forgets one. The flow that failed: one that was never open has no number (see `Input::Failed`).
    pub(crate) fn remove(&mut self, stream: Connection) -> Option<Flow> {
        let line = self.all.remove(&self.by_stream.remove(&stream)?)?;
        self.aliases.retain(|_, number| *number != line.flow.connection);
        Some(match line.stage {
            Stage::Opening | Stage::Proving(By::Us) => line.flow.any_connection(),
            Stage::Proving(By::Them) | Stage::Open => line.flow,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn any(&self, flow: Flow) -> Option<u32> {
        let same = |line: &Line| line.flow.any_connection() == flow;
        let alias = || self.aliases.get(&(flow.listener, flow.peer, flow.identity)).copied();
        self.all.iter().find(|(_, line)| same(line)).map(|(number, _)| *number).or_else(alias)
    }

    fn open(&mut self, listener: &Listener, flow: Flow, out: &mut Vec<Parcel>) -> Option<u32> {
        let stream = Connection(u64::from(self.last) + 1);
        // A connection leaves from a port of the kernel's choice.
        let local = SocketAddr::new(listener.bound.ip(), 0);
        let number = self.insert(flow, stream, local, Stage::Opening)?;
        out.push(Parcel::stream(local, flow.peer, stream, Segment::Open));
        Some(number)
    }

    fn insert(
        &mut self,
        flow: Flow,
        stream: Connection,
        local: SocketAddr,
        stage: Stage,
    ) -> Option<u32> {
        if self.all.len() >= limits::CONNECTIONS {
            return None;
        }
        self.last = self.last.checked_add(1)?;
        let flow = Flow { connection: self.last, ..flow };
        let (framer, heard, held) = (Framer::default(), Vec::new(), Vec::new());
        let line = Line { flow, stream, local, framer, stage, heard, held };
        self.all.insert(self.last, line);
        self.by_stream.insert(stream, self.last);
        Some(self.last)
    }
}

impl Line {
    /// Who opened it, while nothing is proven on it.
    pub(crate) const fn proving(&self) -> Option<By> {
        match self.stage {
            Stage::Proving(by) => Some(by),
            Stage::Opening | Stage::Open => None,
        }
    }

    /// The peer has proven to be this one: what waited goes out.
    pub(crate) fn proven(&mut self, identity: Identity, out: &mut Vec<Parcel>) {
        self.flow.identity = identity;
        self.stage = Stage::Open;
        for octets in std::mem::take(&mut self.held) {
            out.push(self.parcel(Segment::Data(octets)));
        }
    }

    pub(crate) fn parcel(&self, segment: Segment) -> Parcel {
        Parcel::stream(self.local, self.flow.peer, self.stream, segment)
    }
}
