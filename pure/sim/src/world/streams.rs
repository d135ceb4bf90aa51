//! Streams: opened, written, cut into pieces, delivered in order, stalled, reset.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{Happening, Outage, World};
use crate::atlas::Landed;
use crate::sky::stream_delay;
use crate::stream::{Closing, End, Piece, Side, Stall, cut};
use crate::{
    Connection, Cut, Door, Fate, Host, HostId, Kind, Parcel, Segment, Sighting, Transport, Weather,
    limits,
};

impl<H: Host> World<H> {
    /// A host says something about a stream.
    pub(super) fn stream_says(
        &mut self,
        from: HostId,
        id: Connection,
        segment: Segment,
        parcel: Parcel,
    ) {
        if segment == Segment::Open {
            return self.open(from, id, parcel);
        }
        let Some((number, side)) = self.streams.find(from, id) else {
            return self.see(Some(from), None, parcel, Fate::Gone);
        };
        let closing = self.streams.live.get(&number).map(|stream| stream.line(side).closing);
        match segment {
            Segment::Data(bytes) if closing == Some(Closing::No) => self.write(number, side, bytes),
            Segment::Close if closing == Some(Closing::No) => {
                if let Some(stream) = self.streams.live.get_mut(&number) {
                    stream.line_mut(side).closing = Closing::Said;
                }
                self.push(number, side, Segment::Close);
            }
            Segment::Reset => self.reset(number, side),
            _ => self.see(Some(from), None, parcel, Fate::Gone),
        }
    }

    fn open(&mut self, from: HostId, id: Connection, mut parcel: Parcel) {
        let realm = self.sign(from, &mut parcel);
        let end = End { host: from, id, local: parcel.from, remote: parcel.to };
        let placed = realm
            .ok_or(Fate::Foreign)
            .and_then(|realm| self.atlas.climb(self.now, realm, parcel.clone()));
        let opened =
            placed.and_then(|placed| self.streams.open(end, placed).ok_or(Fate::Overflowed));
        match opened {
            Ok(number) => self.push(number, Side::Opener, Segment::Open),
            Err(fate) => {
                self.see(Some(from), None, parcel, fate);
                self.tell_soon(end, Segment::Refused);
            }
        }
    }

    fn write(&mut self, number: u64, side: Side, bytes: Bytes) {
        let weather = self.stream_weather(number, side);
        let pieces = cut(bytes.clone(), weather.cut, &mut self.dice);
        let last = pieces.len().saturating_sub(1);
        for (nth, piece) in pieces.into_iter().enumerate() {
            let whole = (nth == last).then(|| bytes.clone());
            self.push_piece(number, side, Segment::Data(piece), whole);
        }
        let full = |pipe: &mut crate::stream::Pipe| pipe.queue.len() > limits::PIECES;
        if self.streams.pipe_mut(number, side).is_some_and(full) {
            let end = self.streams.live.get(&number).and_then(|stream| stream.line(side).end);
            self.reset(number, side);
            if let Some(end) = end {
                self.tell_soon(end, Segment::Reset);
            }
        }
    }

    /// One end ends it at once; what it had under way is lost.
    fn reset(&mut self, number: u64, side: Side) {
        if let Some(pipe) = self.streams.pipe_mut(number, side) {
            pipe.queue.clear();
        }
        self.push(number, side, Segment::Reset);
        self.streams.drop_end(number, side);
    }

    /// Puts a segment into the pipe away from `side`.
    pub(super) fn push(&mut self, number: u64, side: Side, segment: Segment) {
        self.push_piece(number, side, segment, None);
    }

    fn push_piece(&mut self, number: u64, side: Side, segment: Segment, whole: Option<Bytes>) {
        let weather = self.stream_weather(number, side);
        let now = self.now;
        let octets = whole.as_ref().map_or(0, Bytes::len);
        // A slow link delays a stream; it does not lose octets of it.
        let wait = self.sky.line_up(now, self.way(number, side), octets);
        let at = now + wait + stream_delay(&weather, &mut self.dice);
        let Some(pipe) = self.streams.pipe_mut(number, side) else { return };
        pipe.queue.push_back(Piece { sent: now, at, segment, whole });
        self.agenda.plan(at, Happening::Piece(number, side));
    }

    /// Delivers what is due in the pipe away from `side`.
    pub(super) fn pump(&mut self, number: u64, side: Side) {
        let now = self.now;
        let Some(pipe) = self.streams.pipe_mut(number, side) else { return };
        if pipe.stall.is_some_and(|stall| now < stall.retry) {
            return;
        }
        if pipe.queue.front().is_none_or(|piece| piece.at > now) {
            return;
        }
        if !self.is_way_clear(number, side) {
            return self.stall(number, side);
        }
        if let Some(pipe) = self.streams.pipe_mut(number, side) {
            pipe.stall = None;
        }
        while let Some(piece) = self.next_due(number, side) {
            self.deliver(number, side, piece);
        }
        self.streams.bury(number);
    }

    /// The next piece that is due, joined with those that arrive together if the weather cuts at will.
    fn next_due(&mut self, number: u64, side: Side) -> Option<Piece> {
        let now = self.now;
        let joins = self.stream_weather(number, side).cut == Cut::Any;
        let stream = self.streams.live.get_mut(&number)?;
        let pipe = &mut stream.line_mut(side).pipe;
        pipe.queue.front().filter(|piece| piece.at <= now)?;
        let first = pipe.queue.pop_front()?;
        let Segment::Data(bytes) = &first.segment else { return Some(first) };
        let mut joined = BytesMut::from(bytes.as_ref());
        let mut sent = vec![(first.sent, first.whole)];
        while joins && self.dice.chance(50) {
            let Some(Piece { at, segment: Segment::Data(more), .. }) = pipe.queue.front() else {
                break;
            };
            if *at > now {
                break;
            }
            joined.extend_from_slice(more);
            let piece = pipe.queue.pop_front();
            sent.extend(piece.map(|piece| (piece.sent, piece.whole)));
        }
        let (from, to) = (stream.line(side).host, stream.line(side.other()).end);
        for (sent, whole) in sent {
            let (Some(whole), Some(end)) = (whole, to) else { continue };
            let segment = Segment::Data(whole);
            let parcel = Parcel::stream(end.remote, end.local, end.id, segment);
            let to = Some(end.host);
            self.tap.see(|| Sighting { sent, at: now, from, to, parcel, fate: Fate::Delivered });
        }
        let segment = Segment::Data(joined.freeze());
        Some(Piece { sent: first.sent, at: first.at, segment, whole: None })
    }

    fn deliver(&mut self, number: u64, side: Side, piece: Piece) {
        if piece.segment == Segment::Open {
            return self.accept(number, piece);
        }
        let other = side.other();
        let Some(stream) = self.streams.live.get_mut(&number) else { return };
        let sender_lives = stream.line(side).end.is_some();
        let Some(end) = stream.line(other).end else {
            // RFC 9293 §3.10.7.1: whatever comes for a stream that nobody knows is answered with a reset.
            if sender_lives && piece.segment != Segment::Reset {
                self.push(number, other, Segment::Reset);
            }
            return;
        };
        let over = match piece.segment {
            Segment::Close => {
                stream.line_mut(side).closing = Closing::Heard;
                stream.line(other).closing == Closing::Heard
            }
            Segment::Reset | Segment::Refused | Segment::TimedOut => true,
            _ => false,
        };
        if over {
            self.streams.drop_end(number, other);
        }
        if over && piece.segment == Segment::Close {
            self.streams.drop_end(number, side);
        }
        if !matches!(piece.segment, Segment::Data(_)) {
            let from = self.streams.live.get(&number).and_then(|one| one.line(side).host);
            let segment = piece.segment.clone();
            let parcel = Parcel::stream(end.remote, end.local, end.id, segment);
            let (sent, at, to) = (piece.sent, self.now, Some(end.host));
            self.tap.see(|| Sighting { sent, at, from, to, parcel, fate: Fate::Delivered });
        }
        self.tell(end, piece.segment);
    }

    /// An `Open` has come to where its address lives.
    fn accept(&mut self, number: u64, piece: Piece) {
        let Some(stream) = self.streams.live.get(&number) else { return };
        let Ok(Landed { host, parcel, mapped }) = self.atlas.descend(self.now, &stream.placed)
        else {
            return;
        };
        let door = Door { transport: Transport::Tcp, at: parcel.to };
        let listens = self
            .hosts
            .get(host.index())
            .is_some_and(|station| station.outage.is_none() && station.host.listens(door));
        let from = stream.line(Side::Opener).host;
        let fate = if listens { Fate::Delivered } else { Fate::Closed };
        let (sent, at) = (piece.sent, self.now);
        self.tap.see(|| Sighting { sent, at, from, to: Some(host), parcel: parcel.clone(), fate });
        if let Some(stream) = self.streams.live.get_mut(&number) {
            stream.line_mut(Side::Acceptor).host = Some(host);
            stream.mapped.extend(mapped);
        }
        if !listens {
            if let Some(pipe) = self.streams.pipe_mut(number, Side::Opener) {
                pipe.queue.clear();
            }
            return self.push(number, Side::Acceptor, Segment::Refused);
        }
        let Some(end) = self.streams.accept(number, host, parcel.to) else { return };
        self.push(number, Side::Acceptor, Segment::Opened);
        self.tell(end, Segment::Open);
    }

    /// Tells a host about one of its streams.
    fn tell(&mut self, end: End, segment: Segment) {
        self.hand(end.host, Parcel::stream(end.remote, end.local, end.id, segment));
    }

    /// Tells it as the next thing, since it is still speaking.
    fn tell_soon(&mut self, end: End, segment: Segment) {
        let parcel = Parcel::stream(end.remote, end.local, end.id, segment);
        self.agenda.plan(self.now, Happening::News(end.host, parcel));
    }

    /// The way is broken: try again later and later, and at last give up.
    fn stall(&mut self, number: u64, side: Side) {
        let now = self.now;
        let Some(stream) = self.streams.live.get_mut(&number) else { return };
        let connecting = side == Side::Opener && stream.line(Side::Acceptor).host.is_none();
        let patience = if connecting { limits::CONNECT_PATIENCE } else { limits::STREAM_PATIENCE };
        let pipe = &mut stream.line_mut(side).pipe;
        let fresh = Stall { since: now, retry: now, pause: limits::STREAM_RETRY / 2 };
        let mut stall = pipe.stall.unwrap_or(fresh);
        if now - stall.since >= patience {
            pipe.queue.clear();
            if let Some(end) = self.streams.drop_end(number, side) {
                self.tell(end, Segment::TimedOut);
            }
            return;
        }
        let left: Duration = patience.saturating_sub(now - stall.since);
        stall.pause = (stall.pause * 2).min(limits::STREAM_RETRY_MAX).min(left);
        stall.retry = now + stall.pause;
        pipe.stall = Some(stall);
        self.agenda.plan(stall.retry, Happening::Piece(number, side));
    }

    /// Whether anything can pass from `side` to the other now. Keeps the NATs' mappings alive if so.
    fn is_way_clear(&mut self, number: u64, side: Side) -> bool {
        let now = self.now;
        let way = self.way(number, side);
        let Some(stream) = self.streams.live.get(&number) else { return false };
        let is_open = stream.line(side).pipe.queue.front().map(|piece| &piece.segment);
        if is_open == Some(&Segment::Open) && self.atlas.descend(now, &stream.placed).is_err() {
            return false;
        }
        let out_of_power = |host: HostId| {
            let station = self.hosts.get(host.index());
            station.is_some_and(|station| station.outage == Some(Outage::Power))
        };
        if self.sky.is_parted(way) || way.1.is_some_and(out_of_power) {
            return false;
        }
        let mapped = stream.mapped.clone();
        mapped.into_iter().all(|(nat, external)| {
            self.atlas.nat_mut(nat).is_some_and(|nat| nat.keep(now, external))
        })
    }

    /// From whom to whom the pipe away from `side` leads, as far as that is known.
    fn way(&self, number: u64, side: Side) -> (Option<HostId>, Option<HostId>) {
        let Some(stream) = self.streams.live.get(&number) else { return (None, None) };
        let acceptor = stream.line(Side::Acceptor).host;
        let acceptor = acceptor.or_else(|| self.atlas.peek(self.now, &stream.placed));
        let opener = stream.line(Side::Opener).host;
        match side {
            Side::Opener => (opener, acceptor),
            Side::Acceptor => (acceptor, opener),
        }
    }

    fn stream_weather(&self, number: u64, side: Side) -> Weather {
        self.sky.weather(self.way(number, side))
    }
}

/// What is in a stream parcel, for a reader.
impl Parcel {
    /// The stream and what happens to it, if this is about one.
    pub const fn as_stream(&self) -> Option<(Connection, &Segment)> {
        match &self.kind {
            Kind::Stream(id, segment) => Some((*id, segment)),
            _ => None,
        }
    }
}
