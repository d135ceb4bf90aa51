//! `OurBranch`: the branch of our Via (RFC 3261 §8.1.1.7, §16.6 step 8): the cookie, what the route depends on (to see loops), what makes
//! it unique, and a signature with the Via below (so that nobody has us send answers elsewhere).

use protocol::auth::hex_digits;
use sip::header::MAGIC;

use crate::seal::Seal;

/// A branch that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OurBranch([u8; LENGTH]);

/// Octets of the cookie, and of a branch: the cookie and 128 bits in hexadecimal digits.
const COOKIE: usize = MAGIC.len();
const LENGTH: usize = COOKIE + 32;

impl OurBranch {
    /// The branch above a Via.
    pub(super) fn above(below: &[u8], seal: &Seal, (hash, unique): (u64, u32)) -> Self {
        let low = u64::from(unique) << 32 | u64::from(signature(below, seal, (hash, unique)));
        let mut text = [0; LENGTH];
        let (cookie, digits) = text.split_at_mut(COOKIE);
        cookie.copy_from_slice(MAGIC.as_bytes());
        for (to, part) in digits.chunks_exact_mut(16).zip([hash, low]) {
            to.copy_from_slice(&hex_digits(part));
        }
        Self(text)
    }

    /// As it is written.
    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// True for a branch that we wrote above this Via.
pub(super) fn is_ours(branch: &[u8], below: &[u8], seal: &Seal) -> bool {
    let Some(number) = number(branch) else { return false };
    let (hash, unique) = ((number >> 64) as u64, (number >> 32) as u32);
    signature(below, seal, (hash, unique)) == number as u32
}

/// What the route depended on, of a branch that may be ours.
pub(super) fn loop_part(branch: &[u8]) -> Option<u64> {
    number(branch).map(|number| (number >> 64) as u64)
}

/// The number that a branch has behind its cookie, when it looks like ours.
fn number(branch: &[u8]) -> Option<u128> {
    let (cookie, digits) = branch.split_at_checked(COOKIE)?;
    if branch.len() != LENGTH || !cookie.eq_ignore_ascii_case(MAGIC.as_bytes()) {
        return None;
    }
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// With the Via below it, as it comes back in the response.
fn signature(below: &[u8], seal: &Seal, (hash, unique): (u64, u32)) -> u32 {
    let (hash, unique) = (hash.to_be_bytes(), unique.to_be_bytes());
    let number = seal.number([&hash[..], &unique, below]);
    (number >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_ours_above_its_via_and_as_it_was_written() {
        let (seal, below) = (Seal::new(5), &b"SIP/2.0/UDP h;branch=z9hG4bK1"[..]);
        let branch = OurBranch::above(below, &seal, (0x0123_4567_89ab_cdef, 7));
        let text = branch.as_bytes();
        assert!(text.starts_with(b"z9hG4bK0123456789abcdef00000007"));
        assert!(is_ours(text, below, &seal));
        assert_eq!(loop_part(text), Some(0x0123_4567_89ab_cdef));
        assert!(!is_ours(text, b"SIP/2.0/UDP h;branch=z9hG4bK2", &seal));
        assert!(!is_ours(text, below, &Seal::new(6)));
        for at in 0..text.len() {
            let mut other = text.to_vec();
            other[at] = if other[at] == b'1' { b'2' } else { b'1' };
            assert!(!is_ours(&other, below, &seal), "{at}");
            assert!(!is_ours(&text[..at], below, &seal), "{at} octets");
        }
        assert!(loop_part(b"z9hG4bK-phone").is_none());
    }
}
