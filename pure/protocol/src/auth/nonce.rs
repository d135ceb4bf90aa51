//! `Nonces`: ours, signed, short-lived (RFC 7616 §3.3, §5.4). Which counts were used with one, [`Counts`](super::Counts) knows.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use machine::{Dice, Time};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::digest::hex;

/// Makes nonces and knows them again, on every shard of a server: `time-random-keeper-HMAC`. Nothing is kept of them, and
/// they are short: each stands in a challenge twice, and nobody shall get much more out of us than he sent.
#[derive(Debug)]
pub struct Nonces {
    key: [u8; 16],
    life: Duration,
    /// The shard that makes these, and that is asked about their counts.
    keeper: u16,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Ours, and young. Whether its count is new is for its keeper to say.
    Fresh(Made),
    /// Ours, but too old: the client may try again with a new one, without asking its user.
    Stale,
    /// Not ours.
    Foreign,
}

/// When a nonce was made, and by which shard, which keeps its counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Time,
    /// The number of the shard.
    pub keeper: u16,
}

impl Nonces {
    /// The nonces of one shard; they live for `life`. All shards must have the same secret, and no other server or other life of this
    /// one: then what was heard before a restart cannot be said again after it.
    pub const fn new(secret: u128, keeper: u16, life: Duration) -> Self {
        Self { key: secret.to_be_bytes(), life, keeper }
    }

    /// A new one.
    pub fn throw(&self, now: Time, dice: &mut Dice) -> String {
        let head = format!("{:012x}{:08x}{:04x}", millis(now), dice.roll() >> 32, self.keeper);
        let signature = self.sign(&head);
        head + &signature
    }

    /// What a nonce is worth.
    pub fn look(&self, now: Time, nonce: &str) -> Freshness {
        let Some((head, signature)) = nonce.split_at_checked(HEAD) else {
            return Freshness::Foreign;
        };
        if !bool::from(self.sign(head).as_bytes().ct_eq(signature.as_bytes())) {
            return Freshness::Foreign;
        }
        match Made::read(head) {
            // The clock of the shard that made it may be a little ahead of ours.
            Some(made) if made.at + self.life >= now => Freshness::Fresh(made),
            _ => Freshness::Stale,
        }
    }

    /// True when a nonce has lived half of its life: time to hand out the next one.
    pub fn is_middle_aged(&self, now: Time, made: Time) -> bool {
        made + self.life / 2 < now
    }

    fn sign(&self, head: &str) -> String {
        // A key of any length does for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(head.as_bytes());
        hex(mac.finalize().into_bytes().get(..SIGNATURE).unwrap_or_default())
    }
}

impl Made {
    fn read(head: &str) -> Option<Self> {
        let millis = u64::from_str_radix(head.get(..12)?, 16).ok()?;
        let keeper = u16::from_str_radix(head.get(20..HEAD)?, 16).ok()?;
        Some(Self { at: Time(millis.saturating_mul(MILLI)), keeper })
    }
}

const fn millis(now: Time) -> u64 {
    now.0 / MILLI
}

/// Nanoseconds of a millisecond.
const MILLI: u64 = 1_000_000;

/// Digits before the signature.
const HEAD: usize = 24;

/// Octets of the signature: 80 bits cannot be guessed at the rate at which we answer.
const SIGNATURE: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    #[test]
    fn a_nonce_is_known_on_every_shard_and_names_the_one_that_made_it() {
        let nonce = Nonces::new(7, 3, LIFE).throw(Time(MILLI), &mut Dice::new(1));
        let made = Made { at: Time(MILLI), keeper: 3 };
        for shard in 0..5 {
            let look = Nonces::new(7, shard, LIFE).look(Time(2 * MILLI), &nonce);
            assert_eq!(look, Freshness::Fresh(made), "{shard}");
        }
        assert_eq!(Nonces::new(8, 3, LIFE).look(Time(2 * MILLI), &nonce), Freshness::Foreign);
    }

    #[test]
    fn a_nonce_grows_old_and_cannot_be_made_by_strangers() {
        let nonces = Nonces::new(7, 0, LIFE);
        let nonce = nonces.throw(Time(MILLI), &mut Dice::new(1));
        let made = Made { at: Time(MILLI), keeper: 0 };
        assert_eq!(nonces.look(Time(MILLI) + LIFE, &nonce), Freshness::Fresh(made));
        assert!(!nonces.is_middle_aged(Time(MILLI) + LIFE / 2, made.at));
        assert!(nonces.is_middle_aged(Time(2 * MILLI) + LIFE / 2, made.at));
        assert_eq!(nonces.look(Time(2 * MILLI) + LIFE, &nonce), Freshness::Stale);
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(nonces.look(Time(MILLI), &other), Freshness::Foreign, "{at}");
        }
        assert_eq!(nonces.look(Time(MILLI), ""), Freshness::Foreign);
        assert_eq!(nonces.look(Time(MILLI), &"é".repeat(40)), Freshness::Foreign);
    }
}
