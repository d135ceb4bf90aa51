//! `Knocks`: whom the console has not let in. Who tries tokens is seen; who tries many a second fills no disk.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::log::{Log, now_since_1970};

/// Whom the console has not let in.
#[derive(Debug)]
pub(crate) struct Knocks {
    log: Log,
    count: AtomicU64,
    said: Mutex<Said>,
}

/// What was said.
#[derive(Debug, Default)]
struct Said {
    /// In which second.
    second: u64,
    /// How often nothing was said since.
    left_out: u64,
}

impl Knocks {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, count: AtomicU64::new(0), said: Mutex::default() }
    }

    /// Somebody was not let in: said once a second at most.
    pub(super) fn note(&self, source: IpAddr, code: &str) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let second = now_since_1970().as_secs();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.second == second {
            said.left_out = said.left_out.saturating_add(1);
            return;
        }
        let left_out = std::mem::replace(&mut *said, Said { second, left_out: 0 }).left_out;
        drop(said);
        let source = source.to_string();
        let fields =
            [("source", (&source).into()), ("code", code.into()), ("left_out", left_out.into())];
        self.log.warning("console_refused", &fields);
    }

    /// How often.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
