//! `Referral`: what we have promised to somebody who sent us a REFER, and what it is told about it (RFC 3515 §2.4.4).
//!
//! It is a subscription that nobody has asked for by SUBSCRIBE: its NOTIFYs go by the dialog of the REFER.

use std::time::Duration;

use machine::Time;
use protocol::dialog::Dialog;
use sip::{Draft, Method, Name, Status};

use super::wanted::{Audience, Wanted};
use crate::limits;

/// A REFER that we have accepted.
#[derive(Clone, Debug)]
pub(crate) struct Referral {
    /// The CSeq number of the REFER: its name, where there are more in one dialog.
    pub(crate) number: u32,
    order: Order,
    /// What is to be done, until it is done or declined.
    wanted: Option<Wanted>,
    audience: Audience,
    /// How far it has come.
    status: Status,
    mail: Mail,
    /// No NOTIFY before this (§3.10).
    rest: Time,
    until: Time,
}

/// Whether it is the first of its dialog: others are named in each NOTIFY (§2.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    First,
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mail {
    Settled,
    Owed,
    Sent,
    SentAndOwed,
}

impl Referral {
    pub(crate) fn new(now: Time, number: u32, order: Order, wanted: Wanted) -> Self {
        let audience = wanted.audience;
        Self {
            number,
            order,
            wanted: Some(wanted),
            audience,
            status: Status::TRYING,
            mail: Mail::Owed,
            rest: now,
            until: now + limits::REFERRAL,
        }
    }

    /// What is to be done; only once.
    pub(crate) const fn take(&mut self) -> Option<Wanted> {
        self.wanted.take()
    }

    /// True while nobody has decided about it.
    pub(crate) const fn is_open(&self) -> bool {
        self.wanted.is_some()
    }

    /// It has come so far.
    pub(crate) fn tell(&mut self, status: Status) {
        if self.status.is_final() || status == self.status {
            return;
        }
        self.status = status;
        self.owe();
    }

    /// The transferor asks again how it stands, for so long (§2.4.4).
    pub(crate) fn refresh(&mut self, now: Time, seconds: Duration) {
        self.until = now + seconds.min(limits::REFERRAL);
        self.owe();
    }

    const fn owe(&mut self) {
        self.mail = match self.mail {
            Mail::Settled | Mail::Owed => Mail::Owed,
            Mail::Sent | Mail::SentAndOwed => Mail::SentAndOwed,
        };
    }

    /// True when nothing is to be told any more.
    pub(crate) fn is_over(&self) -> bool {
        let told = self.mail == Mail::Settled || self.audience == Audience::Nobody;
        self.status.is_final() && told
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Time {
        let mail =
            (self.mail == Mail::Owed && self.audience == Audience::Transferor).then_some(self.rest);
        mail.map_or(self.until, |rest| rest.min(self.until))
    }

    /// Nobody has decided in time, or it has taken too long.
    pub(crate) fn wake(&mut self, now: Time) {
        if now >= self.until && !self.status.is_final() {
            let open = self.wanted.take().is_some();
            self.tell(if open { Status::DECLINE } else { Status::REQUEST_TIMEOUT });
        }
    }

    /// The NOTIFY to send now, if one is due.
    pub(crate) fn notify(&mut self, now: Time, dialog: &mut Dialog) -> Option<Draft> {
        if self.audience == Audience::Nobody || self.mail != Mail::Owed || now < self.rest {
            return None;
        }
        self.mail = Mail::Sent;
        self.rest = now + limits::REFERRAL_PACE;
        let event = match self.order {
            Order::First => "refer".to_owned(),
            Order::Later => format!("refer;id={}", self.number),
        };
        let left = if now < self.until { (self.until - now).as_secs().max(1) } else { 1 };
        let state = match self.status.is_final() {
            true => "terminated;reason=noresource".to_owned(),
            false => format!("active;expires={left}"),
        };
        let body = format!("SIP/2.0 {} {}\r\n", self.status.code(), self.status.phrase());
        let draft = dialog
            .request(Method::Notify)
            .raw(Name::Event, event.as_bytes())
            .raw(Name::SubscriptionState, state.as_bytes());
        Some(draft.body("message/sipfrag;version=2.0", body.as_bytes()))
    }

    /// The transferor has answered a NOTIFY, or has not: whoever does not is told nothing more.
    pub(crate) fn answered(&mut self, status: Status) {
        self.mail = match self.mail {
            Mail::SentAndOwed | Mail::Owed => Mail::Owed,
            Mail::Sent | Mail::Settled => Mail::Settled,
        };
        if !status.is_success() {
            self.audience = Audience::Nobody;
        }
    }
}
