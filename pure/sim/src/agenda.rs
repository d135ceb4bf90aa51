//! `Agenda`: what will happen when. Of two things at the same moment, the one planned first comes first.

use std::collections::BTreeMap;

use machine::Time;

/// A queue of events by time.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    events: BTreeMap<(Time, u64), E>,
    planned: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), planned: 0 }
    }
}

impl<E> Agenda<E> {
    pub(crate) fn plan(&mut self, time: Time, event: E) {
        self.events.insert((time, self.planned), event);
        self.planned = self.planned.wrapping_add(1);
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.events.first_key_value().map(|((time, _), _)| *time)
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, E)> {
        self.events.pop_first().map(|((time, _), event)| (time, event))
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_time_and_then_in_the_order_of_planning() {
        let mut agenda = Agenda::default();
        for (time, event) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b')] {
            agenda.plan(Time(time), event);
        }
        let order: String = std::iter::from_fn(|| agenda.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcd");
    }
}
