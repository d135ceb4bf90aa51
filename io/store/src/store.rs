//! `Store`: where shards hand records in.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use machine::Time;
use protocol::Record;

use crate::clerk::{Clerk, Errand};
use crate::counts::Counts;
use crate::desk::Desk;
use crate::file::File;
use crate::{Fault, limits};

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk. Records that come while the disk is busy go there together.
    Grouped,
    /// At once: a crash may lose the last moment.
    Relaxed,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is safe.
    Safely,
    /// It is not on disk: the disk is full or broken, or too much waits for it.
    Not,
}

/// Somebody who waits to be told what became of a record. Dropped untold: it is not known to be safe.
pub trait Tell: Send + 'static {
    /// By any thread, once.
    fn tell(self, kept: Kept);
}

impl<F: FnOnce(Kept) + Send + 'static> Tell for F {
    fn tell(self, kept: Kept) {
        self(kept);
    }
}

/// A record of an earlier life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Under what it was kept.
    pub key: Box<[u8]>,
    /// What was kept.
    pub value: Box<[u8]>,
    /// How far the clock was set since, in milliseconds: to be added to the times in the value.
    pub shift: i64,
}

/// Something that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Octets behind the last commit that counts: what was being written when the process or the machine died, and nobody had been told that it was safe; or what the disk has
    /// changed, and all behind it.
    Tail(u64),
    /// Records whose octets are not what was written.
    Records(u64),
    /// So many batches could not be read: some of those that came when many did, and of their keys what was said before is what is known.
    Batches(u64),
    /// The file was damaged. It lies at this place now; what could be read was taken over.
    Table(PathBuf),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tail(octets) => write!(
                f,
                "{octets} octets at the end of the log were never completed, or the disk has changed them, and are cut off; of what was never completed nothing was acknowledged"
            ),
            Self::Records(count) => write!(f, "{count} records were damaged and are left out"),
            Self::Batches(count) => write!(
                f,
                "{count} batches of records could not be read, each of what many said at once: of those what they had said before is what is known now"
            ),
            Self::Table(aside) => write!(
                f,
                "the file was damaged: it lies at {} now, and what could be read was taken over",
                aside.display()
            ),
        }
    }
}

/// The records of this machine, and who waits for each. Dropping it writes what waits.
pub struct Store<T: Tell = Box<dyn FnOnce(Kept) + Send>> {
    durability: Durability,
    desk: Arc<Desk<T>>,
    clerk: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

/// A store that has been opened, and what it held.
pub struct Opened<T: Tell = Box<dyn FnOnce(Kept) + Send>> {
    /// The store.
    pub store: Store<T>,
    /// The records that had not ended by now.
    pub restored: Vec<Restored>,
    /// What is gone.
    pub losses: Vec<Loss>,
}

impl<T: Tell> Store<T> {
    /// Opens the store in a folder, and makes both where there is none. `trouble` is told, in words, when the disk begins to refuse and
    /// when it takes records again.
    ///
    /// # Errors
    /// When the folder is not ours to write, another process serves from it, or a newer program wrote it.
    pub fn open(
        folder: &Path,
        durability: Durability,
        now: Time,
        trouble: impl Fn(Result<(), String>) + Send + 'static,
    ) -> Result<Opened<T>, Fault> {
        let (file, restored, losses) = File::open(folder, durability, now)?;
        let desk = Arc::new(Desk::default());
        let clerk = Clerk::new(file, Arc::clone(&desk), durability, Box::new(trouble));
        let counts = Arc::clone(clerk.counts());
        let clerk = thread::Builder::new()
            .name("store".into())
            .spawn(move || clerk.run())
            .map_err(|error| Fault::Folder(folder.into(), error))?;
        let store = Self { durability, desk, clerk: Some(clerk), counts };
        Ok(Opened { store, restored, losses })
    }

    /// What it has done so far.
    pub const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Hands a record in, and returns at once. `tell` is told when it is safe, or is known not to be.
    pub fn keep(&self, record: impl Into<Arc<Record>>, tell: T) {
        let record = record.into();
        if record.key.len().saturating_add(record.value.len()) > limits::RECORD {
            return tell.tell(Kept::Not);
        }
        // While the disk refuses nobody is told at once: it would be so for none of them.
        let refuses = self.counts.refusing.get() > 0;
        let (tell, at_once) = match self.durability {
            Durability::Relaxed if !refuses => (None, Some(tell)),
            Durability::Grouped | Durability::Relaxed => (Some(tell), None),
        };
        let kept = match self.desk.put(Errand { record, tell }) {
            Ok(()) => Kept::Safely,
            Err(errand) => {
                self.counts.refused.add(1);
                errand.tell(Kept::Not);
                Kept::Not
            }
        };
        if let Some(tell) = at_once {
            tell.tell(kept);
        }
    }
}

impl<T: Tell> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("durability", &self.durability).finish_non_exhaustive()
    }
}

impl<T: Tell> fmt::Debug for Opened<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, lost) = (self.restored.len(), &self.losses);
        let mut opened = f.debug_struct("Opened");
        opened.field("restored", &held).field("losses", lost).finish_non_exhaustive()
    }
}

impl<T: Tell> Drop for Store<T> {
    fn drop(&mut self) {
        self.desk.close();
        if let Some(clerk) = self.clerk.take() {
            // A clerk that panicked has told nobody that anything is safe.
            drop(clerk.join());
        }
    }
}
