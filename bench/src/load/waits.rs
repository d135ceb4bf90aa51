//! `Waits`: how long what was asked for took until it was seen again, beyond the server.

use std::time::{Duration, Instant};

pub(crate) struct Waits {
    began: Instant,
    /// When each was due, counted from the beginning.
    rate: f64,
    waited: Vec<Duration>,
}

impl Waits {
    /// So many a second are due from now on.
    pub(crate) fn begin(rate: f64) -> Self {
        Self { began: Instant::now(), rate, waited: Vec::new() }
    }

    /// How many are due by now.
    pub(crate) fn due(&self) -> usize {
        (self.rate * self.began.elapsed().as_secs_f64()) as usize
    }

    /// The time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The `nth` is seen: it was due when it was due, also if it was sent too late.
    pub(crate) fn seen(&mut self, nth: usize) {
        let due = Duration::from_secs_f64(nth as f64 / self.rate);
        self.waited.push(self.began.elapsed().saturating_sub(due));
    }

    /// The times within which these shares of them were seen, in µs.
    pub(crate) fn within<const N: usize>(mut self, shares: [f64; N]) -> [u128; N] {
        self.waited.sort_unstable();
        let last = self.waited.len().saturating_sub(1);
        let at = |share: f64| self.waited.get((last as f64 * share) as usize);
        shares.map(|share| at(share).map_or(0, Duration::as_micros))
    }
}
