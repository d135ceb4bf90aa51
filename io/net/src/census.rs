//! `Census`: how many connections there are, in total and from each source, and who must go when somebody new comes.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// By number: the peer, and its place among those who have said nothing yet.
    seats: HashMap<u32, (SocketAddr, Option<u64>)>,
    sources: HashMap<IpAddr, Source>,
    /// Those who have said nothing yet, oldest first.
    silent: BTreeMap<u64, u32>,
    came: u64,
}

#[derive(Debug, Default)]
struct Source {
    all: usize,
    silent: BTreeMap<u64, u32>,
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
    /// source that has too many): strangers who only hold places keep nobody out. `None` when everybody there has said something.
    pub(crate) fn seat(&self, peer: SocketAddr, begins: Begins) -> Option<(Seat, Option<Evicted>)> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let source = counts.sources.get(&peer.ip());
        let evicted = if source.is_some_and(|source| source.all >= self.crowd.a_source) {
            let oldest = source.and_then(|source| source.silent.first_key_value());
            let number = *oldest?.1;
            Some(counts.evict(number)?)
        } else if counts.seats.len() >= self.crowd.connections {
            let number = *counts.silent.first_key_value()?.1;
            Some(counts.evict(number)?)
        } else {
            None
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
        let silent = (begins == Begins::ByPeer).then_some(self.came);
        let source = self.sources.entry(peer.ip()).or_default();
        source.all += 1;
        if let Some(place) = silent {
            source.silent.insert(place, number);
            self.silent.insert(place, number);
        }
        self.seats.insert(number, (peer, silent));
        self.last = self.last.wrapping_add(1);
        number
    }

    fn evict(&mut self, number: u32) -> Option<Evicted> {
        let peer = self.leave(number)?;
        Some(Evicted { number, peer })
    }

    fn heard(&mut self, number: u32) {
        let Some((peer, silent)) = self.seats.get_mut(&number) else { return };
        let Some(place) = silent.take() else { return };
        self.silent.remove(&place);
        if let Some(source) = self.sources.get_mut(&peer.ip()) {
            source.silent.remove(&place);
        }
    }

    fn leave(&mut self, number: u32) -> Option<SocketAddr> {
        self.heard(number);
        let (peer, _) = self.seats.remove(&number)?;
        if let Some(source) = self.sources.get_mut(&peer.ip()) {
            source.all = source.all.saturating_sub(1);
            if source.all == 0 {
                self.sources.remove(&peer.ip());
            }
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
