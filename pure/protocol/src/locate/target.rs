//! `Target`: an address to try; `Unlocated`: why there is none (RFC 3263 §4).

use std::fmt;
use std::net::SocketAddr;

use crate::transport::Transport;

/// An address to try.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// How to go there.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The domain that was asked for: who a TLS peer must prove to be, whatever the DNS said (RFC 5922 §7.3).
    pub domain: Box<str>,
}

impl Target {
    /// What its [state](super::States) is kept by: addresses fail, not names.
    pub const fn key(&self) -> (Transport, SocketAddr) {
        (self.transport, self.address)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.address)
    }
}

/// Why nobody can be contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unlocated {
    /// The host is no name that the DNS could know.
    NoName,
    /// No transport that this side speaks and the URI, or the domain, allows.
    NoTransport,
    /// The DNS knows no server and no address of that name.
    Unknown,
    /// The domain says that it has no such service (RFC 2782: a target of ".").
    NotOffered,
    /// There are addresses, and this side can use none of them: the wrong family, or no address of a host.
    Unusable,
    /// The DNS did not answer, or not in time.
    NoAnswer,
}

impl fmt::Display for Unlocated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoName => "the host is no valid name",
            Self::NoTransport => "no transport in common",
            Self::Unknown => "the name is unknown",
            Self::NotOffered => "the domain offers no such service",
            Self::Unusable => "no address that can be used from here",
            Self::NoAnswer => "the DNS did not answer",
        })
    }
}
