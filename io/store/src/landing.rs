//! `Landing`: which batches are not in the table yet, and which of their records are still the newest of their key.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

use machine::Halves;

use crate::limits;

/// What lies in batches. The table is older than all of them, and each is older than the next.
#[derive(Debug, Default)]
pub(crate) struct Landing {
    batches: VecDeque<Batch>,
    /// By the hash of a key the batch that has said something of it last. Of the few hundred thousand keys that there are here two have one hash
    /// in one of some billion lives; what was said of one of them would then stay unread.
    newest: Halves<i64>,
    hasher: RandomState,
    octets: usize,
    last: i64,
}

/// One batch.
#[derive(Clone, Copy, Debug)]
struct Batch {
    number: i64,
    octets: usize,
    /// Of how many keys it has said the last.
    newest: usize,
}

impl Landing {
    /// True when everything is in the table.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The number of the next batch.
    pub(crate) const fn next(&self) -> i64 {
        self.last.saturating_add(1)
    }

    /// The oldest batches, which must go into the table so that so many octets more have room.
    pub(crate) fn too_much(&self, more: usize) -> Vec<i64> {
        let mut octets = self.octets.saturating_add(more);
        let oldest = self.batches.iter().take_while(|batch| {
            let much = octets > limits::LANDED;
            octets = octets.saturating_sub(batch.octets);
            much
        });
        oldest.map(|batch| batch.number).collect()
    }

    /// The oldest batch.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.batches.front().map(|batch| batch.number)
    }

    /// True when everything that a batch says was said anew since.
    pub(crate) fn is_outdated(&self, number: i64) -> bool {
        self.place(number)
            .and_then(|place| self.batches.get(place))
            .is_some_and(|it| it.newest == 0)
    }

    /// Batches have numbers without gaps.
    fn place(&self, number: i64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.oldest()?)?).ok()
    }

    /// The hash of a key, when this batch has said the last of it.
    pub(crate) fn newest(&self, key: &[u8], number: i64) -> Option<u64> {
        let hash = self.hasher.hash_one(key);
        (self.newest.get(&hash) == Some(&number)).then_some(hash)
    }

    /// A batch was written.
    pub(crate) fn add<'a>(&mut self, octets: usize, keys: impl Iterator<Item = &'a [u8]>) {
        let number = self.next();
        self.last = number;
        self.octets = self.octets.saturating_add(octets);
        let mut newest = 0;
        for key in keys {
            newest += 1;
            match self.newest.insert(self.hasher.hash_one(key), number) {
                Some(before) if before == number => newest -= 1,
                Some(before) => {
                    let place = self.place(before).and_then(|place| self.batches.get_mut(place));
                    place
                        .into_iter()
                        .for_each(|batch| batch.newest = batch.newest.saturating_sub(1));
                }
                None => {}
            }
        }
        self.batches.push_back(Batch { number, octets, newest });
    }

    /// The oldest batch is in the table, with what was the newest in it.
    pub(crate) fn remove(&mut self, newest: &[u64]) {
        let Some(Batch { octets, .. }) = self.batches.pop_front() else { return };
        self.octets = self.octets.saturating_sub(octets);
        for hash in newest {
            self.newest.remove(hash);
        }
        if self.batches.is_empty() {
            *self = Self { last: self.last, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_key_the_last_batch_counts() {
        let mut landing = Landing::default();
        let keys = |text: &'static str| text.as_bytes().chunks(1);
        landing.add(10, keys("aabc"));
        landing.add(10, keys("ab"));
        assert!(!landing.is_outdated(1) && landing.newest(b"c", 1).is_some());
        assert!(landing.newest(b"a", 1).is_none() && landing.newest(b"a", 2).is_some());
        landing.add(10, keys("cd"));
        assert!(landing.is_outdated(1) && !landing.is_outdated(2));
        landing.remove(&[]);
        let newest = landing.newest(b"a", 2).into_iter().chain(landing.newest(b"b", 2));
        landing.remove(&newest.collect::<Vec<_>>());
        assert!(landing.newest(b"a", 2).is_none() && landing.newest(b"d", 3).is_some());
        assert_eq!((landing.oldest(), landing.next()), (Some(3), 4));
    }

    #[test]
    fn what_is_too_much_leaves_from_the_oldest_on() {
        let mut landing = Landing::default();
        let half = limits::LANDED / 2;
        (0..2).for_each(|_| landing.add(half, std::iter::empty()));
        assert_eq!(landing.too_much(0), [0; 0]);
        assert_eq!(landing.too_much(1), [1]);
        assert_eq!(landing.too_much(half + 1), [1, 2]);
    }
}
