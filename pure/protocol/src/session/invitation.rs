//! `Invitation`: an INVITE of ours, from sending it to the last 2xx (RFC 3261 §9.1, §13.2.2).
//!
//! It may be answered by many: each To tag is a dialog. The first 2xx is the call; others are acknowledged and hung up by
//! whoever owns this. A 2xx that comes after our CANCEL is hung up too.

use std::collections::BTreeMap;

use machine::Time;
use sip::header::{CSeq, RSeq, Require};
use sip::{Bytes, Draft, Message, Method, Name, Status};

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
    early: BTreeMap<Tag, Early>,
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

/// A dialog that a provisional response has made.
#[derive(Debug)]
struct Early {
    dialog: Dialog,
    /// The RSeq of the latest reliable response that came in its turn (RFC 3262 §4).
    rseq: Option<u32>,
    /// How many of them have come.
    reliable: u16,
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
    /// The same, in a reliable response of the fork with this tag: acknowledge it ([`Invitation::prack`]).
    Reliable(u16, Tag),
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
            // RFC 3262 §4: whoever waits for a PRACK gets it.
            State::Cancelled { .. } if reliable(response).is_some() => {}
            State::Cancelled { .. } | State::Answered | State::Over => return Heard::Nothing,
        }
        let tag = self.open(response);
        let status = response.status().map_or(183, Status::code);
        let Some(rseq) = reliable(response) else { return Heard::Progress(status, tag) };
        // RFC 3262 §4: what comes again, or before its turn, is as if it had not come.
        match tag.filter(|tag| self.in_turn(tag, rseq)) {
            Some(tag) => Heard::Reliable(status, tag),
            None => Heard::Nothing,
        }
    }

    /// The early dialog of a provisional response, made by its first.
    fn open(&mut self, response: &Message) -> Option<Tag> {
        let dialog = Dialog::of_caller(&self.invite, response, self.flow.transport)?;
        let tag = dialog.id().remote.clone();
        if self.early.len() < limits::FORKS {
            let early = Early { dialog, rseq: None, reliable: 0 };
            self.early.entry(tag.clone()).or_insert(early);
        }
        Some(tag)
    }

    fn in_turn(&mut self, tag: &Tag, rseq: u32) -> bool {
        let Some(early) = self.early.get_mut(tag) else { return false };
        let next = early.rseq.is_none_or(|seen| seen.checked_add(1) == Some(rseq));
        if !next || early.reliable >= limits::PROVISIONALS {
            return false;
        }
        early.rseq = Some(rseq);
        early.reliable = early.reliable.saturating_add(1);
        true
    }

    /// Begins the PRACK for the latest reliable response of a fork (RFC 3262 §4): everything but Via and body, and the dialog that it goes by.
    pub fn prack(&mut self, tag: &Tag) -> Option<(Draft, &Dialog)> {
        let cseq = self.invite.get::<CSeq<'_>>()?.number;
        let early = self.early.get_mut(tag)?;
        let rack = format!("{} {cseq} INVITE", early.rseq?);
        let draft = early.dialog.request(Method::Prack).raw(Name::RAck, rack.as_bytes());
        Some((draft, &early.dialog))
    }

    /// The early dialog with a fork, while nothing final has come.
    pub fn early(&self, tag: &Tag) -> Option<&Dialog> {
        self.early.get(tag).map(|early| &early.dialog)
    }

    /// The same, to be changed.
    pub fn early_mut(&mut self, tag: &Tag) -> Option<&mut Dialog> {
        self.early.get_mut(tag).map(|early| &mut early.dialog)
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
            Some(Early { mut dialog, .. }) => {
                dialog.confirmed_by(response);
                dialog
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

/// The RSeq of a provisional response that wants a PRACK: a 100 never does (RFC 3262 §4).
fn reliable(response: &Message) -> Option<u32> {
    response.status().filter(|status| *status != Status::TRYING)?;
    let mut tags = response.all::<Require<'_>>().flatten();
    tags.any(|tag| tag.0.eq_ignore_ascii_case(super::RELIABLY)).then_some(())?;
    response.get::<RSeq>().map(|RSeq(number)| number)
}
