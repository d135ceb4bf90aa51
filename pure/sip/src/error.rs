//! What could not be read, and where.

use std::fmt;

use bytes::Bytes;

/// Why, and at which octet, something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The element that failed, in the grammar's words: `"CSeq"`, `"Request-URI"`…
    pub what: &'static str,
    /// The octet, counted from 0, in the message (or in the value, when only a value was read).
    pub at: usize,
}

impl ParseError {
    /// The same error, as seen from a text that has `by` octets more in front.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self { what: self.what, at: self.at.saturating_add(by) }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad {} at octet {}", self.what, self.at)
    }
}

impl std::error::Error for ParseError {}

/// Octets that are no SIP message, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What came.
    pub wire: Bytes,
    /// The first thing that is wrong with it.
    pub error: ParseError,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Malformed {}
