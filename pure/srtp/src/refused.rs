//! `Refused`: why a packet is neither sent nor let in.

use std::fmt;

/// Why a packet is neither sent nor let in. It is dropped, and nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It ends before its header, its tag or its lengths say.
    Short,
    /// Its tag is not that of the key: forged, garbled, or of another key (RFC 3711 §3.3, "authentication failure").
    Forged,
    /// It was let in before, or is too old to know (RFC 3711 §3.3.2).
    Replayed,
    /// More than [`limits::SOURCES`](crate::limits::SOURCES) sources.
    TooManySources,
    /// The key has protected as much as it may (RFC 3711 §9.2): there must be a new one.
    UsedUp,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "ends before its lengths say",
            Self::Forged => "its tag is not that of the key",
            Self::Replayed => "was let in before, or is too old",
            Self::TooManySources => "too many sources under one key",
            Self::UsedUp => "the key has protected as much as it may",
        })
    }
}

impl std::error::Error for Refused {}
