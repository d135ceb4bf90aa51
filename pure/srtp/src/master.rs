//! `Master`: the key and the salt that both sides have agreed on.

use std::fmt;

use crate::Suite;

/// A master key and its salt (RFC 3711 §3.2.1). It is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Master {
    suite: Suite,
    key: Box<[u8]>,
    salt: Box<[u8]>,
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Master").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl Master {
    /// How many octets a key and its salt have together.
    pub const fn octets(suite: Suite) -> usize {
        suite.key_octets() + suite.salt_octets()
    }

    /// The key and the salt behind it, as `a=crypto` has them in base64 (RFC 4568 §6.1) and as [`of`](Self::of) cuts them. `None` when
    /// there are not [`octets`](Self::octets) of them. They must be random.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        let (key, salt) = key_and_salt.split_at_checked(suite.key_octets())?;
        Self::of(suite, key, salt)
    }

    /// The key and the salt apart, as DTLS gives them (RFC 5764 §4.2). `None` when they have other lengths than the suite wants.
    pub fn of(suite: Suite, key: &[u8], salt: &[u8]) -> Option<Self> {
        let fits = key.len() == suite.key_octets() && salt.len() == suite.salt_octets();
        fits.then(|| Self { suite, key: key.into(), salt: salt.into() })
    }

    /// Which suite it is for.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The key and the salt behind it, to be told to the other side over a way that nobody reads.
    pub fn reveal(&self) -> Vec<u8> {
        [&*self.key, &*self.salt].concat()
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_none_and_its_debug_text_does_not_show_it() {
        let suite = Suite::AesCm128HmacSha1With80;
        assert_eq!(Master::new(suite, &[7; 29]), None);
        assert_eq!(Master::new(suite, &[7; 31]), None);
        let master = Master::new(suite, &[7; 30]).unwrap();
        assert_eq!(master.reveal(), [7; 30]);
        assert!(!format!("{master:?}").contains('7'), "{master:?}");
    }
}
