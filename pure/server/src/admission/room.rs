//! `Room`: where what would begin something waits until there is time for it. What goes on with something is done first, and at once; so
//! whatever comes, no more is begun than can be brought to its end.
//!
//! As long as everybody finds time here, who came first goes first. When there is too much to do, who came last goes first (adaptive
//! LIFO): then those who are served are served at once, and the others are refused, instead of all being served too late.

use std::collections::VecDeque;
use std::time::Duration;

use machine::Time;
use protocol::transaction::Newcomer;

use super::class::Class;
use crate::limits;

/// Who waits, the most urgent first.
#[derive(Debug, Default)]
pub(crate) struct Room {
    emergencies: Queue,
    known: Queue,
    new: Queue,
}

/// Since when each has waited.
type Queue = VecDeque<(Time, Newcomer)>;

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Who came first.
    Oldest,
    /// Who came last.
    Newest,
}

impl Room {
    /// True when nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.emergencies.len() + self.known.len() + self.new.len()
    }

    /// Lets somebody wait. When the room is full, somebody else has to go.
    pub(crate) fn put(
        &mut self,
        now: Time,
        class: Class,
        newcomer: Newcomer,
    ) -> Option<(Class, Newcomer)> {
        let displaced = if self.len() < limits::ROOM { None } else { self.least_urgent() };
        self.queue(class).push_back((now, newcomer));
        displaced
    }

    fn least_urgent(&mut self) -> Option<(Class, Newcomer)> {
        [Class::New, Class::Known, Class::Emergency]
            .into_iter()
            .find_map(|class| Some((class, self.queue(class).pop_front()?.1)))
    }

    /// Somebody who has waited for too long. Whoever is known may wait twice as long, and who calls for help is never sent away.
    pub(crate) fn overdue(&mut self, now: Time, patience: Duration) -> Option<(Class, Newcomer)> {
        [(Class::New, patience), (Class::Known, patience * 2)].into_iter().find_map(
            |(class, patience)| {
                let queue = self.queue(class);
                queue.front().filter(|(since, _)| now - *since > patience)?;
                Some((class, queue.pop_front()?.1))
            },
        )
    }

    /// Whose turn it is.
    pub(crate) fn next(&mut self, order: Order) -> Option<(Class, Newcomer)> {
        [Class::Emergency, Class::Known, Class::New].into_iter().find_map(|class| {
            let queue = self.queue(class);
            let next = match order {
                Order::Oldest => queue.pop_front(),
                Order::Newest => queue.pop_back(),
            };
            Some((class, next?.1))
        })
    }

    const fn queue(&mut self, class: Class) -> &mut Queue {
        match class {
            Class::Emergency | Class::Within => &mut self.emergencies,
            Class::Known => &mut self.known,
            Class::New => &mut self.new,
        }
    }
}
