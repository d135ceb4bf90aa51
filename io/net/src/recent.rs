//! `Recent`: a memory that forgets by halves what was noted longest ago.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Remembers what was noted last; the oldest half is forgotten when there is too much.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// Room for so much.
    pub(crate) fn new(room: usize) -> Self {
        Self { half: (room / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// Notes something.
    pub(crate) fn note(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets something.
    pub(crate) fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// What was noted last.
    pub(crate) fn of(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_half_is_always_known_and_memory_has_an_end() {
        let mut recent = Recent::new(4);
        for number in 1..=100 {
            recent.note(number, -number);
            assert!(recent.young.len() + recent.old.len() <= 4);
        }
        assert_eq!(recent.of(&100), Some(&-100));
        assert_eq!(recent.of(&99), Some(&-99));
        assert_eq!(recent.of(&1), None);
        recent.forget(&100);
        assert_eq!(recent.of(&100), None);
    }
}
