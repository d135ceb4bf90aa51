//! Client transactions: INVITE and the others (RFC 3261 §17.1, RFC 6026 §7.2).
//!
//! ```text
//!  INVITE:  Calling ─1xx─> Proceeding ─2xx─> Accepted ─M─> over       others:  Trying ─1xx─> Proceeding ─200-699─> Completed
//!              A,B            │ 300-699 / ACK                                   E,F            E(=T2),F               K
//!                             └────────────> Completed ─D─> over
//! ```

use machine::Time;
use sip::header::{CSeq, Via};
use sip::{Bytes, Draft, Message, Method, Name, Status};

use super::ServerId;
use super::backoff::Backoff;
use super::timers::Timers;
use super::trace::{Own, Trace};
use crate::doors::Output;
use crate::transport::Flow;

/// One request of ours, from sending to silence.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) flow: Flow,
    /// What was sent, while it may have to be sent again, acknowledged or cancelled; once a copy was heard, its original instead. Then the ACK of a
    /// refusal, or nothing.
    wire: Bytes,
    /// Of a copy of an INVITE, while it may have to be acknowledged or cancelled: what it has of its own.
    own: Own,
    /// The original of a copy that was not heard yet.
    original: Option<Box<Bytes>>,
    state: State,
    /// The request of which it is a copy: nobody else is told what it hears. [`ServerId::FIRST`], which no request has, when it is none.
    copy_of: ServerId,
}

#[derive(Debug)]
enum State {
    /// INVITE, nothing heard yet: timers A and B.
    Calling { resend: Resend, until: Time },
    /// INVITE, a provisional response came; the TU decides how long to wait.
    Proceeding,
    /// INVITE, a 2xx came; more of them go up until timer M.
    Accepted { until: Time },
    /// Not an INVITE, no final response yet: timers E and F.
    Trying { resend: Resend, until: Time },
    /// A final response came; repeats are absorbed (INVITE: acknowledged again) until timer D or K.
    Completed { until: Time },
    /// Nothing left to do.
    Over,
}

/// When a request goes out again that nobody has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resend {
    /// Each time that this rings.
    After(Backoff),
    /// Once, when its connection turns out to have been closed by the peer before it came there.
    WhenClosed,
    Never,
}

/// What became of a client transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The TU wants to see this response.
    News,
    /// A repeat: nothing to tell.
    Nothing,
}

impl Client {
    /// Sends the request and waits.
    pub(super) fn start(
        now: Time,
        flow: Flow,
        timers: &Timers,
        (method, request): (Option<Method<'_>>, Bytes),
        out: &mut Vec<Output>,
    ) -> Self {
        out.push(Output::Send(flow, request.clone()));
        let until = now + timers.patience();
        let resend = |cap| match (flow.transport.is_reliable(), flow.connection) {
            (false, _) => Resend::After(Backoff::start(now, timers.t1, cap)),
            (true, 0) => Resend::WhenClosed,
            // Whoever names a connection wants no other.
            (true, _) => Resend::Never,
        };
        let state = if method == Some(Method::Invite) {
            // Timer A doubles without a cap: timer B ends it (RFC 3261 §17.1.1.2).
            State::Calling { resend: resend(timers.patience()), until }
        } else {
            State::Trying { resend: resend(timers.t2), until }
        };
        let (own, original, copy_of) = (Own::default(), None, ServerId::FIRST);
        Self { flow, wire: request, own, original, state, copy_of }
    }

    /// It is a copy of that request, and this is kept of it when it has been heard.
    pub(super) fn copies(&mut self, of: ServerId, trace: Option<Trace>) {
        self.copy_of = of;
        if let Some(Trace { own, original }) = trace {
            (self.own, self.original) = (own, Some(Box::new(original)));
        }
    }

    /// Is it a copy of that request?
    pub(super) fn is_copy_of(&self, of: ServerId) -> bool {
        self.copy_of == of
    }

    /// Takes a response of status `status`.
    pub(super) fn receive(
        &mut self,
        now: Time,
        timers: &Timers,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> Heard {
        let Some(status) = response.status() else { return Heard::Nothing };
        match (&mut self.state, status.class()) {
            (State::Calling { .. } | State::Proceeding, 1) => {
                if let Some(original) = self.original.take() {
                    self.wire = *original;
                }
                self.state = State::Proceeding;
            }
            (State::Calling { .. } | State::Proceeding, 2) => {
                self.keep(Bytes::new());
                self.state = State::Accepted { until: now + timers.patience() };
            }
            (State::Accepted { .. }, 2) => {}
            (State::Calling { .. } | State::Proceeding, _) => {
                self.acknowledge(now, timers, response, out)
            }
            (State::Trying { resend, .. }, 1) => match resend {
                // RFC 3261 §17.1.2.2: in Proceeding timer E fires when it would have, and then each T2.
                Resend::After(backoff) => backoff.slow_down(),
                Resend::WhenClosed | Resend::Never => *resend = Resend::Never,
            },
            (State::Trying { .. }, _) => {
                let linger = if self.flow.transport.is_reliable() { now } else { now + timers.t4 };
                self.keep(Bytes::new());
                self.state = State::Completed { until: linger };
            }
            (State::Completed { .. }, 3..=6) if !self.wire.is_empty() => {
                out.push(Output::Send(self.flow, self.wire.clone()));
                return Heard::Nothing;
            }
            _ => return Heard::Nothing,
        }
        Heard::News
    }

    fn acknowledge(
        &mut self,
        now: Time,
        timers: &Timers,
        response: &Message,
        out: &mut Vec<Output>,
    ) {
        // It was a message when it went out; were it none now, nobody would ever forget it.
        let Some(invite) = self.request() else { return self.give_up() };
        let ack = acknowledgement(&invite, response);
        out.push(Output::Send(self.flow, ack.clone()));
        let until = if self.flow.transport.is_reliable() { now } else { now + timers.timer_d() };
        self.keep(ack);
        self.state = State::Completed { until };
    }

    /// The request, read again, as far as its CANCEL or its ACK needs it: it was a message when it went out.
    pub(super) fn request(&self) -> Option<Message> {
        if self.own.is_empty() {
            return Message::parse(self.wire.clone()).ok();
        }
        self.own.invite(self.original.as_deref().unwrap_or(&self.wire))
    }

    /// Sends the request once more when the peer had closed its connection before the request came there; false when that was not so. Who closes
    /// without an answer long after it has the request has seen it, and RFC 3261 takes an RTT for T1.
    pub(super) fn send_anew(&mut self, now: Time, timers: &Timers, out: &mut Vec<Output>) -> bool {
        let (State::Calling { resend, until } | State::Trying { resend, until }) = &mut self.state
        else {
            return false;
        };
        let crossed = now + timers.patience() <= *until + timers.t1;
        if *resend != Resend::WhenClosed || !crossed {
            return false;
        }
        *resend = Resend::Never;
        out.push(Output::Send(self.flow, self.wire.clone()));
        true
    }

    /// The request is needed no more; at most its ACK is.
    fn keep(&mut self, ack: Bytes) {
        (self.wire, self.own, self.original) = (ack, Own::default(), None);
    }

    /// Repeats or gives up, whichever is due; true when nobody answered.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<Output>) -> bool {
        match &mut self.state {
            State::Calling { resend, until } | State::Trying { resend, until } => {
                if now >= *until {
                    self.state = State::Over;
                    return true;
                }
                if let Resend::After(backoff) = resend
                    && backoff.fire(now)
                {
                    out.push(Output::Send(self.flow, self.wire.clone()));
                }
            }
            State::Accepted { until } | State::Completed { until } if now >= *until => {
                self.state = State::Over
            }
            State::Accepted { .. } | State::Completed { .. } | State::Proceeding | State::Over => {}
        }
        false
    }

    /// The earliest moment at which this state wants to be woken.
    pub(super) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Calling { resend, until } | State::Trying { resend, until } => {
                Some(match resend {
                    Resend::After(backoff) => backoff.at.min(*until),
                    Resend::WhenClosed | Resend::Never => *until,
                })
            }
            State::Accepted { until } | State::Completed { until } => Some(*until),
            State::Proceeding | State::Over => None,
        }
    }

    /// True while a final response may still come that the TU has not seen.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Proceeding | State::Trying { .. })
    }

    /// True once a final response has come: what comes now is a repeat of it.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.state, State::Accepted { .. } | State::Completed { .. })
    }

    /// The same, and nothing is kept of it: no ACK that would be sent again.
    pub(super) fn only_absorbs(&self) -> bool {
        self.is_done() && self.wire.is_empty()
    }

    /// Sends no more copies. What was sent may still be answered.
    pub(super) fn hush(&mut self) {
        if let State::Calling { resend, .. } | State::Trying { resend, .. } = &mut self.state {
            *resend = Resend::Never;
        }
    }

    /// Leaves at once.
    pub(super) fn give_up(&mut self) {
        self.state = State::Over;
    }

    /// True once the transaction may be forgotten.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

/// The ACK for a 300–699: Request-URI, top Via, Call-ID, From, CSeq number and Routes of the INVITE, To of the response (RFC 3261
/// §17.1.1.3).
fn acknowledgement(invite: &Message, response: &Message) -> Bytes {
    let ack = of_the_same_branch(invite, Method::Ack);
    ack.copy(response, Name::To).wire()
}

/// The CANCEL for an INVITE: the same, with the INVITE's To (RFC 3261 §9.1).
pub fn cancel_of(invite: &Message) -> Bytes {
    of_the_same_branch(invite, Method::Cancel).copy(invite, Name::To).wire()
}

fn of_the_same_branch(invite: &Message, method: Method<'_>) -> Draft {
    let mut draft = Draft::request(method, invite.request_uri().unwrap_or_default());
    if let Some(via) = invite.get::<Via>() {
        draft = draft.header(&via);
    }
    let number = invite.get::<CSeq>().map_or(0, |cseq| cseq.number);
    draft = draft.copy(invite, Name::Route).raw(Name::MaxForwards, b"70");
    draft = draft.copy(invite, Name::From).copy(invite, Name::CallId);
    // RFC 3841 §5: who searches by them finds who was found before.
    for name in [Name::AcceptContact, Name::RejectContact, Name::RequestDisposition] {
        draft = draft.copy(invite, name);
    }
    draft.header(&CSeq { number, method })
}

/// The status that stands for "nobody answered" and for "cannot be sent" (RFC 3261 §8.1.3.1).
pub const TIMED_OUT: Status = Status::REQUEST_TIMEOUT;
/// See [`TIMED_OUT`].
pub const UNSENT: Status = Status::SERVICE_UNAVAILABLE;
