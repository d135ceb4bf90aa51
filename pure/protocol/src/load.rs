//! How much there is to do, and what is done about it below the messages.

use std::time::Duration;

/// How it goes with what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How long ago everything that had come was read last.
    pub waited: Duration,
    /// Datagrams that were thrown away since, because there was no room for them.
    pub lost: u64,
    /// More has come that is not read yet.
    pub unread: bool,
}

/// What need not be read of what comes by datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deafness {
    /// So many of 1024 requests that begin something.
    pub share: u16,
    /// But none that calls one of these.
    pub spared: Box<[Box<str>]>,
}
