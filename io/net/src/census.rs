//! `Census`: how many connections there are, in total and from each source, and who must go when somebody new comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::bans::Source;

use crate::plan::Crowd;

/// Counts connections over all shards, and gives each its number. It is locked when a connection is opened, says its first message, has
/// proven whose it is, or is closed; never in between.
#[derive(Clone, Debug)]
pub(crate) struct Census {
    counts: Arc<Mutex<Counts>>,
    crowd: Crowd,
}

#[derive(Debug, Default)]
struct Counts {
    last: u32,
    /// By number: the peer, and how it sits there.
    seats: HashMap<u32, (SocketAddr, Place)>,
    sources: HashMap<Source, Guests>,
    /// The sources by how many of their connections have said something, and proven nothing.
    largest: BTreeSet<(usize, Source)>,
    /// Those who have said nothing yet, and those who have only said something, oldest first.
    silent: BTreeMap<u64, u32>,
    spoken: BTreeMap<u64, u32>,
    came: u64,
}

/// The connections of one source.
#[derive(Debug, Default)]
struct Guests {
    all: usize,
    /// The same of the source.
    silent: BTreeMap<u64, u32>,
    spoken: BTreeMap<u64, u32>,
}

/// How a connection sits there.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// We opened it: it does not go for anybody.
    Ours,
    /// It came so manieth, and has said nothing.
    Silent(u64),
    /// It came so manieth, and has said something.
    Spoken(u64),
    /// It came, and has proven whose it is: it does not go either.
    Proven,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Census,
    number: u32,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// The peer opened it. Until it has said something it is the first to go.
    ByPeer,
    /// We opened it.
    ByUs,
}

/// A connection that must go, to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub number: u32,
    pub peer: SocketAddr,
}

impl Census {
    pub(crate) fn new(crowd: Crowd) -> Self {
        Self { counts: Arc::default(), crowd }
    }

    /// A place for a connection. When there is none left, somebody must go who has proven nothing (of that source, when it is the source
    /// that has too many, somebody who has said nothing): strangers who only hold places keep nobody out.
    pub(crate) fn seat(&self, peer: SocketAddr, begins: Begins) -> Option<(Seat, Option<Evicted>)> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let source = counts.sources.get(&peer.ip().into());
        let goes = if source.is_some_and(|source| source.all >= self.crowd.a_source) {
            Some(*source?.silent.first_key_value()?.1)
        } else if counts.seats.len() >= self.crowd.connections {
            let theirs = source.map_or(0, |source| source.spoken.len());
            Some(counts.first_to_go(theirs, self.crowd.connections / HANDSHAKES)?)
        } else {
            None
        };
        let evicted = match goes {
            Some(number) => Some(counts.evict(number)?),
            None => None,
        };
        let number = counts.sit(peer, begins);
        Some((Seat { census: self.clone(), number }, evicted))
    }
}

/// Of so many places one may be held by somebody who has said nothing yet, before those go: whoever is about to prove something says nothing
/// for a moment, and is not to go for somebody who only says something sooner.
const HANDSHAKES: usize = 8;

impl Counts {
    fn sit(&mut self, peer: SocketAddr, begins: Begins) -> u32 {
        // 0 is no connection; a number comes back only after all others.
        while self.last == 0 || self.seats.contains_key(&self.last) {
            self.last = self.last.wrapping_add(1);
        }
        let number = self.last;
        self.came += 1;
        let guests = self.sources.entry(peer.ip().into()).or_default();
        guests.all += 1;
        let place = match begins {
            Begins::ByUs => Place::Ours,
            Begins::ByPeer => {
                guests.silent.insert(self.came, number);
                self.silent.insert(self.came, number);
                Place::Silent(self.came)
            }
        };
        self.seats.insert(number, (peer, place));
        self.last = self.last.wrapping_add(1);
        number
    }

    /// Who goes for somebody of whose source so many have only said something. The oldest who has said nothing, when more of those are here than may be; the
    /// oldest of the source that has most of those who have said something, unless it has hardly more than the other; the oldest of all of them.
    fn first_to_go(&self, theirs: usize, silent: usize) -> Option<u32> {
        let oldest = |of: &BTreeMap<u64, u32>| of.first_key_value().map(|(_, number)| *number);
        if self.silent.len() > silent {
            return oldest(&self.silent);
        }
        let largest = self.largest.last().filter(|(count, _)| *count > theirs + 1);
        let largest = largest.and_then(|(_, source)| self.sources.get(source));
        let of_largest = largest.and_then(|source| oldest(&source.spoken));
        of_largest.or_else(|| oldest(&self.spoken)).or_else(|| oldest(&self.silent))
    }

    fn evict(&mut self, number: u32) -> Option<Evicted> {
        let peer = self.leave(number)?;
        Some(Evicted { number, peer })
    }

    fn heard(&mut self, number: u32) {
        let Some((peer, place)) = self.seats.get_mut(&number) else { return };
        let Place::Silent(came) = *place else { return };
        let source = peer.ip().into();
        let before = std::mem::replace(place, Place::Spoken(came));
        self.rise(source, before);
        self.spoken.insert(came, number);
        let Some(guests) = self.sources.get_mut(&source) else { return };
        guests.spoken.insert(came, number);
        let count = guests.spoken.len();
        self.rank(source, (count - 1, count));
    }

    fn proven(&mut self, number: u32) {
        let Some((peer, place)) = self.seats.get_mut(&number) else { return };
        if let Place::Silent(_) | Place::Spoken(_) = *place {
            let source = peer.ip().into();
            let before = std::mem::replace(place, Place::Proven);
            self.rise(source, before);
        }
    }

    fn leave(&mut self, number: u32) -> Option<SocketAddr> {
        let (peer, place) = self.seats.remove(&number)?;
        let source = peer.ip().into();
        self.rise(source, place);
        let guests = self.sources.get_mut(&source)?;
        guests.all = guests.all.saturating_sub(1);
        if guests.all == 0 {
            self.sources.remove(&source);
        }
        Some(peer)
    }

    /// Somebody sits there no more.
    fn rise(&mut self, source: Source, place: Place) {
        let Some(guests) = self.sources.get_mut(&source) else { return };
        match place {
            Place::Ours | Place::Proven => {}
            Place::Silent(came) => {
                self.silent.remove(&came);
                guests.silent.remove(&came);
            }
            Place::Spoken(came) => {
                self.spoken.remove(&came);
                guests.spoken.remove(&came);
                let count = guests.spoken.len();
                self.rank(source, (count + 1, count));
            }
        }
    }

    /// So many of a source have said something now, and so many had.
    fn rank(&mut self, source: Source, (before, count): (usize, usize)) {
        self.largest.remove(&(before, source));
        if count > 0 {
            self.largest.insert((count, source));
        }
    }
}

impl Seat {
    /// The number of the connection: no two that are open have the same, over all shards.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// The peer has said something: it is not the first to go any more.
    pub(crate) fn heard(&self) {
        self.census.counts.lock().unwrap_or_else(PoisonError::into_inner).heard(self.number);
    }

    /// The peer has proven whose it is: it does not go any more.
    pub(crate) fn proven(&self) {
        self.census.counts.lock().unwrap_or_else(PoisonError::into_inner).proven(self.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(host: u8, port: u16) -> SocketAddr {
        ([127, 0, 0, host], port).into()
    }

    fn census() -> Census {
        Census::new(Crowd { connections: 3, a_source: 2, ..Crowd::default() })
    }

    #[test]
    fn those_who_have_proven_something_keep_their_seats() {
        let census = census();
        let sit = |peer| {
            census.seat(peer, Begins::ByPeer).map(|(seat, evicted)| {
                seat.proven();
                assert_eq!(evicted, None);
                seat
            })
        };
        let one = sit(peer(1, 1)).unwrap();
        let _two = sit(peer(1, 2)).unwrap();
        assert!(sit(peer(1, 3)).is_none(), "the source has two");
        let _three = sit(peer(2, 1)).unwrap();
        assert!(sit(peer(2, 2)).is_none(), "there are three in all");
        drop(one);
        assert!(sit(peer(1, 4)).is_some());
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.seats.len(), counts.sources.len(), counts.silent.len()), (2, 2, 0));
    }

    /// One host has a whole /64, and no more places than any other.
    #[test]
    fn addresses_of_one_network_are_one_source() {
        let census = census();
        let sit = |host: u16| {
            let peer = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, host], 5060));
            let (seat, _) = census.seat(peer, Begins::ByPeer)?;
            seat.heard();
            Some(seat)
        };
        let _two = [sit(1).unwrap(), sit(2).unwrap()];
        assert!(sit(3).is_none());
    }

    /// Whoever has most places gives one to whoever has none, though all have said something.
    #[test]
    fn to_have_said_something_keeps_nobody_else_out() {
        let census = Census::new(Crowd { connections: 4, a_source: 3, ..Crowd::default() });
        let sit = |peer| {
            let (seat, evicted) = census.seat(peer, Begins::ByPeer)?;
            seat.heard();
            Some((seat, evicted))
        };
        let (one, _) = sit(peer(1, 1)).unwrap();
        let more = [sit(peer(1, 2)).unwrap().0, sit(peer(1, 3)).unwrap().0];
        let other = sit(peer(2, 1)).unwrap().0;
        let (new, evicted) = sit(peer(3, 1)).unwrap();
        assert_eq!(evicted, Some(Evicted { number: one.number(), peer: peer(1, 1) }));
        drop(one);
        // Now they have two, one and one.
        let (last, evicted) = sit(peer(4, 1)).unwrap();
        assert_eq!(evicted, Some(Evicted { number: more[0].number(), peer: peer(1, 2) }));
        drop((more, other, new, last));
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.seats.len(), counts.sources.len(), counts.largest.len()), (0, 0, 0));
    }

    /// A crowd of strangers with one connection each has said something on all places: who comes takes the oldest one, and whoever has proven
    /// something meanwhile keeps its own.
    #[test]
    fn a_crowd_with_one_place_each_keeps_nobody_out() {
        let census = Census::new(Crowd { connections: 16, a_source: 8, ..Crowd::default() });
        let sit = |peer| census.seat(peer, Begins::ByPeer).unwrap();
        let spoken = |peer| {
            let (seat, evicted) = sit(peer);
            seat.heard();
            (seat, evicted.map(|evicted| evicted.peer))
        };
        let mut crowd: Vec<_> = (1..=16).map(|host| spoken(peer(host, 1)).0).collect();
        let mut phones = Vec::new();
        // Phones of one office, each of which says nothing for a moment, and then what it has to prove takes a while.
        for nth in 1..=7_u8 {
            let (phone, evicted) = sit(peer(100, nth.into()));
            let next = 2 * nth - 1;
            assert_eq!(evicted.map(|evicted| evicted.peer), Some(peer(next, 1)));
            let (stranger, evicted) = spoken(peer(100 + nth, 1));
            assert_eq!(evicted, Some(peer(next + 1, 1)), "and not the phone");
            phone.heard();
            phone.proven();
            phones.push(phone);
            crowd.push(stranger);
        }
        let more: Vec<_> = (1..=100).map(|host| spoken(peer(host, 2))).collect();
        let evicted: Vec<_> = more.iter().filter_map(|(_, evicted)| *evicted).collect();
        assert_eq!(evicted.len(), 100);
        let is_there =
            |seat: &Seat| census.counts.lock().unwrap().seats.contains_key(&seat.number());
        assert!(phones.iter().all(is_there));
        drop((crowd, phones, more));
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.seats.len(), counts.sources.len(), counts.spoken.len()), (0, 0, 0));
        assert!(counts.largest.is_empty() && counts.silent.is_empty());
    }

    #[test]
    fn the_oldest_who_has_said_nothing_makes_room() {
        let census = census();
        let sit = |peer| census.seat(peer, Begins::ByPeer).unwrap();
        let (one, _) = sit(peer(1, 1));
        let (two, _) = sit(peer(1, 2));
        // The source has two: its own oldest goes, though it is heard of only when the seat is dropped.
        let (three, evicted) = sit(peer(1, 3));
        assert_eq!(evicted, Some(Evicted { number: one.number(), peer: peer(1, 1) }));
        drop(one);
        // There are three in all: the oldest of all goes, but not who has spoken, nor whom we called.
        two.heard();
        let (four, _) = census.seat(peer(2, 1), Begins::ByUs).unwrap();
        let (five, evicted) = sit(peer(3, 1));
        assert_eq!(evicted, Some(Evicted { number: three.number(), peer: peer(1, 3) }));
        let mut numbers = [two.number(), four.number(), five.number()];
        numbers.sort_unstable();
        assert_eq!(census.counts.lock().unwrap().seats.len(), 3);
        assert!(numbers.is_sorted_by(|a, b| a < b) && numbers[0] != 0);
        drop((two, three, four, five));
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.seats.len(), counts.sources.len(), counts.silent.len()), (0, 0, 0));
    }
}
