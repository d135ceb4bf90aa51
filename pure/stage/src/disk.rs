//! `Disk`: what a server keeps in the simulated world, and how quickly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Answer, Record};

/// A disk. Records that it has are safe, whatever becomes of the server.
#[derive(Debug, Default)]
pub struct Disk {
    records: BTreeMap<Box<[u8]>, Record>,
    /// How it does.
    pub health: Health,
}

/// How a disk does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Every record is safe at once.
    #[default]
    Quick,
    /// After so long.
    Slow(Duration),
    /// It takes nothing, and says so.
    Full,
    /// It takes nothing, and does not say so.
    Dead,
}

impl Disk {
    /// What is kept.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Takes a record; the answer, and after how long it comes.
    pub(crate) fn keep(&mut self, record: Arc<Record>) -> Option<(Duration, Answer)> {
        let delay = match self.health {
            Health::Quick => Duration::ZERO,
            Health::Slow(delay) => delay,
            Health::Full => return Some((Duration::ZERO, Answer::NotKept)),
            Health::Dead => return None,
        };
        if record.value.is_empty() {
            self.records.remove(&record.key);
        } else {
            self.records.insert(record.key.clone(), Arc::unwrap_or_clone(record));
        }
        Some((delay, Answer::Kept))
    }
}
