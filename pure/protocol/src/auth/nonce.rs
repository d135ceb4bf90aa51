//! `Nonces`: ours, signed, short-lived (RFC 7616 §3.3, §5.4). Which counts were used with one, [`Counts`](super::Counts) knows.

use std::time::Duration;

use machine::{Dice, HashKey, Time};
use subtle::ConstantTimeEq as _;

use super::digest::{hex_digits, write_hex};
use crate::bans::Source;

/// Makes nonces and knows them again, on every shard of a server: `time-random-keeper-mark-signature`. Nothing is kept of them, and
/// they are short: each stands in a challenge twice, and nobody shall get much more out of us than he sent. The mark says to whom it was
/// given: whoever answers with it can read what we send there.
#[derive(Debug)]
pub struct Nonces {
    signing: HashKey,
    marks: HashKey,
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
    pub fn new(secret: u128, keeper: u16, life: Duration) -> Self {
        let mut dice = Dice::new(secret);
        let (marks, signing) = (HashKey::throw(&mut dice), HashKey::throw(&mut dice));
        Self { signing, marks, life, keeper }
    }

    /// A new one, for whoever is there.
    pub fn throw(&self, now: Time, dice: &mut Dice, whom: Source) -> String {
        let mut nonce = Vec::with_capacity(HEAD + 2 * SIGNATURE);
        write_hex(millis(now).to_be_bytes().get(2..).unwrap_or_default(), &mut nonce);
        write_hex(dice.roll().to_be_bytes().get(..3).unwrap_or_default(), &mut nonce);
        write_hex(&self.keeper.to_be_bytes(), &mut nonce);
        let mark = self.mark(&nonce, whom);
        nonce.extend_from_slice(&mark);
        let signature = self.sign(&nonce);
        nonce.extend_from_slice(&signature);
        // Digits are ASCII.
        String::from_utf8(nonce).unwrap_or_default()
    }

    /// True for one that we have given to whoever is there, lately, as [`look`](Self::look) has found: its bearer is not somebody else
    /// who only writes that address. An old one proves nothing: the address may be somebody else's by now.
    pub fn is_for(&self, nonce: (&str, Freshness), whom: Source) -> bool {
        let (nonce, Freshness::Fresh(_)) = nonce else { return false };
        let mark = nonce.split_at_checked(HEAD).and_then(|(head, _)| head.split_at_checked(MARK));
        let right = |(head, mark): (&str, &str)| {
            bool::from(self.mark(head.as_bytes(), whom).ct_eq(mark.as_bytes()))
        };
        mark.is_some_and(right)
    }

    /// What a nonce is worth.
    pub fn look(&self, now: Time, nonce: &str) -> Freshness {
        let Some((head, signature)) = nonce.split_at_checked(HEAD) else {
            return Freshness::Foreign;
        };
        if !bool::from(self.sign(head.as_bytes()).ct_eq(signature.as_bytes())) {
            return Freshness::Foreign;
        }
        match Made::read(head) {
            // The clock of the node that made it may be ahead of ours; by more than that, its use may be forgotten while we would still believe it.
            Some(made) if made.at + self.life >= now && made.at <= now + self.life => {
                Freshness::Fresh(made)
            }
            _ => Freshness::Stale,
        }
    }

    /// True when a nonce has lived half of its life: time to hand out the next one.
    pub fn is_middle_aged(&self, now: Time, made: Time) -> bool {
        made + self.life / 2 < now
    }

    fn mark(&self, head: &[u8], whom: Source) -> [u8; HEAD - MARK] {
        let digits = hex_digits(self.marks.number([head, &whom.octets()]) as u64);
        digits.last_chunk().copied().unwrap_or_default()
    }

    /// SipHash is made for this: a short text, a secret key, and a strange reader.
    fn sign(&self, head: &[u8]) -> [u8; 2 * SIGNATURE] {
        hex_digits(self.signing.sign([head]) as u64)
    }
}

impl Made {
    fn read(head: &str) -> Option<Self> {
        let millis = u64::from_str_radix(head.get(..12)?, 16).ok()?;
        let keeper = u16::from_str_radix(head.get(18..MARK)?, 16).ok()?;
        Some(Self { at: Time(millis.saturating_mul(MILLI)), keeper })
    }
}

const fn millis(now: Time) -> u64 {
    now.0 / MILLI
}

/// Nanoseconds of a millisecond.
const MILLI: u64 = 1_000_000;

/// Digits before the mark.
const MARK: usize = 22;

/// Digits before the signature.
const HEAD: usize = 30;

/// Octets of the signature: 64 bits cannot be guessed at the rate at which we answer.
const SIGNATURE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    fn here() -> Source {
        "192.0.2.1".parse().unwrap()
    }

    #[test]
    fn a_nonce_knows_to_whom_it_was_given() {
        let nonces = Nonces::new(7, 3, LIFE);
        let nonce = nonces.throw(Time(MILLI), &mut Dice::new(1), here());
        let now = Time(2 * MILLI);
        let is_for = |nonces: &Nonces, now, nonce: &str, whom| {
            nonces.is_for((nonce, nonces.look(now, nonce)), whom)
        };
        assert!(is_for(&Nonces::new(7, 0, LIFE), now, &nonce, here()), "on every shard");
        assert!(!is_for(&nonces, now, &nonce, "192.0.2.2".parse().unwrap()));
        assert!(!is_for(&Nonces::new(8, 3, LIFE), now, &nonce, here()));
        assert!(is_for(&nonces, Time(MILLI) + LIFE, &nonce, here()));
        assert!(!is_for(&nonces, Time(2 * MILLI) + LIFE, &nonce, here()), "somebody else's by now");
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] ^= 1;
            assert!(!is_for(&nonces, now, &String::from_utf8(other).unwrap(), here()), "{at}");
        }
        let cut = &nonce[..HEAD];
        assert!(!is_for(&nonces, now, "", here()) && !is_for(&nonces, now, cut, here()));
    }

    #[test]
    fn a_nonce_is_known_on_every_shard_and_names_the_one_that_made_it() {
        let nonce = Nonces::new(7, 3, LIFE).throw(Time(MILLI), &mut Dice::new(1), here());
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
        let nonce = nonces.throw(Time(MILLI), &mut Dice::new(1), here());
        let made = Made { at: Time(MILLI), keeper: 0 };
        assert_eq!(nonces.look(Time(MILLI) + LIFE, &nonce), Freshness::Fresh(made));
        assert!(!nonces.is_middle_aged(Time(MILLI) + LIFE / 2, made.at));
        assert!(nonces.is_middle_aged(Time(2 * MILLI) + LIFE / 2, made.at));
        assert_eq!(nonces.look(Time(2 * MILLI) + LIFE, &nonce), Freshness::Stale);
        let ahead = nonces.throw(Time(MILLI) + LIFE, &mut Dice::new(1), here());
        assert!(matches!(nonces.look(Time(MILLI), &ahead), Freshness::Fresh(_)));
        assert_eq!(nonces.look(Time(0), &ahead), Freshness::Stale, "of a clock that is far ahead");
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
