//! `Census`: how many connections there are, in total and from each source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::plan::Crowd;

/// Counts connections over all shards. It is locked when one is opened or closed, never in between.
#[derive(Clone, Debug)]
pub(crate) struct Census {
    counts: Arc<Mutex<Counts>>,
    crowd: Crowd,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    sources: HashMap<IpAddr, usize>,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Census,
    source: IpAddr,
}

impl Census {
    pub(crate) fn new(crowd: Crowd) -> Self {
        Self { counts: Arc::default(), crowd }
    }

    /// A place for a connection from a source; `None` when there are too many.
    pub(crate) fn seat(&self, source: IpAddr) -> Option<Seat> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let from_there = counts.sources.get(&source).copied().unwrap_or(0);
        if counts.all >= self.crowd.connections || from_there >= self.crowd.a_source {
            return None;
        }
        counts.all += 1;
        counts.sources.insert(source, from_there + 1);
        Some(Seat { census: self.clone(), source })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(count) = counts.sources.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.sources.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_seats_and_they_come_back() {
        let census = Census::new(Crowd { connections: 3, a_source: 2, write_queue: 0 });
        let (a, b): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        let one = census.seat(a).unwrap();
        let _two = census.seat(a).unwrap();
        assert!(census.seat(a).is_none(), "the source has two");
        let _three = census.seat(b).unwrap();
        assert!(census.seat(b).is_none(), "there are three in all");
        drop(one);
        assert!(census.seat(a).is_some());
        assert_eq!(census.counts.lock().unwrap().sources.len(), 2);
    }
}
