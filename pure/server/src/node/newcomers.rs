//! Requests that begin something: judged without a trace, then admitted, then served.

use protocol::transaction::{Met, Newcomer, Up};
use protocol::{Fault, Flow};
use sip::{Message, Method};

use super::Roles;
use crate::admission::{self, Arrival, Entry, Heard, Verdict, Witnesses, spared};
use crate::bans::Proof;
use crate::gate::{Asker, No, Pass, Visitor};
use crate::options;
use crate::proxy::Plan;
use crate::purpose::{self, Purpose};
use crate::turn::Turn;

/// Seconds after which whoever found us with too much to do may come back.
const RETRY: u32 = 10;

impl Roles {
    /// A request that begins something: it is judged without a trace first, then admitted, then served.
    pub(super) fn newcomer(&mut self, turn: &mut Turn<'_>, newcomer: Newcomer, heard: Heard) {
        let (flow, request) = (newcomer.flow, &newcomer.request);
        if request.method() == Some(Method::Cancel) {
            return self.cancels(turn, newcomer);
        }
        let witnesses = Witnesses { bans: &self.bans, gate: &self.gate };
        match self.door.admits(turn, (flow, request), heard, witnesses) {
            Verdict::Enter => self.enter(turn, newcomer),
            Verdict::Wait(class, heard) => {
                if let Some((displaced, verdict)) =
                    self.door.keep(turn, Arrival { class, heard, newcomer })
                {
                    sent_away(turn, &displaced, &verdict);
                }
            }
            verdict @ (Verdict::Refuse(_) | Verdict::Silence) => {
                sent_away(turn, &newcomer, &verdict);
            }
        }
    }

    /// Anybody can send a CANCEL: what cancels nothing leaves nothing behind.
    fn cancels(&mut self, turn: &mut Turn<'_>, newcomer: Newcomer) {
        if turn.transactions.cancels(turn.now, &newcomer.request) {
            let up = turn.transactions.admit(turn.now, newcomer, turn.out);
            up.into_iter().for_each(|up| self.told(turn, up));
        } else if self.door.has_answer(turn, newcomer.flow) {
            turn.refuse(newcomer.flow, &newcomer.request, &Fault::NoTransaction);
        }
    }

    /// Begins some of what had to wait.
    pub(super) fn begin(&mut self, turn: &mut Turn<'_>) {
        if !self.door.is_waited_at() {
            return;
        }
        for (newcomer, verdict) in self.door.serve(turn) {
            // It may have come twice, and have begun by the other copy.
            let Newcomer { flow, request, .. } = newcomer;
            match turn.transactions.meet(turn.now, flow, request, turn.out) {
                Met::Known(up) => up.into_iter().for_each(|up| self.told(turn, up)),
                Met::New(newcomer) if verdict == Verdict::Enter => self.enter(turn, newcomer),
                Met::New(newcomer) => sent_away(turn, &newcomer, &verdict),
            }
        }
    }

    /// Begins what a request asks for, if it may be.
    fn enter(&mut self, turn: &mut Turn<'_>, newcomer: Newcomer) {
        let (flow, request) = (newcomer.flow, &newcomer.request);
        let entry = if turn.house.is_leaving(flow) { Entry::Draining } else { self.entry };
        if let Err(fault) = entry.admits(request) {
            return turn.refuse(flow, request, &fault);
        }
        let mut plan = self.proxy.plan(turn, flow, request);
        let (purpose, asker, pass) = match self.judge(turn, &newcomer, &mut plan) {
            Ok(judged) => judged,
            Err(No::Fault(fault)) => return turn.refuse(flow, request, &fault),
            Err(No::Silence) => return,
            Err(No::Challenge(wire, status, guess)) => {
                turn.send_back(flow, request, wire);
                let Some(guess) = guess else { return turn.report_challenge(flow, request) };
                turn.report_refusal(flow, request, status, guess.words());
                return self.bans.guessed(turn, flow, request, guess);
            }
        };
        if matches!(purpose, Purpose::Options) && plan.proven.is_none() {
            // RFC 3261 §8.2.7: nothing is kept of it; the answer to a repeat is made anew, and is the same.
            let wire = options::answer(turn, request, options::As::Server);
            return turn.send_back(flow, request, wire);
        }
        let admitted = turn.transactions.admit(turn.now, newcomer, turn.out);
        let Some(Up::Request(id, flow, request)) = admitted else { return };
        let way = (flow, request, plan);
        match pass {
            Pass::Now(info) => {
                turn.info = info;
                self.serve(turn, id, way, purpose);
            }
            Pass::After(question, info) => {
                let until = turn.now + turn.house.settings.timers.patience();
                let visitor = Box::new(Visitor { id, way, purpose, asker, info, until });
                if let Err(visitor) = self.waiting.ask(turn, question, visitor) {
                    let (flow, request, _) = visitor.way;
                    turn.refuse_in(id, flow, &request, &Fault::Overloaded(RETRY));
                }
            }
        }
    }

    /// What is it for, and may it? And as what have we asked who it is, and how did it pass?
    fn judge(
        &mut self,
        turn: &mut Turn<'_>,
        newcomer: &Newcomer,
        plan: &mut Plan,
    ) -> Result<(Purpose, Asker, Pass), No> {
        let (flow, request) = (newcomer.flow, &newcomer.request);
        if flow.connection != 0 && spared(turn.house, flow.peer.ip().into()) {
            turn.vouch(flow);
        }
        let purpose =
            self.weigh(turn, flow, (request, plan), &mut |_, _, _| {}).map_err(No::Fault)?;
        let asker = purpose.asker(turn);
        let mut proof = Proof::Missing;
        let pass = if purpose::must_prove(turn, flow, (request, plan), &purpose) {
            let (pass, proven) = self.gate.ask(turn, (flow, request), asker, &mut self.bans)?;
            plan.proven = Some(proven.user);
            proof = proven.proof;
            turn.vouch(flow);
            pass
        } else {
            Pass::Now(None)
        };
        if asker == Asker::Server {
            self.merged.note(turn.now, newcomer.number(), request).map_err(No::Fault)?;
        }
        let way = (flow, request, &*plan);
        if let Err(fault) = self.tolls.permit(turn, way, (&purpose, proof), &mut self.bans) {
            turn.call_barred(way, &purpose, &fault);
            return Err(No::Fault(fault));
        }
        Ok((purpose, asker, pass))
    }

    /// What is it for, whoever sent it? The witness hears of the routes that do not fit.
    pub(super) fn weigh(
        &self,
        turn: &Turn<'_>,
        flow: Flow,
        (request, plan): (&Message, &Plan),
        witness: &mut purpose::Witness<'_>,
    ) -> Result<Purpose, Fault> {
        let purpose = purpose::of(turn, flow, (request, plan), witness)?;
        if matches!(purpose, Purpose::Register | Purpose::Watch(_) | Purpose::Options) {
            admission::required(request)?;
            admission::body(request)?;
        }
        if purpose.asker(turn) == Asker::Proxy {
            self.proxy.validate(turn, flow, request, plan)?;
        }
        Ok(purpose)
    }
}

/// Somebody comes at a bad time.
fn sent_away(turn: &mut Turn<'_>, newcomer: &Newcomer, verdict: &Verdict) {
    if let Verdict::Refuse(fault) = verdict {
        turn.turn_away(newcomer.flow, &newcomer.request, fault);
    }
}
