//! `Seats`: how many may be connected at once, and who must go when somebody new comes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::task::AbortHandle;

/// The places of all connections.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    most: usize,
    table: Rc<RefCell<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    taken: BTreeMap<u64, Place>,
}

#[derive(Debug, Default)]
struct Place {
    /// Ends the connection; nothing while it is just being made.
    end: Option<AbortHandle>,
    proven: bool,
}

/// The place of one connection; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    number: u64,
}

impl Seats {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, table: Rc::default() }
    }

    /// A place for a connection. When there is none left, the oldest that has not yet asked anything that it may ask must go: strangers
    /// who only hold places keep nobody out. `None` when all have.
    pub(crate) fn take(&self) -> Option<Seat> {
        let mut table = self.table.borrow_mut();
        if table.taken.len() >= self.most {
            let (oldest, _) = table.taken.iter().find(|(_, place)| !place.proven)?;
            let oldest = *oldest;
            let gone = table.taken.remove(&oldest)?;
            gone.end.iter().for_each(AbortHandle::abort);
        }
        table.last += 1;
        let number = table.last;
        table.taken.insert(number, Place::default());
        Some(Seat { seats: self.clone(), number })
    }

    /// True when nobody is connected.
    pub(crate) fn are_free(&self) -> bool {
        self.table.borrow().taken.is_empty()
    }

    /// How a connection can be ended.
    pub(crate) fn ends(&self, number: u64, end: AbortHandle) {
        if let Some(place) = self.table.borrow_mut().taken.get_mut(&number) {
            place.end = Some(end);
        }
    }
}

impl Seat {
    /// Which it is.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// It has asked something that it may ask: it is not the first to go any more.
    pub(crate) fn prove(&self) {
        if let Some(place) = self.seats.table.borrow_mut().taken.get_mut(&self.number) {
            place.proven = true;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table.borrow_mut().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_proven_nothing_goes_first() {
        let seats = Seats::new(2);
        let (first, second) = (seats.take().unwrap(), seats.take().unwrap());
        first.prove();
        let third = seats.take().expect("the second goes");
        assert_eq!(seats.table.borrow().taken.keys().copied().collect::<Vec<_>>(), [1, 3]);
        drop(second);
        third.prove();
        assert!(seats.take().is_none());
        drop(first);
        assert_eq!(seats.take().unwrap().number(), 4);
    }
}
