//! `[server]`: how the server runs.

use std::num::NonZeroUsize;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// How the server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// How many threads own a node each; `None` is one per core.
    pub shards: Option<NonZeroUsize>,
}

impl Server {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let shards = written.number("shards", 0..=limits::SHARDS, faults);
        Self {
            shards: shards
                .and_then(|shards| usize::try_from(shards.value).ok())
                .and_then(NonZeroUsize::new),
        }
    }
}

pub(super) const SECTION: Section = Section {
    name: "server",
    repeated: false,
    about: "How the server runs.",
    keys: &[Key::new(
        "shards",
        "0",
        "How many threads share the calls; a call never leaves its shard. 0 is one per core: more would only take \
         turns.",
    )],
};
