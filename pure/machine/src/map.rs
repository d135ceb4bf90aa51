//! `Map`: a hash map whose key was thrown with our dice; `Numbers`: one for what is such a number already.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;
use siphasher::sip128::Hasher128 as _;

use crate::Dice;

/// A hash map that strangers cannot aim at (its key is secret) and that lives the same life for the same seed.
pub type Map<K, V> = HashMap<K, V, HashKey>;

/// The secret key of a [`Map`], or of any hash that strangers must not foresee.
#[derive(Clone, Copy, Debug)]
pub struct HashKey(u64, u64);

impl HashKey {
    /// Throws a key.
    pub fn throw(dice: &mut Dice) -> Self {
        Self(dice.roll(), dice.roll())
    }

    /// The key that a secret makes: the same on every shard that knows it.
    pub fn of(secret: u128) -> Self {
        Self::throw(&mut Dice::new(secret))
    }

    /// A number that stands for parts, as good as they are themselves: nobody who does not know the key can find others with the
    /// same. The parts cannot run into each other, as long as none has a line feed.
    pub fn number<'a>(self, parts: impl IntoIterator<Item = &'a [u8]>) -> u128 {
        let mut hash = siphasher::sip128::SipHasher13::new_with_keys(self.0, self.1);
        write_parts(&mut hash, parts);
        hash.finish128().as_u128()
    }

    /// The same for a number that strangers see, and must not be able to make: a signature.
    pub fn sign<'a>(self, parts: impl IntoIterator<Item = &'a [u8]>) -> u128 {
        let mut hash = siphasher::sip128::SipHasher24::new_with_keys(self.0, self.1);
        write_parts(&mut hash, parts);
        hash.finish128().as_u128()
    }

    /// An empty map under this key.
    pub fn map<K, V>(self) -> Map<K, V> {
        Map::with_hasher(self)
    }
}

impl BuildHasher for HashKey {
    type Hasher = SipHasher13;
    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

/// Writes parts into a hash, each with a line feed behind it: gathered first, for a hash likes few long pieces better than many short.
pub fn write_parts<'a>(hash: &mut impl Hasher, parts: impl IntoIterator<Item = &'a [u8]>) {
    let (mut text, mut used) = ([0; ROOM], 0_usize);
    for part in parts {
        match text.get_mut(used..=used.saturating_add(part.len())) {
            Some([room @ .., end]) => {
                room.copy_from_slice(part);
                *end = b'\n';
                used = used.saturating_add(part.len() + 1);
            }
            _ => {
                hash.write(text.get(..used).unwrap_or_default());
                hash.write(part);
                hash.write(b"\n");
                used = 0;
            }
        }
    }
    hash.write(text.get(..used).unwrap_or_default());
}

/// What the parts of a usual key have together.
const ROOM: usize = 256;

/// A map whose keys are [numbers](HashKey::number): they were hashed with a secret key, so they are not hashed again.
pub type Numbers<V> = HashMap<u128, V, BuildHasherDefault<AsItIs>>;

/// The same of numbers of 64 bits.
pub type Halves<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// The same of numbers of 32 bits.
pub type Hashes<V> = HashMap<u32, V, BuildHasherDefault<AsItIs>>;

/// Takes a number for its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write_u32(&mut self, number: u32) {
        // The golden ratio: a map looks at the first bits too.
        self.0 = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hashed_as_if_they_came_one_by_one() {
        let key = HashKey::of(1);
        let parts = |lengths: [usize; 3]| lengths.map(|length| vec![b'x'; length]);
        let mut seen = Vec::new();
        for lengths in
            [[0, 1, 2], [1, 0, 2], [100, 154, 0], [100, 155, 3], [300, 1, 255], [1, 2, 600]]
        {
            let parts = parts(lengths);
            let mut hash = siphasher::sip128::SipHasher13::new_with_keys(key.0, key.1);
            for part in &parts {
                part.iter().for_each(|octet| hash.write(&[*octet]));
                hash.write(b"\n");
            }
            let number = key.number(parts.iter().map(|part| &part[..]));
            assert_eq!(number, hash.finish128().as_u128(), "{lengths:?}");
            assert!(!seen.contains(&number));
            seen.push(number);
        }
    }

    #[test]
    fn numbers_find_what_is_theirs() {
        let mut numbers = Numbers::default();
        for number in 0..1000_u128 {
            numbers.insert(number << 60, number);
        }
        assert!((0..1000).all(|number| numbers.get(&(number << 60)) == Some(&number)));
        assert_eq!(numbers.get(&1), None);
        let hashes: Hashes<u32> = (0..1000).map(|number| (number << 20, number)).collect();
        assert!((0..1000).all(|number| hashes.get(&(number << 20)) == Some(&number)));
        let halves = Halves::from_iter([(7_u64, "seven")]);
        assert_eq!((halves.hasher().hash_one(7_u64), halves.get(&7)), (7, Some(&"seven")));
    }
}
