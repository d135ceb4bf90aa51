//! `Confirming`: a 2xx to an INVITE, repeated by its sender until the ACK comes (RFC 3261 §13.3.1.4).

use machine::Time;
use sip::header::CSeq;
use sip::{Bytes, Message};

use crate::transaction::{Backoff, ServerId, Timers};

/// A 2xx that nobody has acknowledged yet.
#[derive(Debug)]
pub struct Confirming {
    invite: ServerId,
    cseq: u32,
    answer: Bytes,
    resend: Backoff,
    until: Time,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Send the 2xx again in its transaction. Over streams too: a hop behind may be datagrams.
    Again(ServerId, Bytes),
    /// 64*T1 without an ACK: the call should end with a BYE.
    GiveUp,
}

impl Confirming {
    /// The 2xx `answer` to an INVITE of number `cseq` has gone out now.
    pub fn start(
        now: Time,
        timers: &Timers,
        invite: ServerId,
        (cseq, answer): (u32, Bytes),
    ) -> Self {
        let resend = Backoff::start(now, timers.t1, timers.t2);
        Self { invite, cseq, answer, resend, until: now + timers.patience() }
    }

    /// The transaction of the INVITE that it answers.
    pub const fn invite(&self) -> ServerId {
        self.invite
    }

    /// True when `ack` acknowledges it.
    pub fn is_acknowledged_by(&self, ack: &Message) -> bool {
        ack.get::<CSeq>().is_some_and(|cseq| cseq.number == self.cseq)
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Time) -> Due {
        if now >= self.until {
            return Due::GiveUp;
        }
        if self.resend.fire(now) {
            Due::Again(self.invite, self.answer.clone())
        } else {
            Due::Nothing
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Time {
        self.resend.at.min(self.until)
    }
}
