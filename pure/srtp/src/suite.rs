//! `Suite`: which cipher and which tag (RFC 4568 §6.2, RFC 6188, RFC 7714).

/// A crypto suite: a cipher, a tag, and the lengths of both keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 with 80 bits: what everybody speaks (RFC 3711 §5).
    AesCm128HmacSha1With80,
    /// The same with 32 bits for sound; SRTCP has 80 (RFC 4568 §6.2.1).
    AesCm128HmacSha1With32,
    /// AES-256 in counter mode, HMAC-SHA1 with 80 bits (RFC 6188).
    AesCm256HmacSha1With80,
    /// The same with 32 bits for sound.
    AesCm256HmacSha1With32,
    /// AES-128 in Galois/counter mode, a tag of 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES-256 in Galois/counter mode, a tag of 128 bits (RFC 7714).
    AeadAes256Gcm,
}

use Suite::{
    AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1With32, AesCm128HmacSha1With80,
    AesCm256HmacSha1With32, AesCm256HmacSha1With80,
};

/// Each suite, its name in `a=crypto`, and its number in DTLS (RFC 5764 §4.1.2, RFC 7714 §14.2; AES-256 in counter mode has none).
const TABLE: [(Suite, &str, Option<u16>); 6] = [
    (AeadAes256Gcm, "AEAD_AES_256_GCM", Some(8)),
    (AeadAes128Gcm, "AEAD_AES_128_GCM", Some(7)),
    (AesCm256HmacSha1With80, "AES_256_CM_HMAC_SHA1_80", None),
    (AesCm128HmacSha1With80, "AES_CM_128_HMAC_SHA1_80", Some(1)),
    (AesCm256HmacSha1With32, "AES_256_CM_HMAC_SHA1_32", None),
    (AesCm128HmacSha1With32, "AES_CM_128_HMAC_SHA1_32", Some(2)),
];

impl Suite {
    /// All, the strongest first.
    pub const ALL: [Self; 6] = [
        AeadAes256Gcm,
        AeadAes128Gcm,
        AesCm256HmacSha1With80,
        AesCm128HmacSha1With80,
        AesCm256HmacSha1With32,
        AesCm128HmacSha1With32,
    ];

    /// The suite of a name in `a=crypto`, in either case (RFC 4568 §9.2).
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0)
    }

    /// Its name in `a=crypto`.
    pub fn name(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The suite of a protection profile of DTLS (RFC 5764 §4.1.2).
    pub fn of_profile(number: u16) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == Some(number)).map(|row| row.0)
    }

    /// Its number as a protection profile of DTLS, if it has one.
    pub fn profile(self) -> Option<u16> {
        TABLE.iter().find(|row| row.0 == self).and_then(|row| row.2)
    }

    /// Octets of the master key.
    pub const fn key_octets(self) -> usize {
        match self {
            AesCm128HmacSha1With80 | AesCm128HmacSha1With32 | AeadAes128Gcm => 16,
            AesCm256HmacSha1With80 | AesCm256HmacSha1With32 | AeadAes256Gcm => 32,
        }
    }

    /// Octets of the master salt.
    pub const fn salt_octets(self) -> usize {
        match self {
            AeadAes128Gcm | AeadAes256Gcm => 12,
            _ => 14,
        }
    }

    /// Octets by which a packet of sound grows.
    pub const fn tag_octets(self) -> usize {
        match self {
            AesCm128HmacSha1With80 | AesCm256HmacSha1With80 => 10,
            AesCm128HmacSha1With32 | AesCm256HmacSha1With32 => 4,
            AeadAes128Gcm | AeadAes256Gcm => 16,
        }
    }

    /// Octets of the tag of SRTCP, which is never short (RFC 3711 §5.2, RFC 4568 §6.2.1).
    pub const fn report_tag_octets(self) -> usize {
        match self {
            AeadAes128Gcm | AeadAes256Gcm => 16,
            _ => 10,
        }
    }

    /// Octets by which a report grows: its tag, and the word with its index (RFC 3711 §3.4).
    pub const fn report_cover_octets(self) -> u16 {
        self.report_tag_octets() as u16 + 4
    }

    pub(crate) const fn is_aead(self) -> bool {
        matches!(self, AeadAes128Gcm | AeadAes256Gcm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_is_found_by_its_names() {
        for suite in Suite::ALL {
            assert_eq!(Suite::named(&suite.name().to_lowercase()), Some(suite));
            if let Some(number) = suite.profile() {
                assert_eq!(Suite::of_profile(number), Some(suite));
            }
        }
        assert_eq!((Suite::named("NULL"), Suite::of_profile(5)), (None, None));
    }
}
