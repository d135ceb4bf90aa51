//! `Redirect`: a user that is somewhere else (RFC 3261 §8.3).

/// A user that is somewhere else: answered with 302 (RFC 3261 §8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The user part, unescaped.
    pub user: Box<str>,
    /// Where to try instead: SIP URIs, best first.
    pub to: Vec<Box<str>>,
}
