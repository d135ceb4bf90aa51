//! `Clerk`: the thread that writes. While the disk takes one group, the next one gathers.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::Record;

use crate::counts::Counts;
use crate::desk::{Desk, Next};
use crate::file::File;
use crate::limits;
use crate::store::{Durability, Kept, Tell};

/// A record, and who waits for it.
pub(crate) struct Errand<T> {
    pub(crate) record: Arc<Record>,
    pub(crate) tell: Option<T>,
}

impl<T: Tell> Errand<T> {
    /// Tells who waits.
    pub(crate) fn tell(self, kept: Kept) {
        if let Some(tell) = self.tell {
            tell.tell(kept);
        }
    }
}

impl<T> fmt::Debug for Errand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Who is told, in words, when the disk begins to refuse and when it takes records again.
pub(crate) type Trouble = Box<dyn Fn(Result<(), String>) + Send>;

/// The thread's whole state.
pub(crate) struct Clerk<T: Tell> {
    file: File,
    desk: Arc<Desk<T>>,
    /// A group begins no sooner after the one before has begun.
    apart: Duration,
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

impl<T: Tell> Drop for Clerk<T> {
    /// However it ends: whoever waits is told that nothing is safe, and nobody waits any more.
    fn drop(&mut self) {
        self.desk.leave();
    }
}

impl<T: Tell> Clerk<T> {
    pub(crate) fn new(
        file: File,
        desk: Arc<Desk<T>>,
        durability: Durability,
        trouble: Trouble,
    ) -> Self {
        let apart = match durability {
            Durability::Grouped => limits::APART,
            Durability::Relaxed => limits::RELAXED,
        };
        Self { file, desk, apart, trouble, disk: Disk::Takes, counts: Arc::default() }
    }

    /// What it does, counted.
    pub(crate) const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Writes until the store is dropped, and then what is left.
    pub(crate) fn run(mut self) {
        let mut group = Vec::new();
        let mut earliest = Instant::now();
        let mut quiet = limits::QUIET;
        loop {
            let idle = (!self.file.is_folded()).then_some(quiet);
            match self.desk.next(earliest, idle, &mut group) {
                Next::Write => {
                    earliest = Instant::now() + self.apart;
                    self.write(&mut group);
                }
                // What does not work now lies well where it is.
                Next::Idle => {
                    let folded = self.file.fold();
                    quiet = if folded.is_ok() { Duration::ZERO } else { limits::AGAIN };
                    continue;
                }
                Next::End => break,
            }
            quiet = limits::QUIET;
        }
        while !self.file.is_folded() && self.file.fold().is_ok() {}
    }

    /// Writes a group, and tells who waits for it.
    fn write(&mut self, group: &mut Vec<Errand<T>>) {
        let began = Instant::now();
        let written = self.file.write(group.iter().map(|errand| &*errand.record));
        let ended = written.as_ref().map(drop).map_err(drop);
        self.counts.group(group.len(), began.elapsed(), ended);
        let kept = if written.is_ok() { Kept::Safely } else { Kept::Not };
        self.note(written);
        group.drain(..).for_each(|errand| errand.tell(kept));
        // What a busy hour needed is not kept.
        group.shrink_to(limits::A_GROUP);
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
