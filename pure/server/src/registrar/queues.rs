//! `Queues`: who waits for the disk, by address. A disk that takes what it is given makes nobody ask.

use std::collections::{BTreeMap, VecDeque};

use protocol::doors::Ticket;

/// The tickets of those of each address, in their order. Of as many as may wait.
#[derive(Debug)]
pub(super) struct Queues {
    of: BTreeMap<Box<[u8]>, VecDeque<Ticket>>,
    /// The last that had been given when it was made.
    pub(super) last: Ticket,
}

impl Queues {
    /// Of nobody yet.
    pub(super) const fn new(last: Ticket) -> Self {
        Self { of: BTreeMap::new(), last }
    }

    /// Somebody waits who has the highest ticket.
    pub(super) fn joins(&mut self, aor: &[u8], ticket: Ticket) {
        match self.of.get_mut(aor) {
            Some(queue) => queue.push_back(ticket),
            None => drop(self.of.insert(aor.into(), VecDeque::from([ticket]))),
        }
    }

    /// It waits no longer.
    pub(super) fn leaves(&mut self, aor: &[u8], ticket: Ticket) {
        let Some(queue) = self.of.get_mut(aor) else { return };
        if let Ok(place) = queue.binary_search(&ticket) {
            queue.remove(place);
        }
        if queue.is_empty() {
            self.of.remove(aor);
        }
    }

    /// Who is next behind a ticket.
    pub(super) fn behind(&self, aor: &[u8], ticket: Ticket) -> Option<Ticket> {
        let queue = self.of.get(aor)?;
        queue.get(queue.partition_point(|one| *one <= ticket)).copied()
    }
}
