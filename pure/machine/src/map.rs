//! `Map`: a hash map whose key was thrown with our dice.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher as _};

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
        for part in parts {
            hash.write(part);
            hash.write_u8(b'\n');
        }
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
