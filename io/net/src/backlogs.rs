//! `Backlogs`: what waits to be written to all peers of one shard together, and whose is the most of it.

use std::collections::{BTreeSet, HashMap};

/// Connections to which much waits to be written.
#[derive(Debug)]
pub(crate) struct Backlogs {
    most: usize,
    total: usize,
    of: HashMap<u32, usize>,
    order: BTreeSet<(usize, u32)>,
}

/// What waits to be written to one connection is counted from so many octets on: hardly ever anything does.
const MUCH: usize = 4 * 1024;

impl Backlogs {
    /// So much at most, of all together.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, total: 0, of: HashMap::new(), order: BTreeSet::new() }
    }

    /// So much waits for a connection; says which one must go when it is too much of all together: that to which most waits.
    pub(crate) fn note(&mut self, connection: u32, waiting: usize) -> Option<u32> {
        if waiting < MUCH {
            self.forget(connection);
            return None;
        }
        self.forget(connection);
        self.of.insert(connection, waiting);
        self.order.insert((waiting, connection));
        self.total = self.total.saturating_add(waiting);
        let goes = self.order.last().filter(|_| self.total > self.most);
        goes.map(|(_, connection)| *connection)
    }

    /// Nothing waits there any more.
    pub(crate) fn forget(&mut self, connection: u32) {
        if self.of.is_empty() {
            return;
        }
        let Some(waiting) = self.of.remove(&connection) else { return };
        self.order.remove(&(waiting, connection));
        self.total = self.total.saturating_sub(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_too_much_waits_the_one_to_whom_most_does_has_to_go() {
        let mut backlogs = Backlogs::new(100 * MUCH);
        for connection in 0..9 {
            assert_eq!(backlogs.note(connection, 10 * MUCH), None);
        }
        assert_eq!(backlogs.note(9, MUCH - 1), None, "that is not much");
        assert_eq!(backlogs.note(3, 20 * MUCH), None);
        assert_eq!(backlogs.note(9, MUCH), Some(3));
        backlogs.forget(3);
        assert_eq!(backlogs.note(9, 2 * MUCH), None);
        (0..10).for_each(|connection| backlogs.forget(connection));
        assert_eq!((backlogs.total, backlogs.of.len(), backlogs.order.len()), (0, 0, 0));
    }
}
