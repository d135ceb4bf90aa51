//! `Index`: from the hash of an address of record to its place, in as little room as it can be.
//!
//! It is many small maps, so that one that grows is moved in no time, and its keys are what is left of the hash.

use machine::Hashes;

/// Places by hashes, of which 40 bits count.
#[derive(Debug)]
pub(super) struct Index {
    maps: Box<[Hashes<u32>]>,
    count: usize,
}

/// How many maps: as many as the last octet of a hash has values.
const MAPS: usize = 256;

impl Default for Index {
    fn default() -> Self {
        Self { maps: std::iter::repeat_with(Hashes::default).take(MAPS).collect(), count: 0 }
    }
}

impl Index {
    /// The place under a hash.
    pub(super) fn get(&self, hash: u64) -> Option<u32> {
        let (map, key) = split(hash);
        self.maps.get(map)?.get(&key).copied()
    }

    /// Puts a place under a hash.
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        let (map, key) = split(hash);
        if let Some(map) = self.maps.get_mut(map) {
            self.count += usize::from(map.insert(key, place).is_none());
        }
    }

    /// Takes the place under a hash away.
    pub(super) fn remove(&mut self, hash: u64) {
        let (map, key) = split(hash);
        let gone = self.maps.get_mut(map).and_then(|map| map.remove(&key));
        self.count -= usize::from(gone.is_some());
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.count
    }
}

/// Which map, and under which key there.
const fn split(hash: u64) -> (usize, u32) {
    (hash as usize % MAPS, (hash / MAPS as u64) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_counted_once() {
        let mut index = Index::default();
        let hash = |number: u32| u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for number in (0..5000).chain(0..5000) {
            index.insert(hash(number), number);
        }
        assert_eq!(index.len(), 5000);
        assert!((0..5000).all(|number| index.get(hash(number)) == Some(number)));
        for number in (0..5000).step_by(2).chain([0]) {
            index.remove(hash(number));
        }
        assert_eq!(index.len(), 2500);
        assert!((0..5000).all(|number| index.get(hash(number)).is_some() == (number % 2 == 1)));
    }
}
