//! `Up`: a call that stands: its dialog, and who waits for whom.

use machine::Time;
use protocol::dialog::Dialog;
use protocol::doors::PhoneEvent;
use protocol::session::{Confirming, Due, Invitation, Overdue, Owner, SessionTimer, Traffic};
use protocol::transaction::ServerId;
use sip::{Message, Method};

use super::outgoing::sdp_of;
use super::{Conversation, Role, State};
use crate::abilities;
use crate::line::News;
use crate::turn::Turn;

/// A call that stands.
pub(crate) struct Up {
    pub(crate) dialog: Dialog,
    pub(super) owner: Owner,
    /// A 2xx of ours that is not acknowledged.
    pub(super) confirming: Option<(Confirming, Awaited)>,
    /// A change that we have asked for.
    pub(super) asking: Asking,
    pub(super) timer: SessionTimer,
    /// Whether the other side says that it takes UPDATE.
    pub(super) updates: Updates,
    /// What the program wants of the call as soon as nothing else is under way.
    pub(super) wish: Option<Wish>,
    /// The program has hung up before the ACK came: a callee has to wait for it (RFC 3261 §15).
    pub(super) last_word: Option<(u16, String)>,
    /// What the program was told last.
    pub(super) held: bool,
    /// Whether the other side says that it is the focus of a conference.
    pub(super) focus: Role,
}

/// What an ACK has to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Itself.
    Ack,
    /// The answer to the offer in our 2xx.
    Answer,
}

/// Whether the other side takes UPDATE (RFC 3311 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Updates {
    Taken,
    NotKnown,
}

/// A change that we have asked for.
#[derive(Debug)]
pub(super) enum Asking {
    Nothing,
    /// A re-INVITE is on its way to a transaction.
    Sending(Wish),
    /// It is out.
    Sent(Wish, Box<Invitation>),
    /// By UPDATE.
    Updating(Wish),
    /// Both sides asked at once; we ask again then (RFC 3261 §14.1).
    Pausing {
        wish: Wish,
        again: Time,
    },
}

/// What the program wants of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Hold,
    Resume,
    /// Nothing new: the session goes on (RFC 4028).
    Refresh,
    /// The same, from another address of ours.
    Move,
}

impl Up {
    pub(super) const fn new(dialog: Dialog, owner: Owner, timer: SessionTimer) -> Self {
        let (confirming, wish, last_word) = (None, None, None);
        let (asking, updates) = (Asking::Nothing, Updates::NotKnown);
        Self {
            dialog,
            owner,
            confirming,
            asking,
            timer,
            updates,
            wish,
            last_word,
            held: false,
            focus: Role::Party,
        }
    }

    /// What the other side says that it can.
    pub(super) fn hear_abilities(&mut self, message: &Message) {
        match abilities::allows(message, Method::Update) {
            Some(true) => self.updates = Updates::Taken,
            Some(false) => self.updates = Updates::NotKnown,
            None => {}
        }
    }

    /// True when we may ask for something.
    pub(super) const fn is_quiet(&self) -> bool {
        self.confirming.is_none() && matches!(self.asking, Asking::Nothing)
    }

    /// Whose offer is under way.
    pub(super) const fn traffic(&self) -> Traffic {
        match (&self.confirming, &self.asking) {
            (Some(_), _) => Traffic::Theirs,
            // An UPDATE that only refreshes offers nothing.
            (None, Asking::Updating(Wish::Refresh)) => Traffic::Quiet,
            (None, Asking::Sending(_) | Asking::Sent(..) | Asking::Updating(_)) => Traffic::Ours,
            (None, Asking::Nothing | Asking::Pausing { .. }) => Traffic::Quiet,
        }
    }

    /// True while our 2xx in this transaction is not acknowledged.
    pub(super) fn answered_in(&self, id: ServerId) -> bool {
        self.confirming.as_ref().is_some_and(|(confirming, _)| confirming.invite() == id)
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        let confirming = self.confirming.as_ref().map(|(confirming, _)| confirming.deadline());
        let again = match self.asking {
            Asking::Pausing { again, .. } => Some(again),
            _ => None,
        };
        [confirming, again, self.timer.deadline()].into_iter().flatten().min()
    }
}

impl Conversation {
    /// An ACK within the call: for the 2xx that we repeat, or for one that was acknowledged before.
    pub(crate) fn acknowledged(&mut self, turn: &mut Turn<'_>, ack: &Message) {
        let State::Up(up) = &mut self.state else { return };
        let Some((_, awaited)) =
            up.confirming.take_if(|(confirming, _)| confirming.is_acknowledged_by(ack))
        else {
            return;
        };
        if let (Awaited::Answer, Some(sound)) = (awaited, &mut self.sound) {
            let answer = sdp_of(ack).unwrap_or_default();
            if let Err(refusal) = sound.accept(turn.now, &answer) {
                let why = format!("no sound could be agreed on: {refusal}");
                return self.hang_up_now(turn, (488, &why));
            }
            self.tell_hold(turn);
        }
        self.go_on(turn);
    }

    /// Nothing is under way any more: what the program has wanted meanwhile comes next.
    pub(super) fn go_on(&mut self, turn: &mut Turn<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if !up.is_quiet() {
            return;
        }
        if let Some((status, reason)) = up.last_word.take() {
            return self.hang_up_now(turn, (status, &reason));
        }
        if let Some(wish) = up.wish.take() {
            self.ask(turn, wish);
        }
    }

    /// Tells the program when the other side has put us on hold, or taken us back.
    pub(super) fn tell_hold(&mut self, turn: &mut Turn<'_>) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &self.sound) else { return };
        let held = sound.is_held();
        if up.held != held {
            up.held = held;
            turn.report(PhoneEvent::Held { call: self.id, held });
        }
    }

    /// Tells when the other side says that it is the focus of a conference, or is none any more (RFC 4579 §5.2).
    pub(super) fn hear_role(&mut self, turn: &mut Turn<'_>, message: &Message) {
        let State::Up(up) = &mut self.state else { return };
        let Some(contact) = message.get::<sip::header::Contact<'_>>() else { return };
        let Some(address) = contact.address() else { return };
        let role = if address.params.has("isfocus") { Role::Focus } else { Role::Party };
        if up.focus != role {
            up.focus = role;
            let uri = String::from_utf8_lossy(address.uri).into_owned();
            let conference = (role == Role::Focus).then(|| uri.into());
            turn.line.tell(News::Focus(self.id, role));
            turn.report(PhoneEvent::Focus { call: self.id, conference });
        }
    }

    /// A 2xx is repeated, or given up; a re-INVITE is tried again.
    pub(super) fn wake_up(&mut self, turn: &mut Turn<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if let Some((confirming, _)) = &mut up.confirming {
            match confirming.wake(turn.now) {
                Due::Nothing => {}
                Due::Again(id, answer) => turn.line.respond(turn.now, id, answer, turn.out),
                Due::GiveUp => {
                    up.confirming = None;
                    return self.hang_up_now(turn, (408, UNCONFIRMED));
                }
            }
        }
        if let Asking::Pausing { wish, again } = up.asking
            && again <= turn.now
        {
            up.asking = Asking::Nothing;
            up.wish.get_or_insert(wish);
        }
        match up.timer.wake(turn.now) {
            Overdue::Nothing => {}
            Overdue::Refresh => drop(up.wish.get_or_insert(Wish::Refresh)),
            Overdue::End => return self.hang_up_now(turn, (408, UNREFRESHED)),
        }
        self.go_on(turn);
    }
}

/// RFC 4028 §10.
const UNREFRESHED: &str = "the session was not refreshed in time; the other side is gone";

/// RFC 3261 §13.3.1.4.
const UNCONFIRMED: &str =
    "our 200 was never acknowledged; can the other side reach the address in our Contact?";
