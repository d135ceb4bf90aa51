//! `Stall`: since when a peer takes too little of what is written to it. That it takes a little now and then is not enough: what waited when it
//! began has to go in time.

use machine::Time;

/// What waited when the kernel took no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stall {
    /// Nothing waits.
    None,
    /// So many octets have waited since then.
    Since { since: Time, left: usize },
}

impl Stall {
    /// The kernel takes no more now, and so many octets wait.
    pub(crate) const fn begin(&mut self, now: Time, waiting: usize) {
        if matches!(self, Self::None) {
            *self = Self::Since { since: now, left: waiting };
        }
    }

    /// So many octets were taken: when those are all that waited at the beginning, what came behind them begins anew.
    pub(crate) fn taken(&mut self, octets: usize) {
        if let Self::Since { left, .. } = self {
            *left = left.saturating_sub(octets);
            if *left == 0 {
                *self = Self::None;
            }
        }
    }

    /// Since when.
    pub(crate) const fn since(self) -> Option<Time> {
        match self {
            Self::None => None,
            Self::Since { since, .. } => Some(since),
        }
    }
}
