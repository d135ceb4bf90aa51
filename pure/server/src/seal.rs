//! `Seal`: the house's secret at work. What it signed is known again, on every shard and after a restart, and what it closed only it
//! can open; so passes, flow tokens and GRUUs need no table.

use machine::Dice;
use protocol::auth::hex;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use subtle::ConstantTimeEq as _;

/// Signs, and closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seal {
    key: (u64, u64),
    /// For marks: they stand in the open, and are made more cheaply.
    marks: (u64, u64),
}

/// Octets of a signature: 80 bits cannot be guessed at the rate at which we answer.
pub(crate) const SIGNATURE: usize = 10;

/// Octets that make every closed token another.
const NONCE: usize = 8;

impl Seal {
    pub(crate) fn new(secret: u128) -> Self {
        let mut dice = Dice::new(secret);
        // The first throws are the steering's key.
        let _ = dice.seed();
        let mut key = || (dice.roll(), dice.roll());
        Self { key: key(), marks: key() }
    }

    /// A signature over parts.
    pub(crate) fn sign<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 16] {
        let mut hash = SipHasher24::new_with_keys(self.key.0, self.key.1);
        machine::write_parts(&mut hash, parts);
        hash.finish128().as_bytes()
    }

    /// True when a signature over parts is ours; that takes as long for any other.
    pub(crate) fn has_signed<'a>(
        &self,
        parts: impl IntoIterator<Item = &'a [u8]>,
        signature: &[u8; 16],
    ) -> bool {
        self.sign(parts).ct_eq(signature).into()
    }

    /// A number that stands for parts.
    pub(crate) fn number<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.sign(parts);
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The same for a number that proves nothing to anybody: one that we look up, or compare with another of our own.
    pub(crate) fn mark<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
        let mut hash = SipHasher13::new_with_keys(self.marks.0, self.marks.1);
        machine::write_parts(&mut hash, parts);
        hash.finish()
    }

    /// Octets with their signature, as hexadecimal digits: everybody can read them, nobody can change them. `purpose` keeps the
    /// tokens of one kind from being taken for those of another.
    pub(crate) fn signed(&self, purpose: &[u8], octets: &[u8]) -> String {
        hex(&[octets, self.short([purpose, octets]).as_slice()].concat())
    }

    /// The octets of a token that [`signed`](Self::signed) wrote; `None` for any other.
    pub(crate) fn verified(&self, purpose: &[u8], token: &[u8]) -> Option<Vec<u8>> {
        let mut octets = unhex(token)?;
        let signature = octets.split_off(octets.len().checked_sub(SIGNATURE)?);
        let right = self.short([purpose, &octets]).ct_eq(&signature);
        bool::from(right).then_some(octets)
    }

    /// The same, but nobody can read them either, or tell whether two tokens hold the same: a keystream covers them.
    pub(crate) fn closed(&self, dice: &mut Dice, purpose: &[u8], octets: &[u8]) -> String {
        let nonce = dice.roll().to_be_bytes();
        let covered = self.cover(purpose, nonce, octets);
        self.signed(purpose, &[&nonce[..], &covered].concat())
    }

    /// The octets of a token that [`closed`](Self::closed) wrote; `None` for any other.
    pub(crate) fn opened(&self, purpose: &[u8], token: &[u8]) -> Option<Vec<u8>> {
        let octets = self.verified(purpose, token)?;
        let (nonce, covered) = octets.split_first_chunk::<NONCE>()?;
        Some(self.cover(purpose, *nonce, covered))
    }

    fn short(&self, parts: [&[u8]; 2]) -> [u8; SIGNATURE] {
        let [a, b, c, d, e, f, g, h, i, j, ..] = self.sign(parts);
        [a, b, c, d, e, f, g, h, i, j]
    }

    /// Covers octets with a keystream, or uncovers them: SipHash is a pseudorandom function, and counts blocks.
    fn cover(&self, purpose: &[u8], nonce: [u8; NONCE], octets: &[u8]) -> Vec<u8> {
        let block =
            |number: u32| self.sign([&b"stream"[..], purpose, &nonce, &number.to_be_bytes()]);
        let stream = (0_u32..).flat_map(block);
        octets.iter().zip(stream).map(|(octet, cover)| octet ^ cover).collect()
    }
}

/// The octets of hexadecimal digits in any case; `None` for what is no such thing, or too long to be ours.
pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let half = |digit: &u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut octets = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        octets.push(half(high)? << 4 | half(low)?);
    }
    Some(octets)
}

/// Digits of our longest token: a temporary GRUU of a user with a long name.
const LONGEST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_opens_only_here_and_only_for_its_purpose() {
        let (seal, mut dice) = (Seal::new(1), Dice::new(2));
        let text = b"more than one block of the keystream, which is sixteen octets long";
        let token = seal.closed(&mut dice, b"a", text);
        assert_eq!(seal.opened(b"a", token.as_bytes()).as_deref(), Some(&text[..]));
        assert_eq!(seal.opened(b"a", token.to_uppercase().as_bytes()).as_deref(), Some(&text[..]));
        assert_eq!(seal.opened(b"b", token.as_bytes()), None);
        assert_eq!(Seal::new(3).opened(b"a", token.as_bytes()), None);
        assert_eq!(seal.opened(b"a", &token.as_bytes()[2..]), None);
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(seal.opened(b"a", &other), None, "{at}");
        }
    }

    #[test]
    fn two_tokens_of_the_same_have_nothing_in_common() {
        let (seal, mut dice) = (Seal::new(1), Dice::new(2));
        let [a, b] =
            [(); 2].map(|()| unhex(seal.closed(&mut dice, b"a", &[0; 64]).as_bytes()).unwrap());
        let alike = a.iter().zip(&b).filter(|(a, b)| a == b).count();
        assert!(alike < 6, "{alike} of {} octets", a.len());
    }
}
