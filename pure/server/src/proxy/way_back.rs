//! Answers whose asker is gone from where it asked (RFC 3261 §18.2.2, RFC 3263 §5): they go where the sent-by of its Via leads.
//!
//! Over connections alone: a datagram goes where it came from. And only for requests that were let in: who was not is answered without
//! a transaction, so no stranger can have us connect to others.

use std::collections::VecDeque;

use protocol::locate::{Hop, Target};
use protocol::transaction::ServerId;
use protocol::{Answer, Flow, Question};
use sip::header::Via;

use super::{Proxy, Wait, hop};
use crate::limits;
use crate::turn::Turn;

impl Proxy {
    /// Finds out where else the answers to a request can go: at once, or by a question.
    pub(crate) fn unanswerable(&mut self, turn: &mut Turn<'_>, id: ServerId) {
        let Some(request) = turn.transactions.server_request(id) else { return };
        let Some(Ok(hop)) = request.get::<Via>().map(|via| Hop::of_via(&via)) else { return };
        match hop.at_once(&turn.house.means) {
            Some(Ok(targets)) => answer_by(turn, id, &targets),
            Some(Err(_)) => {}
            None => {
                self.ask(turn, Question::Resolve(hop), Wait::WayBack(id));
            }
        }
    }
}

/// The addresses of the sent-by are known, if it has any.
pub(super) fn found(turn: &mut Turn<'_>, id: ServerId, answer: &Answer) {
    if let Answer::Targets(targets) = answer {
        answer_by(turn, id, targets);
    }
}

fn answer_by(turn: &mut Turn<'_>, id: ServerId, targets: &[Target]) {
    let (house, out) = (turn.house, &mut *turn.out);
    let flow = |target: &Target| hop::flow_of(house, target, 0, out);
    let ways: VecDeque<Flow> = targets.iter().take(limits::TARGETS).filter_map(flow).collect();
    turn.transactions.answer_by(id, ways, turn.out);
}
