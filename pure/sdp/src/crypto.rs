//! `a=crypto`: a key for SRTP, told in the description itself (RFC 4568). Whoever reads the description can hear the call.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Attribute, limits};

/// `a=crypto:<tag> <suite> inline:<key and salt>…` as far as both sides have to agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// Names this line within its section, at most nine digits.
    pub tag: u32,
    /// `AES_CM_128_HMAC_SHA1_80`… Which there are is not known here.
    pub suite: Box<str>,
    /// The master key and its salt, for what the side that writes this sends.
    pub key: Secret,
}

/// Octets that are in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl From<Vec<u8>> for Secret {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

impl Secret {
    /// The octets, for the cipher.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl Crypto {
    /// Reads an attribute's value. What we could not do as it says is nothing: several keys, a master key index, keys that live for less than a
    /// call may last, session parameters other than `WSH` (RFC 4568 §6.1, §6.3; one with a `-` in front may be ignored).
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields.next().filter(|tag| tag.len() <= 9)?.parse().ok()?;
        let suite = fields.next()?;
        let (method, info) = fields.next()?.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") || info.contains(';') {
            return None;
        }
        let mut parts = info.split('|');
        let key = STANDARD.decode(parts.next().filter(|key| key.len() <= limits::KEY)?).ok()?;
        let lives = match (parts.next(), parts.next()) {
            (None, _) => true,
            (Some(lifetime), None) => lives_long(lifetime),
            (Some(_), Some(_)) => false,
        };
        let known = |parameter: &str| {
            parameter.starts_with('-')
                || parameter.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("WSH="))
        };
        (lives && fields.all(known)).then(|| Self { tag, suite: suite.into(), key: key.into() })
    }

    pub(crate) fn has_suite(&self, suite: &str) -> bool {
        self.suite.eq_ignore_ascii_case(suite)
    }

    pub(crate) fn attribute(&self) -> Attribute {
        let (tag, suite, key) = (self.tag, &self.suite, STANDARD.encode(self.key.reveal()));
        Attribute::new("crypto", format!("{tag} {suite} inline:{key}"))
    }
}

/// Whether so many packets are more than a call has: 2^20 are nearly six hours of sound.
fn lives_long(lifetime: &str) -> bool {
    match lifetime.strip_prefix("2^") {
        Some(power) => power.parse::<u8>().is_ok_and(|power| (20..=48).contains(&power)),
        None => lifetime.parse::<u64>().is_ok_and(|packets| packets >= 1 << 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn a_key_is_read_as_the_rfc_writes_it_and_written_back() {
        let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20 -FEC=1 WSH=64");
        let crypto = Crypto::parse(&line).unwrap();
        assert_eq!((crypto.tag, &*crypto.suite), (1, "AES_CM_128_HMAC_SHA1_80"));
        assert_eq!(crypto.key.reveal(), b"YS___semctl () {\t220;}\n}\nunles");
        let written = crypto.attribute();
        assert_eq!(written.text(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
        assert!(!format!("{crypto:?}").contains("semctl"), "{crypto:?}");
    }

    #[test]
    fn what_we_could_not_do_as_it_says_is_nothing() {
        let is_nothing = |line: String| assert_eq!(Crypto::parse(&line), None, "{line}");
        is_nothing(format!("1 F8_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"));
        is_nothing(format!("1 S inline:{KEY}|2^20|1:4"));
        is_nothing(format!("1 S inline:{KEY}|1:4"));
        is_nothing(format!("1 S inline:{KEY}|2^10"));
        is_nothing(format!("1 S inline:{KEY} UNENCRYPTED_SRTP"));
        is_nothing(format!("1234567890 S inline:{KEY}"));
        is_nothing("1 S inline:!".into());
        is_nothing(format!("1 S uri:{KEY}"));
        is_nothing("1 S".into());
        is_nothing(String::new());
    }
}
