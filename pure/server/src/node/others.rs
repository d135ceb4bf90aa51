//! What the other shards of a node, and the other nodes of a cluster, want to know and have to say.

use machine::Time;
use protocol::doors::Asker as OtherShard;
use protocol::{Answer, Output, Question};

use super::{Node, Roles};
use crate::gate::Visitor;
use crate::registrar::Then;
use crate::settings::Bindings;
use crate::turn::Turn;

impl Node {
    /// Another node of the cluster has changed the bindings of an address: who calls it asks anew where it is.
    pub fn changed_elsewhere(&mut self, now: Time, aor: &[u8], out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        // Nobody else here wants to know: who calls asks.
        if roles.registrar.has_copy(aor) || roles.regevent.is_watched(aor) {
            roles.registrar.draw_anew(&mut turn, aor);
        }
        roles.proxy.appeared(&mut turn, aor);
        if turn.house.settings.shard.count > 1 {
            turn.out.push(Output::Announce(aor.into()));
        }
    }
}

impl Roles {
    /// Another shard has said whether a visitor's nonce was used like this before.
    pub(super) fn told_of(&mut self, turn: &mut Turn<'_>, visitor: Visitor, answer: &Answer) {
        let Visitor { id, way, purpose, asker, info, .. } = visitor;
        if *answer == Answer::Spent(true) {
            turn.info = info;
            return self.serve(turn, id, way, purpose);
        }
        if *answer == Answer::Nothing {
            self.gate.left_alone(turn.now);
        }
        let (flow, request, _) = &way;
        let wire = self.gate.stale(turn, (*flow, request), asker);
        turn.answer(id, wire);
        turn.report_challenge(*flow, request);
    }

    /// Another shard asks about one of our addresses, or one of our nonces.
    pub(super) fn asked(&mut self, turn: &mut Turn<'_>, asker: OtherShard, question: Question) {
        let shares = turn.house.settings.bindings == Bindings::Shared;
        let answer = match question {
            Question::Locate(aor) if shares => {
                return self.registrar.recall(turn, &aor, Then::Tell(asker));
            }
            Question::Wake(sleeper) if shares => {
                let aor = sleeper.aor.clone();
                return self.registrar.recall(turn, &aor, Then::Wake(asker, sleeper));
            }
            Question::Locate(aor) => Answer::Bindings(self.registrar.reach(turn, &aor)),
            Question::Spend { made, nonce, count, .. } => {
                Answer::Spent(self.gate.is_first_use(turn.now, made, (&nonce, count)))
            }
            // It is answered when the phone is awake.
            Question::Wake(sleeper) => {
                let bindings = self.registrar.bindings(turn.now, &sleeper.aor);
                return self.push.wake(turn, asker, (*sleeper, &bindings));
            }
            Question::Resolve(_)
            | Question::Services(_)
            | Question::Keep(_)
            | Question::Share(_)
            | Question::Recall(_)
            | Question::SpendAnywhere { .. }
            | Question::Push(_)
            | Question::MediaSockets
            | Question::CloseMedia(..) => Answer::Nothing,
        };
        turn.out.push(Output::Tell(asker, answer));
    }

    /// The bindings of an address are known as well as they can be: goes on with what waited for that.
    pub(super) fn go_on(&mut self, turn: &mut Turn<'_>, aor: &[u8], then: Then) {
        match then {
            Then::Tell(asker) => {
                let bindings = self.registrar.reach(turn, aor);
                turn.out.push(Output::Tell(asker, Answer::Bindings(bindings)));
            }
            Then::Serve(visit) => {
                let (id, way, purpose) = *visit;
                self.serve_now(turn, id, way, purpose);
            }
            Then::Wake(asker, sleeper) => {
                let bindings = self.registrar.bindings(turn.now, aor);
                self.push.wake(turn, asker, (*sleeper, &bindings));
            }
            Then::TakeAway(contact) => self.registrar.take_away(turn, aor, contact),
            Then::Forget(ended) => self.registrar.forget(turn, aor, &ended),
            Then::Nothing => {}
        }
    }
}
