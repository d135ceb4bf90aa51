//! `Identity`: the SIP domain that a peer must prove to be, or has proven to be, by its certificate (RFC 5922, RFC 5923).

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A domain, small enough to travel in a [`Flow`](super::Flow). The same name has the same identity everywhere: it is the first half of
/// the name's SHA-256, so nobody can find another name that is taken for it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; Self::OCTETS]);

impl Identity {
    /// How many octets it has.
    pub const OCTETS: usize = 16;

    /// Nobody: nothing was asked for, nothing was proven.
    pub const NONE: Self = Self([0; Self::OCTETS]);

    /// That of a domain, in any case, with or without its last dot (RFC 5922 §7.2).
    pub fn of(domain: &str) -> Self {
        let name = domain.trim_end_matches('.').to_ascii_lowercase();
        let hash = Sha256::digest(name.as_bytes());
        Self(hash.first_chunk().copied().unwrap_or_default())
    }

    /// True when nobody is meant.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// As octets.
    pub const fn octets(self) -> [u8; Self::OCTETS] {
        self.0
    }

    /// From its octets.
    pub const fn from_octets(octets: [u8; Self::OCTETS]) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("nobody");
        }
        self.0.iter().take(4).try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_any_case_and_no_other() {
        let a = Identity::of("a.example");
        assert_eq!(a, Identity::of("A.Example."));
        assert_ne!(a, Identity::of("b.example"));
        assert_ne!(a, Identity::of("x.a.example"));
        assert!(!a.is_none() && Identity::NONE.is_none());
        assert_eq!(Identity::from_octets(a.octets()), a);
    }
}
