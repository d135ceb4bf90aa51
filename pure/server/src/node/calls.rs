//! Calls as an operator sees them: listed, shown, ended.

use machine::Time;
use protocol::transaction::ServerId;
use protocol::{CallRecord, Flow, Output};
use sip::{Message, Status};

use super::{Node, Roles};
use crate::calls::{Ending, Stays};
use crate::purpose::{self, Purpose};
use crate::turn::Turn;

impl Node {
    /// How many calls pass through this shard, as far as they are followed.
    pub fn calling(&self) -> usize {
        self.calls.len()
    }

    /// Some of these calls, each with its number on this shard: those behind that one (none: from the first on), in an order that
    /// stays while they come and go.
    pub fn calls(&self, behind: Option<u64>, most: usize) -> Vec<(u64, CallRecord)> {
        let calls = self.calls.behind(behind).take(most);
        calls.map(|(number, record)| (number, record.clone())).collect()
    }

    /// Those of these calls that are wanted, each with its number on this shard; and behind which the search goes on, when that was not all. It looks into so many
    /// places at most: nobody waits for it long. Calls of one Call-ID are all on the shard of [`Steering::home_of_call`](crate::Steering::home_of_call).
    pub fn search(
        &self,
        behind: Option<u64>,
        places: usize,
        mut wanted: impl FnMut(&CallRecord) -> bool,
    ) -> (Vec<(u64, CallRecord)>, Option<u64>) {
        let (calls, next) = self.calls.stretch(behind, places);
        let found = calls.filter(|(_, record)| wanted(record));
        (found.map(|(number, record)| (number, record.clone())).collect(), next)
    }

    /// The call with this number, while it lasts.
    pub fn call(&self, number: u64) -> Option<CallRecord> {
        self.calls.get(number).cloned()
    }

    /// Ends the call with this number: both sides are told, in the name of each other. What they answer is known later.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn hang_up(&mut self, now: Time, number: u64, out: &mut Vec<Output>) -> Result<(), Stays> {
        let before = out.len();
        let (mut turn, roles) = self.turn(now, out);
        let invite = turn.hangs_up(number)?;
        invite.into_iter().for_each(|invite| roles.proxy.dismiss(&mut turn, invite));
        self.conclude(now, before, out);
        Ok(())
    }

    /// What has come of that so far; for a minute after its end too.
    pub fn ending(&self, number: u64) -> Option<Ending> {
        self.calls.ending(number)
    }
}

impl Roles {
    /// Takes the BYEs of calls that an operator ends on their way, as if those had sent them in whose names they are.
    pub(super) fn say_goodbye(&mut self, turn: &mut Turn<'_>) {
        while let Some((id, came, bye)) = turn.calls.next_bye() {
            self.carry(turn, id, (came, bye));
        }
    }

    fn carry(&mut self, turn: &mut Turn<'_>, id: ServerId, (came, bye): (Flow, Message)) {
        let plan = self.proxy.plan(turn, came, &bye);
        match purpose::of(turn, came, (&bye, &plan), &mut |_, _, _| {}) {
            Ok(purpose @ (Purpose::Relay(_) | Purpose::User(_) | Purpose::Routed(_))) => {
                self.serve(turn, id, (came, bye, plan), purpose);
            }
            Ok(_) => turn.bye_answered(&bye, Status::NOT_FOUND),
            Err(fault) => turn.bye_answered(&bye, fault.status()),
        }
    }
}
