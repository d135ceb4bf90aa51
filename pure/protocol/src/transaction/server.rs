//! Server transactions: INVITE and the others (RFC 3261 §17.2, RFC 6026 §7.1, RFC 4320).
//!
//! ```text
//!             INVITE
//!               v    1xx          L
//!  INVITE ┌─ Proceeding ── 2xx ─> Accepted ───> over            others:  Trying ─100─> Working ─200-699─> Completed
//!  resend └─>   │ 300-699                        ^                                                          J
//!               v         ACK          I         │
//!  G resend  Completed ────────> Confirmed ──────┤
//!               └──────── H ─────────────────────┘
//! ```

use std::collections::VecDeque;

use machine::Time;
use sip::{Bytes, Draft, Message, Method};

use super::back::{Back, Left};
use super::backoff::Backoff;
use super::echo::Echo;
use super::timers::{TRYING_AFTER, Timers};
use crate::doors::Output;
use crate::transport::Flow;

/// One request of a peer, from arrival to silence.
#[derive(Debug)]
pub(super) struct Server {
    /// Where responses go.
    pub(super) back: Back,
    /// What came, while an answer is to be made of it, or a way to be found for one, or it is what an answer has in common with it; then nothing.
    request: Bytes,
    state: State,
}

#[derive(Debug)]
enum State {
    /// INVITE, nothing said yet since it came: at `trying_at` we say 100 for the TU.
    Silent { came: Time, trying_at: Time },
    /// INVITE, not answered for good; `latest` meets every repeat.
    Proceeding { latest: Bytes },
    /// The same, of one that has been so for a while.
    Lasting { latest: Echo },
    /// INVITE, answered with 2xx, which the TU repeats; we only absorb INVITEs.
    Accepted { until: Time },
    /// INVITE, answered with 300–699, repeated until the ACK comes.
    Refused(Box<Refusal>),
    /// INVITE, acknowledged; late ACKs are absorbed.
    Confirmed { until: Time },
    /// Not an INVITE, nothing said yet: at `trying_at` we say 100. At `until` the client has given up, and so do we (RFC 4320 §4.2).
    Trying { came: Time, trying_at: Time, until: Time },
    /// Not an INVITE, 100 said.
    Working { trying: Bytes, until: Time },
    /// Not an INVITE, answered.
    Completed { answer: Bytes, until: Time },
    /// Nothing left to do.
    Over,
}

/// Few are refused, and those that are not need no room for it.
#[derive(Debug)]
struct Refusal {
    answer: Bytes,
    resend: Option<Backoff>,
    until: Time,
}

impl Refusal {
    /// The answer, when it is due again.
    fn again(&mut self, now: Time) -> Option<Bytes> {
        let fires = self.resend.as_mut().is_some_and(|resend| resend.fire(now));
        fires.then(|| self.answer.clone())
    }
}

/// What a repeated message or an ACK means to the TU.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Absorbed.
    Absorbed,
    /// An ACK for a 2xx: the TU's.
    ForTheUser,
}

impl Server {
    /// True until its user has given a final answer.
    pub(super) const fn is_open(&self) -> bool {
        use State::{Lasting, Proceeding, Silent, Trying, Working};
        let is_invite = matches!(self.state, Silent { .. } | Proceeding { .. } | Lasting { .. });
        is_invite || matches!(self.state, Trying { .. } | Working { .. })
    }

    /// True for an INVITE that was answered for good; its ACK may have come, when it was accepted.
    pub(super) const fn wants_ack(&self) -> bool {
        matches!(self.state, State::Accepted { .. } | State::Refused(_))
    }

    /// True for an INVITE that was accepted and came in a datagram: nothing is kept of it, and nothing is sent by itself.
    pub(super) fn only_absorbs(&self) -> bool {
        matches!(self.state, State::Accepted { .. }) && self.request.is_empty()
    }

    /// Takes a new request.
    pub(super) fn start(now: Time, timers: &Timers, back: Flow, request: &Message) -> Self {
        let state = if request.method() == Some(Method::Invite) {
            State::Silent { came: now, trying_at: now + TRYING_AFTER }
        } else {
            let until = now + timers.patience();
            State::Trying { came: now, trying_at: now + timers.trying_after(), until }
        };
        Self { back: Back::by(back), request: request.wire().clone(), state }
    }

    /// The request, read again, while the transaction may need it.
    pub(super) fn request(&self) -> Option<Message> {
        Message::parse(self.request.clone()).ok()
    }

    /// What was said last, and meets every repeat.
    fn said(&self) -> Option<Bytes> {
        match &self.state {
            State::Proceeding { latest: wire }
            | State::Working { trying: wire, .. }
            | State::Completed { answer: wire, .. } => Some(wire.clone()),
            State::Lasting { latest } => Some(latest.answer(&self.request)),
            State::Refused(refusal) => Some(refusal.answer.clone()),
            State::Silent { .. }
            | State::Accepted { .. }
            | State::Confirmed { .. }
            | State::Trying { .. }
            | State::Over => None,
        }
    }

    /// Nothing more is expected for a while: what was said of its request is kept small. Who says so keeps the request anyhow.
    pub(super) fn lasts(&mut self, request: &Bytes) {
        let State::Proceeding { latest } = &self.state else { return };
        if let Some(latest) = Echo::of(latest, request) {
            (self.state, self.request) = (State::Lasting { latest }, request.clone());
        }
    }

    /// The 100 to a request, which was a message when it came.
    fn trying(&self, came: Time, now: Time) -> Option<Bytes> {
        Some(Draft::late_trying(&self.request()?, now - came).wire())
    }

    /// Sends the TU's response. Only the first final one counts, but every 2xx to an INVITE goes out.
    pub(super) fn respond(
        &mut self,
        now: Time,
        timers: &Timers,
        response: (u16, Bytes),
        out: &mut Vec<Output>,
    ) {
        let (status, wire) = response;
        let until = now + timers.patience();
        let lingers = if self.back.is_sure() { now } else { until };
        let next = match (&self.state, status) {
            (State::Silent { .. } | State::Proceeding { .. } | State::Lasting { .. }, 100..200) => {
                State::Proceeding { latest: wire.clone() }
            }
            (State::Silent { .. } | State::Proceeding { .. } | State::Lasting { .. }, 200..300) => {
                State::Accepted { until }
            }
            // RFC 6026 §7.1: timer L runs from the first 2xx.
            (State::Accepted { until }, 200..300) => State::Accepted { until: *until },
            (State::Silent { .. } | State::Proceeding { .. } | State::Lasting { .. }, _) => {
                let resends = !self.back.flow.transport.is_reliable();
                let resend = resends.then(|| Backoff::start(now, timers.t1, timers.t2));
                State::Refused(Box::new(Refusal { answer: wire.clone(), resend, until }))
            }
            // RFC 4320 §4.1, §4.2: no provisional but 100, over datagrams not before its time, and no 408: the client has given up.
            (State::Working { until, .. }, 100) => {
                State::Working { trying: wire.clone(), until: *until }
            }
            (State::Trying { until, .. }, 100) if self.back.flow.transport.is_reliable() => {
                State::Working { trying: wire.clone(), until: *until }
            }
            (State::Trying { .. } | State::Working { .. }, 100..200) => return,
            (State::Trying { .. } | State::Working { .. }, 408) => State::Over,
            (State::Trying { .. } | State::Working { .. }, _) => {
                State::Completed { answer: wire.clone(), until: lingers }
            }
            _ => return,
        };
        self.state = next;
        // Something has been said, and over datagrams it has one way.
        if !self.back.flow.transport.is_reliable() {
            self.request = Bytes::new();
        }
        if !self.is_over() {
            out.push(Output::Send(self.back.flow, wire));
        }
    }

    /// Once it was answered for good and came in a datagram, an answer is all that is left of it, and until when that is needed: it is
    /// taken, and the transaction is over.
    pub(super) fn rest(&mut self) -> Option<(Bytes, Time)> {
        if self.back.flow.transport.is_reliable() {
            return None;
        }
        let State::Completed { answer, until } = &mut self.state else { return None };
        let left = (std::mem::take(answer), *until);
        self.state = State::Over;
        Some(left)
    }

    /// Once its refusal was acknowledged in a datagram, only repeats are to be absorbed, until then: the transaction is over.
    pub(super) fn acknowledged(&mut self) -> Option<Time> {
        let State::Confirmed { until } = self.state else { return None };
        let came_in_a_datagram = !self.back.flow.transport.is_reliable();
        came_in_a_datagram.then(|| {
            self.state = State::Over;
            until
        })
    }

    /// Takes a repeat of the request, or an ACK.
    pub(super) fn receive(
        &mut self,
        now: Time,
        timers: &Timers,
        again: &Message,
        out: &mut Vec<Output>,
    ) -> Again {
        let Some(method) = again.method() else { return Again::Absorbed };
        match (&self.state, method) {
            (State::Accepted { .. }, Method::Ack) => return Again::ForTheUser,
            (State::Refused(_), Method::Ack) => {
                let until =
                    if self.back.flow.transport.is_reliable() { now } else { now + timers.t4 };
                self.state = State::Confirmed { until };
            }
            (_, Method::Ack) => {}
            _ => out.extend(self.said().map(|wire| Output::Send(self.back.flow, wire))),
        }
        Again::Absorbed
    }

    /// Repeats or gives up, whichever is due; true when a refusal was never acknowledged.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        match &mut self.state {
            State::Silent { came, trying_at } if now >= *trying_at => {
                let came = *came;
                let Some(trying) = self.trying(came, now) else { return false };
                out.push(Output::Send(self.back.flow, trying.clone()));
                self.state = State::Proceeding { latest: trying };
            }
            State::Trying { came, trying_at, until } if now >= *trying_at => {
                let (came, until) = (*came, *until);
                let Some(trying) = self.trying(came, now) else { return false };
                out.push(Output::Send(self.back.flow, trying.clone()));
                self.state = State::Working { trying, until };
            }
            State::Refused(refusal) if now >= refusal.until => {
                self.state = State::Over;
                return true;
            }
            State::Refused(refusal) => {
                out.extend(refusal.again(now).map(|wire| Output::Send(self.back.flow, wire)));
            }
            State::Accepted { until }
            | State::Confirmed { until }
            | State::Working { until, .. }
            | State::Completed { until, .. }
                if now >= *until =>
            {
                self.state = State::Over;
            }
            _ => {}
        }
        false
    }

    /// The earliest moment at which this state wants to be woken.
    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Silent { trying_at, .. } | State::Trying { trying_at, .. } => Some(*trying_at),
            State::Refused(refusal) => {
                let Refusal { resend, until, .. } = &**refusal;
                Some(resend.map_or(*until, |resend| resend.at.min(*until)))
            }
            State::Accepted { until }
            | State::Confirmed { until }
            | State::Working { until, .. }
            | State::Completed { until, .. } => Some(*until),
            State::Proceeding { .. } | State::Lasting { .. } | State::Over => None,
        }
    }

    /// The way of the answers is gone: they go by the next one from now on, if there is one (RFC 3261 §18.2.2).
    pub(super) fn lost(&mut self, out: &mut Vec<Output>) -> Left {
        let Some(request) = self.request() else { return Left::Nothing };
        let left = self.back.lost(&request);
        if left == Left::Another {
            self.say_again(out);
        }
        left
    }

    /// Where the answers go is known (RFC 3263 §5).
    pub(super) fn found(&mut self, ways: VecDeque<Flow>, out: &mut Vec<Output>) {
        if self.back.found(ways) {
            self.say_again(out);
        }
    }

    /// What was said for good may have been lost with its connection. A 2xx to an INVITE is repeated by who gave it.
    fn say_again(&self, out: &mut Vec<Output>) {
        if matches!(self.state, State::Refused(_) | State::Completed { .. }) {
            out.extend(self.said().map(|wire| Output::Send(self.back.flow, wire)));
        }
    }

    /// True while an INVITE's refusal waits for its ACK.
    pub(super) const fn has_refused(&self) -> bool {
        matches!(self.state, State::Refused(_))
    }

    /// True once the transaction may be forgotten.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}
