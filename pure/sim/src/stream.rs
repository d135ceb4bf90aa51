//! `Stream`: an ordered, reliable connection between two hosts, and what is under way in it (RFC 9293, from afar).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use machine::{Dice, Time};

use crate::atlas::Placed;
use crate::{Connection, Cut, HostId, NatId, Segment, limits};

/// All streams of a world.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) live: BTreeMap<u64, Stream>,
    ends: BTreeMap<(HostId, Connection), (u64, Side)>,
    made: u64,
}

/// Which end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that opened it.
    Opener,
    /// The one that it was opened to.
    Acceptor,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Where the opener's parcels go: realm and addresses beyond its own NATs.
    pub(crate) placed: Placed,
    /// External endpoints in the NATs on the way; when one is forgotten, the way is broken.
    pub(crate) mapped: Vec<(NatId, SocketAddr)>,
    opener: Line,
    acceptor: Line,
}

/// One end, and the pipe away from it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) end: Option<End>,
    pub(crate) pipe: Pipe,
    /// The host of this end, which is known even when the end is gone.
    pub(crate) host: Option<HostId>,
    /// How far it is in saying that it will send no more.
    pub(crate) closing: Closing,
}

/// How far an end is in closing its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Closing {
    /// It may still send.
    #[default]
    No,
    /// Its `Close` is under way.
    Said,
    /// Its `Close` has arrived.
    Heard,
}

/// A stream as one host knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) host: HostId,
    pub(crate) id: Connection,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// What is under way in one direction. A piece that would arrive before those ahead of it waits for them.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) queue: VecDeque<Piece>,
    pub(crate) stall: Option<Stall>,
}

/// One piece under way.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) sent: Time,
    pub(crate) at: Time,
    pub(crate) segment: Segment,
    /// On the last piece of a write, the write: for the tap.
    pub(crate) whole: Option<Bytes>,
}

/// A direction that finds the way broken, and tries again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) since: Time,
    pub(crate) retry: Time,
    pub(crate) pause: Duration,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Opener => Self::Acceptor,
            Self::Acceptor => Self::Opener,
        }
    }
}

impl Streams {
    /// A new stream away from `end`; `None` when there are too many.
    pub(crate) fn open(&mut self, end: End, placed: Placed) -> Option<u64> {
        if self.live.len() >= limits::STREAMS || self.ends.contains_key(&(end.host, end.id)) {
            return None;
        }
        let number = self.made;
        self.made = self.made.wrapping_add(1);
        let opener = Line { end: Some(end), host: Some(end.host), ..Line::default() };
        let mapped = placed.mapped.clone();
        let stream = Stream { placed, mapped, opener, acceptor: Line::default() };
        self.ends.insert((end.host, end.id), (number, Side::Opener));
        self.live.insert(number, stream);
        Some(number)
    }

    /// The other end is there now.
    pub(crate) fn accept(&mut self, number: u64, host: HostId, local: SocketAddr) -> Option<End> {
        let stream = self.live.get_mut(&number)?;
        let remote = stream.placed.parcel.from;
        let end = End { host, id: Connection::accepted(number), local, remote };
        stream.acceptor.end = Some(end);
        stream.acceptor.host = Some(host);
        self.ends.insert((host, end.id), (number, Side::Acceptor));
        Some(end)
    }

    pub(crate) fn find(&self, host: HostId, id: Connection) -> Option<(u64, Side)> {
        self.ends.get(&(host, id)).copied()
    }

    /// All ends at a host, in order.
    pub(crate) fn at(&self, host: HostId) -> Vec<(u64, Side)> {
        let range = (host, Connection(0))..=(host, Connection(u64::MAX));
        self.ends.range(range).map(|(_, end)| *end).collect()
    }

    /// One end knows the stream no more. When both are gone and nothing is under way, so is the stream.
    pub(crate) fn drop_end(&mut self, number: u64, side: Side) -> Option<End> {
        let stream = self.live.get_mut(&number)?;
        let end = stream.line_mut(side).end.take();
        if let Some(end) = end {
            self.ends.remove(&(end.host, end.id));
        }
        self.bury(number);
        end
    }

    /// Forgets a stream that has no end and nothing under way.
    pub(crate) fn bury(&mut self, number: u64) {
        let dead = |line: &Line| line.end.is_none() && line.pipe.queue.is_empty();
        if self.live.get(&number).is_some_and(|one| dead(&one.opener) && dead(&one.acceptor)) {
            self.live.remove(&number);
        }
    }

    pub(crate) fn pipe_mut(&mut self, number: u64, side: Side) -> Option<&mut Pipe> {
        self.live.get_mut(&number).map(|stream| &mut stream.line_mut(side).pipe)
    }
}

impl Stream {
    pub(crate) const fn line(&self, side: Side) -> &Line {
        match side {
            Side::Opener => &self.opener,
            Side::Acceptor => &self.acceptor,
        }
    }

    pub(crate) const fn line_mut(&mut self, side: Side) -> &mut Line {
        match side {
            Side::Opener => &mut self.opener,
            Side::Acceptor => &mut self.acceptor,
        }
    }
}

/// Cuts one write into the pieces that the weather wants.
pub(crate) fn cut(mut bytes: Bytes, how: Cut, dice: &mut Dice) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() && (pieces.len() as u64) < limits::CUTS {
        let length = bytes.len() as u64;
        let piece = match how {
            Cut::Whole => length,
            Cut::Octets => 1,
            // Half of them short, so that cuts in the middle of a header are as usual as cuts in a body.
            Cut::Any if dice.chance(50) => 1 + dice.below(length.min(16)),
            Cut::Any => 1 + dice.below(length),
        };
        pieces.push(bytes.split_to(usize::try_from(piece).unwrap_or(bytes.len())));
    }
    if !bytes.is_empty() {
        pieces.push(bytes);
    }
    pieces
}
