//! Locating servers (RFC 3263), away from the shards: a look-up may take seconds, and a shard never waits.

use std::sync::Arc;

use protocol::doors::{Answer, Ticket};
use protocol::locate::{Hop, Means, Unlocated};

use crate::switchboard::Switchboard;

/// Finds where a next hop is. Numbers never come here.
pub trait Resolver: Send + Sync {
    /// Begins a look-up with what the listeners can send by, and returns at once. The answer is given to `reply`, now or later, by any
    /// thread.
    fn resolve(&self, hop: Hop, means: Means, reply: Reply);
}

/// Where an answer goes. When it is dropped without one, the machine is told that nobody answered.
#[derive(Debug)]
pub struct Reply {
    board: Arc<Switchboard>,
    shard: u16,
    ticket: Option<Ticket>,
}

impl Reply {
    pub(crate) const fn new(board: Arc<Switchboard>, shard: u16, ticket: Ticket) -> Self {
        Self { board, shard, ticket: Some(ticket) }
    }

    /// Gives the answer.
    pub fn give(mut self, answer: Answer) {
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            self.board.answer(self.shard, ticket, answer);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Answer::Unlocated(Unlocated::NoAnswer));
    }
}

/// Without a resolver nobody answers.
pub(crate) struct Nobody;

impl Resolver for Nobody {
    fn resolve(&self, _: Hop, _: Means, _: Reply) {}
}

#[cfg(test)]
mod tests {
    use protocol::Transport;
    use protocol::locate::Families;
    use sip::Uri;

    use super::*;

    #[test]
    fn a_reply_that_is_dropped_says_that_nobody_answered() {
        let (board, inboxes) = Switchboard::new(1).unwrap();
        let hop = Hop::of_uri(Uri::parse(b"sip:a.example").unwrap().sip().unwrap()).unwrap();
        let means = Means { transports: vec![Transport::Udp], families: Families::V4 };
        Nobody.resolve(hop, means, Reply::new(Arc::new(board), 0, Ticket(7)));
        let nobody = Answer::Unlocated(Unlocated::NoAnswer);
        assert_eq!(inboxes[0].answers.recv(), Ok((Ticket(7), nobody)));
    }
}
