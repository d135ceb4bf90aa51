//! Connections: streams of the world, numbered as flows (RFC 3261 §18.1.1, §18.2.2).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use protocol::{Flow, Listener};
use sim::{Connection, Parcel, Segment};
use sip::Bytes;
use sip::stream::Framer;

use crate::limits;

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) flow: Flow,
    stream: Connection,
    local: SocketAddr,
    pub(crate) framer: Framer,
    stage: Stage,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
}

/// All connections of an actor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    all: BTreeMap<u32, Line>,
    by_stream: BTreeMap<Connection, u32>,
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
        let Some(line) = number.and_then(|number| self.all.get(&number)) else { return false };
        out.push(line.parcel(Segment::Data(octets)));
        true
    }

    /// A peer has opened one.
    pub(crate) fn accept(&mut self, listener: &Listener, parcel: &Parcel, stream: Connection) {
        let transport = listener.transport;
        let flow = Flow { transport, listener: listener.number, connection: 0, peer: parcel.from };
        self.insert(flow, stream, parcel.to, Stage::Open);
    }

    /// The peer has accepted the one that we opened.
    pub(crate) fn opened(&mut self, stream: Connection) {
        if let Some(line) = self.by_stream.get(&stream).and_then(|number| self.all.get_mut(number))
        {
            line.stage = Stage::Open;
        }
    }

    pub(crate) fn line(&mut self, stream: Connection) -> Option<&mut Line> {
        self.all.get_mut(self.by_stream.get(&stream)?)
    }

    /// Forgets one. The flow that failed: one that was never open has no number (see `Input::Failed`).
    pub(crate) fn remove(&mut self, stream: Connection) -> Option<Flow> {
        let line = self.all.remove(&self.by_stream.remove(&stream)?)?;
        Some(match line.stage {
            Stage::Opening => line.flow.any_connection(),
            Stage::Open => line.flow,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    fn any(&self, flow: Flow) -> Option<u32> {
        let same = |line: &Line| line.flow.any_connection() == flow;
        self.all.iter().find(|(_, line)| same(line)).map(|(number, _)| *number)
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
        let line = Line { flow, stream, local, framer: Framer::default(), stage };
        self.all.insert(self.last, line);
        self.by_stream.insert(stream, self.last);
        Some(self.last)
    }
}

impl Line {
    pub(crate) fn parcel(&self, segment: Segment) -> Parcel {
        Parcel::stream(self.local, self.flow.peer, self.stream, segment)
    }
}
