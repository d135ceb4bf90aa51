//! `Endings`: calls that an operator ends, or has ended a moment ago. Each has one alarm: until then its answers are waited for, then it is remembered.

use std::collections::{BTreeMap, BTreeSet};

use machine::Time;

use super::Ending;

/// Calls that an operator ends, under their numbers.
#[derive(Debug, Default)]
pub(super) struct Endings {
    all: BTreeMap<u64, Ending>,
    /// When something is due for each: the `until` of all that are there.
    alarms: BTreeSet<(Time, u64)>,
}

impl Endings {
    /// The end of a call begins, in the place of one before it.
    pub(super) fn begin(&mut self, number: u64, ending: Ending) {
        self.forget(number);
        self.alarms.insert((ending.until, number));
        self.all.insert(number, ending);
    }

    pub(super) fn get(&self, number: u64) -> Option<&Ending> {
        self.all.get(&number)
    }

    /// Something was answered; how it is then, if it is there.
    pub(super) fn change(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut Ending),
    ) -> Option<Ending> {
        let ending = self.all.get_mut(&number)?;
        let before = ending.until;
        change(ending);
        let changed = *ending;
        self.alarms.remove(&(before, number));
        self.alarms.insert((changed.until, number));
        Some(changed)
    }

    pub(super) fn forget(&mut self, number: u64) {
        if let Some(ending) = self.all.remove(&number) {
            self.alarms.remove(&(ending.until, number));
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// The first for which something is due now.
    pub(super) fn due(&self, now: Time) -> Option<(u64, Ending)> {
        let (_, number) = self.alarms.first().filter(|(at, _)| *at <= now)?;
        Some((*number, *self.all.get(number)?))
    }
}
