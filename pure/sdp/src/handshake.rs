//! `a=fingerprint` and `a=setup`: with whom a DTLS handshake makes the keys, and who begins it (RFC 8122 §5, RFC 4145 §4, RFC 8842).

use std::fmt;

use crate::{Attribute, limits};

/// `a=fingerprint:<hash> <digest>`: a hash over the certificate of whoever says it (RFC 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// `sha-256`… in small letters. Which there are is not known here.
    pub hash: Box<str>,
    /// The hash.
    pub digest: Box<[u8]>,
}

impl Fingerprint {
    /// Reads an attribute's value; `None` for what is no fingerprint.
    pub fn parse(value: &str) -> Option<Self> {
        let (hash, digest) = value.trim().split_once(' ')?;
        let digest = digest.trim();
        if digest.len() > limits::FINGERPRINT {
            return None;
        }
        let octet = |pair: &str| {
            let is_hex = pair.len() == 2 && pair.bytes().all(|octet| octet.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let digest = digest.split(':').map(octet).collect::<Option<Box<[u8]>>>()?;
        Some(Self { hash: hash.to_ascii_lowercase().into(), digest })
    }

    pub(crate) fn attribute(&self) -> Attribute {
        Attribute::new("fingerprint", self.to_string())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)?;
        for (at, octet) in self.digest.iter().enumerate() {
            write!(f, "{}{octet:02X}", if at == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

/// `a=setup`: who begins the handshake (RFC 4145 §4, RFC 5763 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Whoever says it.
    Active,
    /// The other side.
    Passive,
    /// Either: only in an offer.
    ActPass,
}

impl Setup {
    /// Reads an attribute's value; `None` for `holdconn` too, with which no key would ever come.
    pub fn parse(value: &str) -> Option<Self> {
        match value.trim() {
            "active" => Some(Self::Active),
            "passive" => Some(Self::Passive),
            "actpass" => Some(Self::ActPass),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        }
    }

    pub(crate) fn attribute(self) -> Attribute {
        Attribute::new("setup", self.name())
    }
}

/// Our part of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// We begin: the DTLS client.
    Active,
    /// They do: we are the DTLS server.
    Passive,
}

impl Part {
    pub(crate) const fn setup(self) -> Setup {
        match self {
            Self::Active => Setup::Active,
            Self::Passive => Setup::Passive,
        }
    }
}

/// What was agreed on about a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Our part.
    pub part: Part,
    /// What the other side's certificate must be; one of these is enough, and those with a hash that we do not know count for nothing
    /// (RFC 8122 §5.1).
    pub theirs: Vec<Fingerprint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_either_case_and_written_in_capitals() {
        let read = Fingerprint::parse("SHA-256 ab:CD:0f").unwrap();
        assert_eq!((&*read.hash, &*read.digest), ("sha-256", &[0xab, 0xcd, 0x0f][..]));
        assert_eq!(read.to_string(), "sha-256 AB:CD:0F");
        for bad in ["sha-256", "sha-256 ", "sha-256 ABC", "sha-256 AB:C", "sha-256 +1:02", ""] {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
        assert_eq!(Fingerprint::parse(&format!("sha-256 {}AB", "AB:".repeat(99))), None);
    }

    #[test]
    fn who_would_hold_the_connection_makes_none() {
        for setup in [Setup::Active, Setup::Passive, Setup::ActPass] {
            assert_eq!(Setup::parse(setup.attribute().text()), Some(setup));
        }
        assert_eq!(Setup::parse("holdconn"), None);
    }
}
