//! `Seats`: how many calls a member has at once.
//!
//! A call is counted from its INVITE on, until it fails, until a BYE passes by, until its session timer runs out, or until it has lasted
//! too long: one that is hung up without us, by a side that ignores our Record-Route, counts until then.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use machine::Time;

use super::Place;
use crate::call::Call;
use crate::limits;

/// No room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Who sits where.
#[derive(Debug, Default)]
pub(super) struct Seats {
    calls: BTreeMap<Call, (Place, Time)>,
    ends: BTreeSet<(Time, Call)>,
    taken: BTreeMap<Place, u32>,
}

impl Seats {
    /// True when nobody sits anywhere.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// How many sit there.
    pub(super) fn taken(&self, at: Place) -> u32 {
        self.taken.get(&at).copied().unwrap_or(0)
    }

    /// Where a call sits.
    pub(super) fn of(&self, call: Call) -> Option<Place> {
        self.calls.get(&call).map(|(at, _)| *at)
    }

    /// Takes a seat, until then at the latest. When there are too many calls, the one that ends first is forgotten.
    pub(super) fn take(&mut self, at: Place, call: Call, until: Time) {
        self.leave(call);
        if self.calls.len() >= limits::SEATS
            && let Some((_, first)) = self.ends.first().copied()
        {
            self.leave(first);
        }
        self.calls.insert(call, (at, until));
        self.ends.insert((until, call));
        let taken = self.taken.entry(at).or_default();
        *taken = taken.saturating_add(1);
    }

    /// It stays, until then at the latest.
    pub(super) fn keep(&mut self, call: Call, until: Time) {
        let Some((_, end)) = self.calls.get_mut(&call) else { return };
        self.ends.remove(&(*end, call));
        *end = until;
        self.ends.insert((until, call));
    }

    /// It leaves; one that does not sit anywhere changes nothing.
    pub(super) fn leave(&mut self, call: Call) {
        let Some((at, end)) = self.calls.remove(&call) else { return };
        self.ends.remove(&(end, call));
        if let Entry::Occupied(mut taken) = self.taken.entry(at) {
            *taken.get_mut() = taken.get().saturating_sub(1);
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }

    pub(super) fn wake(&mut self, now: Time) {
        while let Some((_, call)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            self.leave(call);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.ends.first().map(|(end, _)| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Place = Place { group: 0, member: 0 };
    const B: Place = Place { group: 0, member: 1 };

    #[test]
    fn who_comes_is_counted_until_it_leaves_moves_or_has_had_its_time() {
        let mut seats = Seats::default();
        seats.take(A, Call(1), Time(10));
        seats.take(A, Call(2), Time(20));
        assert_eq!((seats.taken(A), seats.taken(B)), (2, 0));
        seats.take(B, Call(1), Time(30));
        assert_eq!((seats.taken(A), seats.taken(B)), (1, 1));
        seats.leave(Call(2));
        seats.leave(Call(2));
        assert_eq!(seats.taken(A), 0);
        seats.keep(Call(1), Time(50));
        assert_eq!(seats.deadline(), Some(Time(50)));
        seats.wake(Time(49));
        assert_eq!(seats.taken(B), 1);
        seats.wake(Time(50));
        assert_eq!((seats.taken(B), seats.deadline(), seats.of(Call(1))), (0, None, None));
    }

    #[test]
    fn there_is_a_limit_and_the_one_that_ends_first_goes() {
        let mut seats = Seats::default();
        for call in 0..=limits::SEATS as u64 {
            seats.take(A, Call(call), Time(1000 + call));
        }
        assert_eq!(seats.calls.len(), limits::SEATS);
        assert_eq!(seats.ends.len(), limits::SEATS);
        assert_eq!(seats.of(Call(0)), None);
    }
}
