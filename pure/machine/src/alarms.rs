//! `Alarms`: one alarm clock for a whole shard.
//!
//! Nothing is ever cancelled: an alarm that rings for someone whose plans have changed is simply set again, or
//! ignored. So leaving a state is cancelling its timer.
//!
//! Most alarms of a server are half a minute away, and there are hundreds of thousands of them. They wait in pages, unsorted, and are
//! sorted a page at a time when their page has come: setting one costs the same whatever else waits. In a page those that were set for
//! the same time ahead stand in order already, so it is a few sorted rows that are merged, and read from front to back; a heap of as
//! many jumps through memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::vec::IntoIter;

use crate::Time;

/// Who wants to be woken when.
#[derive(Clone, Debug)]
pub struct Alarms<Id: Ord> {
    /// Those of the page that has come, sorted.
    soon: IntoIter<(u32, Id)>,
    /// Those that were set for that page or an earlier one after it had come: few.
    late: BinaryHeap<Reverse<(Time, Id)>>,
    /// Those of the pages from this one on are in `later`.
    page: u64,
    later: BTreeMap<u64, Page<Id>>,
    count: usize,
}

/// An eighth of a second, and who wants to be woken in it, by the nanoseconds since its beginning: there may be millions.
#[derive(Clone, Debug)]
struct Page<Id> {
    first: u32,
    alarms: Vec<(u32, Id)>,
}

/// A page is 2²⁷ ns long: 0.13 s. Some hundred pages hold all of RFC 3261's timers.
const PAGE: u32 = 27;

/// The page of a time, and how far into it that is.
const fn page_of(time: Time) -> (u64, u32) {
    (time.0 >> PAGE, (time.0 & ((1 << PAGE) - 1)) as u32)
}

/// The time that far into a page.
const fn time_of(page: u64, within: u32) -> Time {
    Time((page << PAGE) | within as u64)
}

impl<Id: Ord> Default for Alarms<Id> {
    fn default() -> Self {
        let (soon, late) = (Vec::new().into_iter(), BinaryHeap::new());
        Self { soon, late, page: 0, later: BTreeMap::new(), count: 0 }
    }
}

impl<Id: Ord> Alarms<Id> {
    /// Wakes `id` at `time`, or sooner.
    pub fn set(&mut self, time: Time, id: Id) {
        self.count += 1;
        let (page, within) = page_of(time);
        if page < self.page {
            return self.late.push(Reverse((time, id)));
        }
        let page =
            self.later.entry(page).or_insert_with(|| Page { first: within, alarms: Vec::new() });
        page.first = page.first.min(within);
        page.alarms.push((within, id));
    }

    /// The next one due at `now`.
    pub fn due(&mut self, now: Time) -> Option<Id> {
        if self.soon.as_slice().is_empty() && self.late.is_empty() {
            self.turn_page(now);
        }
        let soon = self.soon.as_slice().first().map(|(within, id)| (self.here(*within), id));
        let late = self.late.peek().map(|Reverse((time, id))| (*time, id));
        let is_late = late.is_some_and(|late| soon.is_none_or(|soon| late < soon));
        let (time, _) = if is_late { late } else { soon }?;
        if time > now {
            return None;
        }
        self.count -= 1;
        if is_late {
            return self.late.pop().map(|Reverse((_, id))| id);
        }
        self.soon.next().map(|(_, id)| id)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Time> {
        let soon = self.soon.as_slice().first().map(|(within, _)| self.here(*within));
        let late = self.late.peek().map(|Reverse((time, _))| *time);
        // What has come is sooner than every page that has not.
        let come = soon.into_iter().chain(late).min();
        let first = || self.later.first_key_value();
        come.or_else(|| first().map(|(number, page)| time_of(*number, page.first)))
    }

    /// A time in the page that has come.
    const fn here(&self, within: u32) -> Time {
        time_of(self.page.wrapping_sub(1), within)
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when none is set.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sorts the alarms of the next page, when it has come.
    fn turn_page(&mut self, now: Time) {
        if let Some(page) = self.later.first_entry().filter(|page| *page.key() <= page_of(now).0) {
            self.page = *page.key() + 1;
            let mut alarms = page.remove().alarms;
            alarms.sort();
            self.soon = alarms.into_iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dice;

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

    #[test]
    fn all_ring_in_order_however_far_away_they_are() {
        let (mut alarms, mut dice) = (Alarms::default(), Dice::new(1));
        let mut expected = Vec::new();
        let mut now = Time(0);
        for id in 0..2000_u32 {
            let time = Time(now.0 + dice.below(1 << (20 + id % 16)));
            alarms.set(time, id);
            expected.push((time, id));
            expected.sort();
            assert_eq!(alarms.next(), expected.first().map(|(time, _)| *time));
            now = Time(now.0 + dice.below(1 << 27));
            while let Some(id) = alarms.due(now) {
                assert_eq!(expected.remove(0).1, id);
            }
            assert!(expected.first().is_none_or(|(time, _)| *time > now));
            assert_eq!(alarms.len(), expected.len());
        }
        assert!(!alarms.is_empty());
    }

    #[test]
    fn the_end_of_time_is_an_alarm_as_any_other() {
        let mut alarms = Alarms::default();
        alarms.set(Time::NEVER, 1);
        assert_eq!((alarms.next(), alarms.due(Time(9))), (Some(Time::NEVER), None));
        assert_eq!(alarms.due(Time::NEVER), Some(1));
    }
}
