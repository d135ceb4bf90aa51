//! `Drawer`: what the server keeps over a restart: the store of `io/store`, plugged into the driver of `io/net`.

use std::path::Path;
use std::sync::Arc;

use net::{Clock, Reply};
use protocol::{Answer, Record};
use store::{Durability, Kept, Opened, Restored, Store, Tell};

use crate::config;
use crate::log::Log;

/// The store, and what it held.
pub(crate) struct Drawer {
    store: Store<Waiter>,
    pub(crate) restored: Vec<Restored>,
}

impl Drawer {
    /// Opens the store in a folder; nothing when nothing is to be kept. What was lost on the way here is said.
    ///
    /// # Errors
    /// In words, when the folder cannot be used.
    pub(crate) fn open(
        folder: &Path,
        durability: config::Durability,
        log: Log,
    ) -> Result<Option<Self>, String> {
        let durability = match durability {
            config::Durability::Grouped => Durability::Grouped,
            config::Durability::Relaxed => Durability::Relaxed,
            config::Durability::Memory => return Ok(None),
        };
        let trouble = move |news: Result<(), String>| match news {
            Ok(()) => log.info("store_works_again", &[]),
            Err(what) => log.error("store_refuses", &[("what", (&what).into())]),
        };
        let opened = Store::open(folder, durability, Clock::start().now(), trouble);
        let Opened { store, restored, losses } = opened.map_err(|fault| fault.to_string())?;
        for loss in losses {
            log.warning("store_damaged", &[("what", (&loss.to_string()).into())]);
        }
        Ok(Some(Self { store, restored }))
    }

    /// What the store has done so far.
    pub(crate) const fn counts(&self) -> &Arc<store::Counts> {
        self.store.counts()
    }

    /// The part that takes records, now that what it held has been given out.
    pub(crate) fn keeper(self) -> impl net::Keeper + 'static {
        Keeper(self.store)
    }
}

/// A shard that waits for a record.
struct Waiter(Reply);

impl Tell for Waiter {
    fn tell(self, kept: Kept) {
        self.0.give(match kept {
            Kept::Safely => Answer::Kept,
            Kept::Not => Answer::NotKept,
        });
    }
}

struct Keeper(Store<Waiter>);

impl net::Keeper for Keeper {
    fn keep(&self, record: Arc<Record>, reply: Reply) {
        self.0.keep(record, Waiter(reply));
    }
}
