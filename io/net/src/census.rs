//! `Census`: how many connections there are, in total and from each source, and who must go when somebody new comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::bans::Source;

use crate::plan::Crowd;

/// Counts connections over all shards, and gives each its number. It is locked when a connection is opened, says its first message, or
/// is closed; never in between.
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
    /// The sources by how many of their connections have said something.
    largest: BTreeSet<(usize, Source)>,
    /// Those who have said nothing yet, oldest first.
    silent: BTreeMap<u64, u32>,
    came: u64,
}

/// The connections of one source.
#[derive(Debug, Default)]
struct Guests {
    all: usize,
    /// Those who have said nothing yet, and those who have, oldest first.
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

    /// A place for a connection. When there is none left, the oldest that has said nothing must go (of that source, when it is the
    /// source that has too many): strangers who only hold places keep nobody out. When all have said something, the oldest goes of the
    /// source that has most of them, unless that one has hardly more than the source of whoever comes: to say something is no merit.
    pub(crate) fn seat(&self, peer: SocketAddr, begins: Begins) -> Option<(Seat, Option<Evicted>)> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let source = counts.sources.get(&peer.ip().into());
        let theirs = source.map_or(0, |source| source.all);
        let goes = if theirs >= self.crowd.a_source {
            Some(*source?.silent.first_key_value()?.1)
        } else if counts.seats.len() >= self.crowd.connections {
            let silent = counts.silent.first_key_value().map(|(_, number)| *number);
            Some(silent.or_else(|| counts.oldest_of_the_largest(theirs))?)
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

    /// Of the source of which most have said something the one that came first, when those are more than one more than so many.
    fn oldest_of_the_largest(&self, than: usize) -> Option<u32> {
        let (_, source) = self.largest.last().filter(|(count, _)| *count > than + 1)?;
        self.sources.get(source)?.spoken.first_key_value().map(|(_, number)| *number)
    }

    fn evict(&mut self, number: u32) -> Option<Evicted> {
        let peer = self.leave(number)?;
        Some(Evicted { number, peer })
    }

    fn heard(&mut self, number: u32) {
        let Some((peer, place)) = self.seats.get_mut(&number) else { return };
        let Place::Silent(came) = *place else { return };
        *place = Place::Spoken(came);
        self.silent.remove(&came);
        let source = peer.ip().into();
        if let Some(guests) = self.sources.get_mut(&source) {
            guests.silent.remove(&came);
            let before = guests.spoken.len();
            guests.spoken.insert(came, number);
            self.largest.remove(&(before, source));
            self.largest.insert((before + 1, source));
        }
    }

    fn leave(&mut self, number: u32) -> Option<SocketAddr> {
        let (peer, place) = self.seats.remove(&number)?;
        let source = peer.ip().into();
        let guests = self.sources.get_mut(&source)?;
        guests.all = guests.all.saturating_sub(1);
        match place {
            Place::Ours => {}
            Place::Silent(came) => {
                self.silent.remove(&came);
                guests.silent.remove(&came);
            }
            Place::Spoken(came) => {
                let before = guests.spoken.len();
                guests.spoken.remove(&came);
                self.largest.remove(&(before, source));
                if before > 1 {
                    self.largest.insert((before - 1, source));
                }
            }
        }
        if guests.all == 0 {
            self.sources.remove(&source);
        }
        Some(peer)
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
    fn those_who_have_said_something_keep_their_seats() {
        let census = census();
        let sit = |peer| {
            census.seat(peer, Begins::ByPeer).map(|(seat, evicted)| {
                seat.heard();
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
        // Now they have two, one and one. Who has one does not get a second one for it, and who has none does.
        assert!(sit(peer(2, 2)).is_none());
        let (last, evicted) = sit(peer(4, 1)).unwrap();
        assert_eq!(evicted, Some(Evicted { number: more[0].number(), peer: peer(1, 2) }));
        assert!(sit(peer(5, 1)).is_none(), "each has one");
        drop((more, other, new, last));
        let counts = census.counts.lock().unwrap();
        assert_eq!((counts.seats.len(), counts.sources.len(), counts.largest.len()), (0, 0, 0));
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
