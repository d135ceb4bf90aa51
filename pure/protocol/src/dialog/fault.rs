//! What a peer can do wrong within a dialog, and what we answer.

use std::fmt;

use sip::Status;

/// A peer's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A request older than one that we have seen (RFC 3261 §12.2.2).
    StaleCSeq {
        /// Its number.
        got: u32,
        /// The highest that we have seen.
        seen: u32,
    },
    /// A request that makes a dialog does not say where to reach its sender (RFC 3261 §8.1.1.8).
    NoContact,
    /// From, To or CSeq cannot be read.
    Unreadable,
}

impl Fault {
    /// The status to answer with.
    pub const fn status(self) -> Status {
        match self {
            Self::StaleCSeq { .. } => Status::SERVER_INTERNAL_ERROR,
            Self::NoContact | Self::Unreadable => Status::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleCSeq { got, seen } => write!(f, "CSeq {got} is older than {seen}"),
            Self::NoContact => f.write_str("Contact is missing"),
            Self::Unreadable => f.write_str("From, To or CSeq cannot be read"),
        }
    }
}
