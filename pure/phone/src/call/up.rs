//! `Up`: a call that stands: its dialog, and who waits for whom.

use machine::Time;
use protocol::dialog::Dialog;
use protocol::doors::PhoneEvent;
use protocol::session::{Confirming, Due, Invitation, Owner, Traffic};
use protocol::transaction::ServerId;
use sip::Message;

use super::outgoing::sdp_of;
use super::{Conversation, State};
use crate::turn::Turn;

/// A call that stands.
pub(crate) struct Up {
    pub(crate) dialog: Dialog,
    pub(super) owner: Owner,
    /// A 2xx of ours that is not acknowledged.
    pub(super) confirming: Option<(Confirming, Awaited)>,
    /// A re-INVITE of ours.
    pub(super) asking: Asking,
    /// What the program wants of the call as soon as nothing else is under way.
    pub(super) wish: Option<Wish>,
    /// The program has hung up before the ACK came: a callee has to wait for it (RFC 3261 §15).
    pub(super) last_word: Option<(u16, String)>,
    /// What the program was told last.
    pub(super) held: bool,
}

/// What an ACK has to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Itself.
    Ack,
    /// The answer to the offer in our 2xx.
    Answer,
}

/// A re-INVITE of ours.
#[derive(Debug)]
pub(super) enum Asking {
    Nothing,
    /// It is on its way to a transaction.
    Sending(Wish),
    /// It is out.
    Sent(Wish, Box<Invitation>),
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
}

impl Up {
    pub(super) const fn new(dialog: Dialog, owner: Owner) -> Self {
        let (confirming, wish, last_word) = (None, None, None);
        Self { dialog, owner, confirming, asking: Asking::Nothing, wish, last_word, held: false }
    }

    /// Whose offer is under way.
    pub(super) const fn traffic(&self) -> Traffic {
        match (&self.confirming, &self.asking) {
            (Some(_), _) => Traffic::Theirs,
            (None, Asking::Sending(_) | Asking::Sent(..)) => Traffic::Ours,
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
        confirming.into_iter().chain(again).min()
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
        if up.traffic() != Traffic::Quiet {
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
            self.go_on(turn);
        }
    }
}

/// RFC 3261 §13.3.1.4.
const UNCONFIRMED: &str =
    "our 200 was never acknowledged; can the other side reach the address in our Contact?";
