//! `ParseError`: what could not be read, and where.

use std::fmt;

/// Why, and where, a description could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, in the grammar's words: `"port in m="`, `"o= (missing)"`…
    pub what: &'static str,
    /// The line, counted from 1.
    pub line: usize,
    /// The octet in the whole description, counted from 0.
    pub at: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad {} at line {}, octet {}", self.what, self.line, self.at)
    }
}

impl std::error::Error for ParseError {}
