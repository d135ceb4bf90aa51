//! `Nonces`: ours, signed, short-lived, each count used once (RFC 7616 §3.3, §5.4).

use std::collections::VecDeque;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use machine::{Dice, HashKey, Map, Time};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::digest::hex;
use crate::limits;

/// Makes nonces and knows them again: `time-random-HMAC`. Nothing is kept until a right answer comes.
#[derive(Debug)]
pub struct Nonces {
    key: [u8; 32],
    life: Duration,
    counts: Map<Box<str>, Counts>,
    order: VecDeque<Box<str>>,
}

/// The counts that were used with one nonce: the highest, and a window of 64 below it, for requests that overtook each other.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    highest: u32,
    seen: u64,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Ours, young, and this count is new.
    Fresh,
    /// Ours, but too old, or forgotten: the client may try again with a new one, without asking its user.
    Stale,
    /// Ours, but this count was used: somebody repeats what was heard.
    Replayed,
    /// Not ours.
    Foreign,
}

impl Nonces {
    /// Throws a key; nonces live for `life`.
    pub fn new(life: Duration, dice: &mut Dice) -> Self {
        let mut key = [0; 32];
        for part in key.chunks_mut(16) {
            part.copy_from_slice(&dice.seed().to_be_bytes());
        }
        let counts = HashKey::throw(dice).map();
        Self { key, life, counts, order: VecDeque::new() }
    }

    /// A new one.
    pub fn throw(&self, now: Time, dice: &mut Dice) -> String {
        let head = format!("{:016x}{:016x}", now.0, dice.roll());
        let signature = self.sign(&head);
        head + &signature
    }

    /// What a nonce and its count are worth. Only after a right answer: [`Nonces::spend`].
    pub fn look(&self, now: Time, nonce: &str, count: u32) -> Freshness {
        let Some((head, signature)) = nonce.split_at_checked(32) else { return Freshness::Foreign };
        if !bool::from(self.sign(head).as_bytes().ct_eq(signature.as_bytes())) {
            return Freshness::Foreign;
        }
        let made = head.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(Time);
        if made.is_none_or(|made| made > now || now - made > self.life) {
            return Freshness::Stale;
        }
        match self.counts.get(nonce) {
            Some(counts) if counts.has(count) => Freshness::Replayed,
            Some(_) => Freshness::Fresh,
            // A nonce begins with count 1. One that comes with more was forgotten, or its first use was lost on the way.
            None if count > limits::NONCE_GAP => Freshness::Stale,
            None => Freshness::Fresh,
        }
    }

    /// Notes that a count was used: no second request may come with it.
    pub fn spend(&mut self, nonce: &str, count: u32) {
        if !self.counts.contains_key(nonce) {
            self.order.push_back(nonce.into());
        }
        self.counts.entry(nonce.into()).or_default().note(count);
        if self.order.len() > limits::NONCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
    }

    fn sign(&self, head: &str) -> String {
        // A key of any length does for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(head.as_bytes());
        hex(mac.finalize().into_bytes().get(..16).unwrap_or_default())
    }
}

impl Counts {
    /// True for a count that was used, or is too far behind to tell.
    fn has(self, count: u32) -> bool {
        match self.highest.checked_sub(count) {
            None => false,
            Some(behind) if behind < 64 => self.seen >> behind & 1 == 1,
            Some(_) => true,
        }
    }

    fn note(&mut self, count: u32) {
        match count.checked_sub(self.highest) {
            Some(ahead) => {
                self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
                self.highest = count;
            }
            None => self.seen |= 1_u64.checked_shl(self.highest - count).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    #[test]
    fn trap_34_a_count_is_good_once_also_out_of_order() {
        let mut dice = Dice::new(1);
        let mut nonces = Nonces::new(LIFE, &mut dice);
        let nonce = nonces.throw(Time(1), &mut dice);
        for count in [1, 3, 2, 10] {
            assert_eq!(nonces.look(Time(2), &nonce, count), Freshness::Fresh, "{count}");
            nonces.spend(&nonce, count);
            assert_eq!(nonces.look(Time(2), &nonce, count), Freshness::Replayed, "{count}");
        }
        nonces.spend(&nonce, 200);
        for (count, worth) in [
            (9, Freshness::Replayed),
            (136, Freshness::Replayed),
            (137, Freshness::Fresh),
            (0, Freshness::Replayed),
        ] {
            assert_eq!(nonces.look(Time(2), &nonce, count), worth, "{count}");
        }
    }

    #[test]
    fn a_nonce_expires_and_cannot_be_made_by_strangers() {
        let mut dice = Dice::new(1);
        let nonces = Nonces::new(LIFE, &mut dice);
        let nonce = nonces.throw(Time(1), &mut dice);
        assert_eq!(nonces.look(Time(1) + LIFE, &nonce, 1), Freshness::Fresh);
        assert_eq!(nonces.look(Time(2) + LIFE, &nonce, 1), Freshness::Stale);
        assert_eq!(nonces.look(Time(2), &nonce, 0xffff_ffff), Freshness::Stale);
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] ^= 1;
            assert_eq!(
                nonces.look(Time(1), &String::from_utf8(other).unwrap(), 1),
                Freshness::Foreign,
                "{at}"
            );
        }
        assert_eq!(Nonces::new(LIFE, &mut dice).look(Time(1), &nonce, 1), Freshness::Foreign);
        assert_eq!(nonces.look(Time(1), "", 1), Freshness::Foreign);
        assert_eq!(nonces.look(Time(1), &"é".repeat(40), 1), Freshness::Foreign);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut dice = Dice::new(1);
        let mut nonces = Nonces::new(LIFE, &mut dice);
        (0..limits::NONCES + 10).for_each(|number| nonces.spend(&number.to_string(), 1));
        assert_eq!((nonces.counts.len(), nonces.order.len()), (limits::NONCES, limits::NONCES));
    }
}
