//! `Reply`: where the answer to a question goes, from any thread.

use std::sync::Arc;

use protocol::doors::{Answer, Ticket};

use crate::switchboard::Switchboard;

/// Where an answer goes. When it is dropped without one, the machine is told the worst: that nobody answered, or that nothing is kept.
#[derive(Debug)]
pub struct Reply {
    board: Arc<Switchboard>,
    shard: u16,
    /// The question, and the answer when there is none; gone once one was given.
    open: Option<(Ticket, Answer)>,
}

impl Reply {
    pub(crate) const fn new(
        board: Arc<Switchboard>,
        shard: u16,
        ticket: Ticket,
        worst: Answer,
    ) -> Self {
        Self { board, shard, open: Some((ticket, worst)) }
    }

    /// Gives the answer.
    pub fn give(mut self, answer: Answer) {
        if let Some((ticket, _)) = self.open.take() {
            self.board.answer(self.shard, ticket, answer);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some((ticket, worst)) = self.open.take() {
            self.board.answer(self.shard, ticket, worst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_is_dropped_says_the_worst_and_one_that_is_given_says_it_once() {
        let (board, inboxes) = Switchboard::new(1).unwrap();
        let board = Arc::new(board);
        let reply = |number| Reply::new(board.clone(), 0, Ticket(number), Answer::NotKept);
        drop(reply(7));
        reply(8).give(Answer::Kept);
        assert_eq!(inboxes[0].answers.recv(), Ok((Ticket(7), Answer::NotKept)));
        assert_eq!(inboxes[0].answers.recv(), Ok((Ticket(8), Answer::Kept)));
        assert!(inboxes[0].answers.try_recv().is_err());
    }
}
