//! `Counts`: what the store has done, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters, from the opening of the store.
#[derive(Debug, Default)]
pub struct Counts {
    /// Records that were written.
    pub written: Count,
    /// Records that could not be written, or were not taken because too many waited.
    pub refused: Count,
    /// Groups of records that were written together: as many syncs of the disk, when every record is waited for.
    pub groups: Count,
    /// Microseconds that writing took, over all groups.
    pub micros: Count,
    /// 1 while the disk refuses.
    pub refusing: Count,
}

/// One counter.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Counts {
    /// A group was written, or not.
    pub(crate) fn group(&self, records: usize, took: Duration, written: Result<(), ()>) {
        self.groups.add(1);
        self.micros.add(usize::try_from(took.as_micros()).unwrap_or(usize::MAX));
        self.refusing.set(u64::from(written.is_err()));
        match written {
            Ok(()) => self.written.add(records),
            Err(()) => self.refused.add(records),
        }
    }
}
