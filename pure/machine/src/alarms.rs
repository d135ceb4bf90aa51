//! `Alarms`: one alarm clock for a whole shard.
//!
//! Nothing is ever cancelled: an alarm that rings for someone whose plans have changed is simply set again, or
//! ignored. So leaving a state is cancelling its timer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Time;

/// Who wants to be woken when.
#[derive(Clone, Debug)]
pub struct Alarms<Id: Ord> {
    heap: BinaryHeap<Reverse<(Time, Id)>>,
}

impl<Id: Ord> Default for Alarms<Id> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new() }
    }
}

impl<Id: Ord> Alarms<Id> {
    /// Wakes `id` at `time`, or sooner.
    pub fn set(&mut self, time: Time, id: Id) {
        self.heap.push(Reverse((time, id)));
    }

    /// The next one due at `now`.
    pub fn due(&mut self, now: Time) -> Option<Id> {
        self.heap.peek().filter(|Reverse((time, _))| *time <= now)?;
        self.heap.pop().map(|Reverse((_, id))| id)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((time, _))| *time)
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// True when none is set.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_rings_first_and_only_when_due() {
        let mut alarms = Alarms::default();
        alarms.set(Time(5), 'b');
        alarms.set(Time(3), 'a');
        assert_eq!(alarms.next(), Some(Time(3)));
        assert_eq!(alarms.due(Time(2)), None);
        assert_eq!(alarms.due(Time(4)), Some('a'));
        assert_eq!(alarms.due(Time(4)), None);
    }
}
