//! `Dice`: randomness that is handed in, so that a run can be lived again.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

/// A stream of random numbers: SipHash-2-4 of a counter under a secret key.
///
/// The driver seeds it from the system's random device, a test from a number. Without the key, what was thrown says
/// nothing about what will be: good enough for tags, branches and nonces.
#[derive(Clone, Debug)]
pub struct Dice {
    key: (u64, u64),
    thrown: u64,
}

impl Dice {
    /// The same seed throws the same numbers.
    pub const fn new(seed: u128) -> Self {
        Self { key: ((seed >> 64) as u64, seed as u64), thrown: 0 }
    }

    /// The next 64 random bits.
    pub fn roll(&mut self) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(self.key.0, self.key.1);
        hasher.write_u64(self.thrown);
        self.thrown = self.thrown.wrapping_add(1);
        hasher.finish()
    }

    /// The next 128 random bits: a seed for other dice, a key.
    pub fn seed(&mut self) -> u128 {
        u128::from(self.roll()) << 64 | u128::from(self.roll())
    }

    /// A number below `sides`; 0 when there are none.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.roll().checked_rem(sides).unwrap_or(0)
    }

    /// True with probability `percent` in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
