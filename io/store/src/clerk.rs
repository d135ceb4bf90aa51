//! `Clerk`: the thread that writes. While the disk takes one group, the next one gathers.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use protocol::Record;

use crate::counts::Counts;
use crate::file::File;
use crate::limits;
use crate::store::{Durability, Kept, Tell};

/// A record, and who waits for it.
pub(crate) struct Errand {
    pub(crate) record: Record,
    pub(crate) tell: Option<Tell>,
}

impl Errand {
    /// Tells who waits.
    pub(crate) fn tell(self, kept: Kept) {
        if let Some(tell) = self.tell {
            tell(kept);
        }
    }
}

/// Who is told, in words, when the disk begins to refuse and when it takes records again.
pub(crate) type Trouble = Box<dyn Fn(Result<(), String>) + Send>;

/// The thread's whole state.
pub(crate) struct Clerk {
    file: File,
    inbox: Receiver<Errand>,
    gather: Duration,
    trouble: Trouble,
    disk: Disk,
    counts: Arc<Counts>,
}

/// How the disk did last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Takes,
    Refuses,
}

impl Clerk {
    pub(crate) fn new(
        file: File,
        inbox: Receiver<Errand>,
        durability: Durability,
        trouble: Trouble,
    ) -> Self {
        let gather = match durability {
            // The disk itself is slow enough.
            Durability::Grouped => Duration::ZERO,
            Durability::Relaxed => limits::RELAXED,
        };
        Self { file, inbox, gather, trouble, disk: Disk::Takes, counts: Arc::default() }
    }

    /// What it does, counted.
    pub(crate) const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Writes until the store is dropped, and then what is left.
    pub(crate) fn run(mut self) {
        let mut group = Vec::new();
        while self.gather(&mut group) {
            let began = Instant::now();
            let written = self.file.write(group.iter().map(|errand: &Errand| &errand.record));
            let ended = written.as_ref().map(drop).map_err(drop);
            self.counts.group(group.len(), began.elapsed(), ended);
            let kept = if written.is_ok() { Kept::Safely } else { Kept::Not };
            self.note(written);
            group.drain(..).for_each(|errand| errand.tell(kept));
        }
    }

    /// Waits for the first record, takes those that are there, and for a while those that come. False when nobody can send any more.
    fn gather(&self, group: &mut Vec<Errand>) -> bool {
        let Ok(first) = self.inbox.recv() else { return false };
        group.push(first);
        let until = Instant::now() + self.gather;
        while group.len() < limits::A_GROUP {
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(errand) => group.push(errand),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        true
    }

    /// Says it once when the disk begins to refuse, and once when it takes again.
    fn note(&mut self, written: rusqlite::Result<()>) {
        match (written, self.disk) {
            (Ok(()), Disk::Refuses) => {
                self.disk = Disk::Takes;
                (self.trouble)(Ok(()));
            }
            (Err(error), Disk::Takes) => {
                self.disk = Disk::Refuses;
                (self.trouble)(Err(error.to_string()));
            }
            _ => {}
        }
    }
}
