//! `Index`: from the hash of a thing to its place, in as little room as it can be.
//!
//! It is many small tables, so that one that grows is moved in no time, and they hold places and nothing else: whose a place is stands there.

use hashbrown::HashTable;

/// Places by the hash of what is there.
#[derive(Debug)]
pub struct Index {
    tables: Box<[HashTable<u32>]>,
    count: usize,
}

/// How many tables: as many as an octet has values.
const TABLES: usize = 256;

impl Default for Index {
    fn default() -> Self {
        Self { tables: std::iter::repeat_with(HashTable::new).take(TABLES).collect(), count: 0 }
    }
}

impl Index {
    /// The place under a hash that `is_it`.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.tables.get(table(hash))?.find(hash, |place| is_it(*place)).copied()
    }

    /// Puts a place under a hash, where it is not yet; `hash_of` tells that of any other.
    pub fn insert(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> u64) {
        if let Some(table) = self.tables.get_mut(table(hash)) {
            table.insert_unique(hash, place, |place| hash_of(*place));
            self.count += 1;
        }
    }

    /// Takes a place under a hash away.
    pub fn remove(&mut self, hash: u64, place: u32) {
        let table = self.tables.get_mut(table(hash));
        if let Some(entry) = table.and_then(|table| table.find_entry(hash, |at| *at == place).ok())
        {
            entry.remove();
            self.count -= 1;
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// True when there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Which table: by bits that the table itself does not look at before it has millions of places.
const fn table(hash: u64) -> usize {
    (hash >> 40) as usize % TABLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_counted_once() {
        let mut index = Index::default();
        // Two by two they have one hash.
        let hash = |number: u32| u64::from(number / 2).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let find = |index: &Index, number| index.find(hash(number), |place| place == number);
        for number in 0..5000 {
            index.insert(hash(number), number, hash);
        }
        assert!(!index.is_empty() && index.len() == 5000);
        assert!((0..5000).all(|number| find(&index, number) == Some(number)));
        for number in (0..5000).step_by(2).chain([0]) {
            index.remove(hash(number), number);
        }
        assert_eq!(index.len(), 2500);
        assert!((0..5000).all(|number| find(&index, number).is_some() == (number % 2 == 1)));
    }
}
