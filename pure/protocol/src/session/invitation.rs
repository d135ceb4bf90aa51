//! `Invitation`: an INVITE of ours, from sending it to the last 2xx (RFC 3261 §9.1, §13.2.2).
//!
//! It may be answered by many: each To tag is a dialog. The first 2xx is the call; others are acknowledged and hung up by
//! whoever owns this. A 2xx that comes after our CANCEL is hung up too.

use std::collections::BTreeMap;

use machine::Time;
use sip::{Bytes, Message};

use crate::dialog::{Dialog, Tag};
use crate::doors::Output;
use crate::limits;
use crate::transaction::{ClientId, Timers, cancel_of};
use crate::transport::Flow;

/// An INVITE that was sent.
#[derive(Debug)]
pub struct Invitation {
    id: ClientId,
    flow: Flow,
    invite: Message,
    state: State,
    early: BTreeMap<Tag, Dialog>,
    acks: BTreeMap<Tag, Acked>,
}

#[derive(Debug)]
enum State {
    /// Nothing heard.
    Calling,
    /// Nothing heard and not wanted any more: a CANCEL must wait for a provisional response (RFC 3261 §9.1).
    Unwanted,
    /// A provisional response came.
    Proceeding,
    /// Our CANCEL went out; after `until` no answer is waited for.
    Cancelled { until: Time },
    /// A 2xx was taken.
    Answered,
    /// Refused, or given up.
    Over,
}

/// What became of the ACK of a dialog.
#[derive(Debug)]
enum Acked {
    /// Its owner is still writing it.
    NotYet,
    /// It went out, and goes out again for each repeated 2xx.
    Sent(Flow, Bytes),
}

/// What a response means.
#[derive(Debug)]
pub enum Heard {
    /// It is being worked on: the status, and the tag of the early dialog if there is one.
    Progress(u16, Option<Tag>),
    /// It was not wanted any more: send this CANCEL now, in a transaction of its own over [`Invitation::flow`].
    Cancel(Bytes),
    /// The call is up: acknowledge it ([`Invitation::acknowledged`]).
    Answered(Box<Dialog>),
    /// One that nobody wants: acknowledge it and hang it up.
    Surplus(Box<Dialog>),
    /// The last word, and it is no.
    Refused,
    /// Nothing new; a repeated 2xx was acknowledged again.
    Nothing,
}

impl Invitation {
    /// `invite` went out over `flow` in the transaction `id`.
    pub fn sent(id: ClientId, flow: Flow, invite: Message) -> Self {
        let (early, acks) = (BTreeMap::new(), BTreeMap::new());
        Self { id, flow, invite, state: State::Calling, early, acks }
    }

    /// Its transaction.
    pub const fn id(&self) -> ClientId {
        self.id
    }

    /// What was sent.
    pub const fn invite(&self) -> &Message {
        &self.invite
    }

    /// Where it was sent: its CANCEL goes there too.
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// True once we have asked for an end.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self.state, State::Unwanted | State::Cancelled { .. })
    }

    /// True while a final answer may still come.
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, State::Answered | State::Over)
    }

    /// Takes a response.
    pub fn hear(
        &mut self,
        now: Time,
        timers: &Timers,
        response: &Message,
        out: &mut Vec<Output>,
    ) -> Heard {
        let Some(status) = response.status() else { return Heard::Nothing };
        match status.class() {
            1 => self.progress(now, timers, response),
            2 => self.answered(response, out),
            // RFC 3261 §13.2.2.3: what comes after the first final answer is ignored.
            _ if !self.is_open() => Heard::Nothing,
            _ => {
                self.state = State::Over;
                Heard::Refused
            }
        }
    }

    fn progress(&mut self, now: Time, timers: &Timers, response: &Message) -> Heard {
        match self.state {
            State::Unwanted => {
                self.state = State::Cancelled { until: now + timers.patience() };
                return Heard::Cancel(cancel_of(&self.invite));
            }
            State::Calling => self.state = State::Proceeding,
            State::Proceeding => {}
            State::Cancelled { .. } | State::Answered | State::Over => return Heard::Nothing,
        }
        let dialog = Dialog::of_caller(&self.invite, response, self.flow.transport);
        let tag = dialog.map(|dialog| {
            let tag = dialog.id().remote.clone();
            if self.early.len() < limits::FORKS {
                self.early.entry(tag.clone()).or_insert(dialog);
            }
            tag
        });
        Heard::Progress(response.status().map_or(183, sip::Status::code), tag)
    }

    fn answered(&mut self, response: &Message, out: &mut Vec<Output>) -> Heard {
        let Some(fresh) = Dialog::of_caller(&self.invite, response, self.flow.transport) else {
            return Heard::Nothing;
        };
        let tag = fresh.id().remote.clone();
        match self.acks.get(&tag) {
            Some(Acked::Sent(flow, ack)) => {
                out.push(Output::Send(*flow, ack.clone()));
                return Heard::Nothing;
            }
            Some(Acked::NotYet) => return Heard::Nothing,
            None if self.acks.len() >= limits::FORKS => return Heard::Nothing,
            None => {}
        }
        self.acks.insert(tag.clone(), Acked::NotYet);
        // RFC 3261 §13.2.2.4: what was early keeps its numbers, and takes routes and target of the 2xx.
        let dialog = match self.early.remove(&tag) {
            Some(mut early) => {
                early.confirmed_by(response);
                early
            }
            None => fresh,
        };
        if !matches!(self.state, State::Calling | State::Proceeding) {
            if self.is_open() {
                self.state = State::Over;
            }
            return Heard::Surplus(Box::new(dialog));
        }
        self.state = State::Answered;
        self.early.clear();
        Heard::Answered(Box::new(dialog))
    }

    /// The ACK of the dialog with this remote tag went out: for repeated 2xx it goes out again (RFC 3261 §13.2.2.4).
    pub fn acknowledged(&mut self, tag: &Tag, flow: Flow, ack: Bytes) {
        if let Some(acked) = self.acks.get_mut(tag) {
            *acked = Acked::Sent(flow, ack);
        }
    }

    /// Wants no answer any more. The CANCEL to send now, in a transaction of its own over [`Invitation::flow`]; `None` while nothing has
    /// been heard (it comes with the first provisional response then), or when it is too late.
    pub fn cancel(&mut self, now: Time, timers: &Timers) -> Option<Bytes> {
        match self.state {
            State::Calling => {
                self.state = State::Unwanted;
                None
            }
            State::Proceeding => {
                self.state = State::Cancelled { until: now + timers.patience() };
                Some(cancel_of(&self.invite))
            }
            State::Unwanted | State::Cancelled { .. } | State::Answered | State::Over => None,
        }
    }

    /// When a cancelled one is not waited for any more (RFC 3261 §9.1).
    pub const fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Cancelled { until } => Some(until),
            _ => None,
        }
    }

    /// True when nobody answered the CANCEL for 64*T1: it counts as cancelled, and its transaction should be abandoned.
    pub fn wake(&mut self, now: Time) -> bool {
        let over = self.deadline().is_some_and(|until| now >= until);
        if over {
            self.state = State::Over;
        }
        over
    }
}
