//! `Counts`: which counts were used with which nonce: each is good once (RFC 7616 §3.4, `nc`; §5.5 and §5.12, replays).

use std::collections::VecDeque;
use std::time::Duration;

use machine::{Dice, HashKey, Index, Time};

use crate::limits;

/// The counts of the nonces that one shard has made. Nothing is kept of a nonce until a right answer comes with it.
#[derive(Debug)]
pub struct Counts {
    life: Duration,
    /// Makes the numbers of nonces.
    key: HashKey,
    /// By the numbers of nonces: where each stands, counted from the first that ever was.
    places: Index,
    /// In the order in which they came.
    used: VecDeque<Used>,
    /// How many have gone from before them. It begins anew long after all of that number have.
    gone: u32,
    /// The youngest nonce that was forgotten to make room: what is as old, and not remembered, may have been used.
    forgotten: Time,
}

/// A nonce that was used.
#[derive(Clone, Copy, Debug)]
struct Used {
    nonce: u128,
    made: Time,
    window: Window,
}

/// The highest count that was used, and which of the 64 below it, for requests that overtook each other.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Counts {
    /// Nothing used yet; nonces live for `life`.
    pub fn new(life: Duration, dice: &mut Dice) -> Self {
        let (key, forgotten) = (HashKey::throw(dice), Time::default());
        Self { life, key, places: Index::default(), used: VecDeque::new(), gone: 0, forgotten }
    }

    /// Uses a count of a nonce of ours that was made at `made`; `false` when that was done before, or when nobody can tell any more. Only after a right answer:
    /// what is wrong uses nothing up.
    pub fn spend(&mut self, now: Time, made: Time, (nonce, count): (&str, u32)) -> bool {
        self.forget(now);
        let nonce = self.key.number([nonce.as_bytes()]);
        let stands = |place: u32| place.wrapping_sub(self.gone) as usize;
        let is_it = |place| self.used.get(stands(place)).is_some_and(|used| used.nonce == nonce);
        if let Some(at) = self.places.find(hash(nonce), is_it).map(stands) {
            return self.used.get_mut(at).is_some_and(|used| used.window.spend(count));
        }
        // A nonce begins with count 1. One that comes with more was forgotten, or its first uses were lost on the way.
        if count == 0 || count > limits::NONCE_GAP || made <= self.forgotten {
            return false;
        }
        let mut window = Window::default();
        window.spend(count);
        let (used, gone) = (&self.used, self.gone);
        let hash_of = |place: u32| {
            let used = used.get(place.wrapping_sub(gone) as usize);
            used.map_or(0, |used| hash(used.nonce))
        };
        self.places.insert(hash(nonce), gone.wrapping_add(used.len() as u32), hash_of);
        self.used.push_back(Used { nonce, made, window });
        true
    }

    /// Forgets what is too old to be used again, and the oldest when there is no room.
    fn forget(&mut self, now: Time) {
        while let Some(Used { nonce, made, .. }) = self.used.front().copied() {
            let old = made + self.life < now;
            if !old && self.used.len() < limits::NONCES {
                return;
            }
            if !old {
                self.forgotten = self.forgotten.max(made);
            }
            self.places.remove(hash(nonce), self.gone);
            self.used.pop_front();
            self.gone = self.gone.wrapping_add(1);
        }
    }
}

/// A number was hashed when it was made.
const fn hash(nonce: u128) -> u64 {
    nonce as u64
}

impl Window {
    /// `false` for a count that was used, or is too far behind to tell.
    fn spend(&mut self, count: u32) -> bool {
        if let Some(ahead) = count.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let bit = 1_u64.checked_shl(self.highest - count).unwrap_or(0);
        let new = bit != 0 && self.seen & bit == 0 && count > 0;
        self.seen |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    #[test]
    fn trap_34_a_count_is_good_once_also_out_of_order() {
        let mut counts = Counts::new(LIFE, &mut Dice::new(1));
        let mut spend = |count| counts.spend(Time(2), Time(1), ("n", count));
        for count in [1, 3, 2, 10] {
            assert!(spend(count), "{count}");
            assert!(!spend(count), "{count}");
        }
        assert!(spend(200));
        assert!(!spend(9) && !spend(136), "too far behind to tell");
        assert!(spend(137) && !spend(137) && !spend(0));
        assert!(spend(u32::MAX) && !spend(200));
    }

    #[test]
    fn a_nonce_begins_with_a_low_count() {
        let mut counts = Counts::new(LIFE, &mut Dice::new(1));
        let mut spend = |nonce, count| counts.spend(Time(2), Time(1), (nonce, count));
        assert!(!spend("a", 0) && !spend("a", limits::NONCE_GAP + 1) && !spend("a", u32::MAX));
        assert!(spend("b", limits::NONCE_GAP));
    }

    #[test]
    fn what_had_to_be_forgotten_is_not_taken_again() {
        let mut counts = Counts::new(LIFE, &mut Dice::new(1));
        let most = u64::try_from(limits::NONCES).unwrap();
        for at in 1..=most + 10 {
            assert!(counts.spend(Time(at), Time(at), (&at.to_string(), 1)));
        }
        assert_eq!((counts.used.len(), counts.places.len()), (limits::NONCES, limits::NONCES));
        assert!(!counts.spend(Time(most), Time(10), ("10", 1)), "forgotten, not new");
        assert!(!counts.spend(Time(most), Time(11), ("11", 1)), "used");
        assert!(counts.spend(Time(most + 11), Time(most + 11), ("new", 1)));
        assert!(counts.spend(Time(1) + 2 * LIFE, Time(1) + 2 * LIFE, ("later", 1)));
        assert_eq!(counts.used.len(), 1, "what is too old to be used needs no memory");
        assert_eq!(counts.places.len(), 1);
    }
}
