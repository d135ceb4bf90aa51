//! `Acknowledged`: INVITEs that came in datagrams, were refused, and whose ACK has come. For 5 s repeats of either end here (RFC 3261 §17.2.1, timer
//! I), and for that a number and a time are enough.

use std::collections::VecDeque;

use machine::{Index, Time};

use super::key::Key;
use crate::limits;

/// All of them, in the order of their ends: each waits equally long.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    /// By their keys: where each stands, counted from the first that ever was.
    places: Index,
    waits: VecDeque<(Key, Time)>,
    /// How many were forgotten. It begins anew long after all of that number are.
    forgotten: u32,
}

impl Acknowledged {
    /// Keeps one. When there are too many, the oldest is forgotten.
    pub(super) fn keep(&mut self, key: Key, until: Time) {
        if self.waits.len() >= limits::TRANSACTIONS {
            self.forget_first();
        }
        let place = self.forgotten.wrapping_add(self.waits.len() as u32);
        self.waits.push_back((key, until));
        let (forgotten, waits) = (self.forgotten, &self.waits);
        self.places.insert(hash(key), place, |place| {
            at(waits, forgotten, place).map_or(0, |(key, _)| hash(key))
        });
    }

    /// Is it one of them?
    pub(super) fn has(&self, now: Time, key: Key) -> bool {
        let is_it = |place| {
            at(&self.waits, self.forgotten, place)
                .is_some_and(|(other, until)| other == key && until > now)
        };
        self.places.find(hash(key), is_it).is_some()
    }

    /// Forgets those whose time is over.
    pub(super) fn forget(&mut self, now: Time) {
        while self.deadline().is_some_and(|until| until <= now) {
            self.forget_first();
        }
    }

    /// When the next one is over.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.waits.front().map(|(_, until)| *until)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.waits.len()
    }

    fn forget_first(&mut self) {
        let Some((key, _)) = self.waits.pop_front() else { return };
        self.places.remove(hash(key), self.forgotten);
        self.forgotten = self.forgotten.wrapping_add(1);
        if self.waits.is_empty() {
            (self.places, self.waits) = Default::default();
        }
    }
}

/// A key was hashed when it was made.
const fn hash(key: Key) -> u64 {
    key as u64
}

fn at(waits: &VecDeque<(Key, Time)>, forgotten: u32, place: u32) -> Option<(Key, Time)> {
    waits.get(place.wrapping_sub(forgotten) as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_known_until_its_time_and_then_nothing_is_left() {
        for forgotten in [0, u32::MAX - 9] {
            let mut acknowledged = Acknowledged { forgotten, ..Acknowledged::default() };
            let key = |number: u64| Key::from(number) << 40 | 1;
            (0..5000).for_each(|number| acknowledged.keep(key(number), Time(1000 + number)));
            assert!((0..5000).all(|number| acknowledged.has(Time(999 + number), key(number))));
            assert!((0..5000).all(|number| !acknowledged.has(Time(1000 + number), key(number))));
            acknowledged.forget(Time(3000));
            assert_eq!((acknowledged.len(), acknowledged.deadline()), (2999, Some(Time(3001))));
            assert!(!acknowledged.has(Time(0), key(2000)) && acknowledged.has(Time(0), key(2001)));
            acknowledged.forget(Time(9000));
            assert_eq!((acknowledged.len(), acknowledged.places.len()), (0, 0));
        }
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut acknowledged = Acknowledged::default();
        (0..=limits::TRANSACTIONS).for_each(|number| acknowledged.keep(number as Key, Time(9)));
        assert_eq!(acknowledged.len(), limits::TRANSACTIONS);
        assert!(!acknowledged.has(Time(0), 0) && acknowledged.has(Time(0), 1));
    }
}
