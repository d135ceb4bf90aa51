//! `Sources`: how much each source begins. Whoever is in time again is not remembered, so it helps nobody to come from a million
//! addresses: they push out nobody who is watched.

use std::collections::VecDeque;

use machine::{HashKey, Map, Time};
use protocol::bans::Source;

use super::pace::Pace;
use crate::limits;

/// Sources that have begun something lately.
#[derive(Debug)]
pub(crate) struct Sources {
    due: Map<Source, Time>,
    /// All of them, in the order in which they are looked at for who may be forgotten.
    round: VecDeque<Source>,
    /// When there is no room, all newcomers together are as one.
    others: Time,
}

/// Sources looked at for each that is new: more than one, so the table empties faster than it fills.
const LOOKED_AT: usize = 4;

impl Sources {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { due: key.map(), round: VecDeque::new(), others: Time::default() }
    }

    /// Lets a source begin one more thing, unless it is too fast.
    pub(crate) fn lets(&mut self, now: Time, source: Source, pace: Pace) -> bool {
        if let Some(due) = self.due.get_mut(&source) {
            return pace.lets(now, due);
        }
        self.forget(now);
        if self.due.len() >= limits::SOURCES {
            return pace.lets(now, &mut self.others);
        }
        let mut due = Time::default();
        let may = pace.lets(now, &mut due);
        self.due.insert(source, due);
        self.round.push_back(source);
        may
    }

    fn forget(&mut self, now: Time) {
        for _ in 0..LOOKED_AT {
            let Some(source) = self.round.pop_front() else { return };
            if self.due.get(&source).is_some_and(|due| *due > now) {
                self.round.push_back(source);
            } else {
                self.due.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn source(number: u32) -> Source {
        std::net::IpAddr::from(Ipv4Addr::from_bits(number)).into()
    }

    #[test]
    fn who_is_too_fast_is_stopped_and_nobody_else() {
        let mut sources = Sources::new(HashKey::of(1));
        let pace = Pace::of(10, 5);
        let at = |millis: u64| Time(1_000_000_000 + millis * 1_000_000);
        let passed = |sources: &mut Sources, who, millis, tries| {
            (0..tries).filter(|_| sources.lets(at(millis), source(who), pace)).count()
        };
        assert_eq!(passed(&mut sources, 1, 0, 100), 5, "so many at once");
        assert_eq!(passed(&mut sources, 1, 1000, 100), 5, "no more after a second of silence");
        assert_eq!(passed(&mut sources, 1, 1100, 100), 1, "and one in each tenth of one");
        assert_eq!(passed(&mut sources, 2, 1100, 100), 5);
    }

    /// One host has a whole /64, and no more than its pace.
    #[test]
    fn addresses_of_one_network_are_one_source() {
        let mut sources = Sources::new(HashKey::of(1));
        let passed = (0..1000_u128).filter(|host| {
            let ip = Ipv6Addr::from_bits((0x2001_0db8 << 96) | host);
            sources.lets(Time(1), std::net::IpAddr::from(ip).into(), Pace::of(1, 3))
        });
        assert_eq!(passed.count(), 3);
    }

    /// A million others do not make us forget who is too fast; and when all of them are, the rest is as one.
    #[test]
    fn a_crowd_hides_nobody_and_the_table_stays_small() {
        let mut sources = Sources::new(HashKey::of(1));
        let pace = Pace::of(1, 100);
        let mut now = Time(1_000_000_000);
        assert_eq!((0..1000).filter(|_| sources.lets(now, source(7), pace)).count(), 100);
        for number in 0..1_000_000 {
            now = Time(now.0 + 10_000);
            sources.lets(now, source(1_000_000 + number), pace);
            assert!(sources.due.len() <= limits::SOURCES);
        }
        assert_eq!(sources.round.len(), sources.due.len());
        // Ten seconds are gone, and ninety things are still before their time.
        assert_eq!((0..1000).filter(|_| sources.lets(now, source(7), pace)).count(), 10);
        // All are full: newcomers share.
        let slow = Pace::of(1, 1_000_000);
        for number in 0..limits::SOURCES as u32 + 10 {
            sources.lets(now, source(number), slow);
            sources.lets(now, source(number), slow);
        }
        assert_eq!(sources.due.len(), limits::SOURCES);
    }
}
