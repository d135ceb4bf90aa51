//! `Counts`: what the resolver has done, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters, from the start of the resolver.
#[derive(Debug, Default)]
pub struct Counts {
    /// Searches that were asked for.
    pub searches: Count,
    /// Searches that ended without a target.
    pub unlocated: Count,
    /// Searches that were refused because too many are under way.
    pub refused: Count,
    /// Questions that the cache or the table of hosts answered.
    pub cached: Count,
    /// Questions that an outdated answer was used for.
    pub stale: Count,
    /// Questions sent, each repeat too.
    pub sent: Count,
    /// Answers that were too long for a datagram, and were asked for again by TCP.
    pub long: Count,
    /// Servers that did not answer in time.
    pub silent: Count,
    /// Servers that could not answer, or answered nonsense.
    pub useless: Count,
    /// Answers that fit no question: late ones, or forged ones.
    pub strange: Count,
    /// Domains that offered TLS and do so no more (RFC 3263 §7).
    pub withdrawn: Count,
}

/// One counter.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
