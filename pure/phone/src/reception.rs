//! `Reception`: what is done with calls that come before anybody hears of them; and how several calls are kept apart.

use machine::Time;
use media::{Signal, Signals};
use protocol::doors::{Call, Output, PhoneEvent};
use protocol::transaction::ServerId;
use sip::{Message, Name, Status};

use crate::call::{Conversation, Standing, Wish, caller};
use crate::history::Direction;
use crate::line::Tiding;
use crate::phone::Phone;
use crate::turn::Turn;
use crate::unable::Unable;

/// What is done with calls that come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reception {
    /// The program hears of each ([`PhoneEvent::Incoming`]), while others are up too: that is call waiting.
    #[default]
    Open,
    /// Nobody is to be disturbed: 480. Voice mail may take the call.
    DoNotDisturb,
    /// They are called elsewhere: 302 to there.
    Forward(Box<[u8]>),
}

impl Phone {
    /// Calls that come ring from now on.
    pub fn open(&mut self) {
        self.reception = Reception::Open;
    }

    /// Calls that come are turned away from now on (480). They are told as [`PhoneEvent::TurnedAway`], and stand in the history.
    pub fn do_not_disturb(&mut self) {
        self.reception = Reception::DoNotDisturb;
    }

    /// Calls that come are sent elsewhere from now on (302, RFC 3261 §21.3.3).
    pub fn forward_all(&mut self, target: &str) -> Result<(), Unable> {
        self.reception = Reception::Forward(self.target(target)?);
        Ok(())
    }

    /// What is done with calls that come.
    pub const fn reception(&self) -> &Reception {
        &self.reception
    }

    /// Sends a call that nobody has answered elsewhere (302).
    pub fn forward(
        &mut self,
        now: Time,
        call: Call,
        target: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let target = self.target(target)?;
        self.with(now, call, out, |conversation, turn| conversation.forward(turn, &target))
    }

    /// Talks in this call: all others are put on hold, and this one is taken back if it was; those of its conference too.
    pub fn talk_in(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        let wanted = self.calls.get(&call).ok_or(Unable::NoSuchCall)?;
        if wanted.standing() != Standing::Up {
            return Err(Unable::NotNow("stands"));
        }
        let up = |other: &&Conversation| other.standing() == Standing::Up;
        let all: Vec<_> =
            self.calls.values().filter(up).map(|other| (other.id, other.is_to_hold())).collect();
        let together = self.takes_part(call);
        for (other, holds) in all {
            let talks = other == call || (together && self.takes_part(other));
            let wish = if talks { Wish::Resume } else { Wish::Hold };
            if holds != (wish == Wish::Hold) {
                self.with_quietly(now, other, out, |other, turn| other.wish(turn, wish))?;
            }
        }
        self.settle(now, out);
        Ok(())
    }

    /// While somebody waits to be answered, who talks hears so.
    pub(crate) fn tell_waiting(&mut self, now: Time) {
        let signals = self.line.account.signals;
        if signals == Signals::Silent {
            return;
        }
        let waits = self.calls.values().any(|call| call.standing() == Standing::Offered);
        for call in self.calls.values_mut().filter(|call| call.standing() == Standing::Up) {
            let talks = waits && !call.is_silent();
            match call.sound() {
                Some(sound) if talks => sound.chime(now, signals, Signal::Waiting),
                Some(sound) => sound.hush(Signal::Waiting),
                None => {}
            }
        }
    }

    /// A call that comes is turned away, if calls are: true when it was.
    pub(crate) fn turn_away(
        &mut self,
        now: Time,
        id: ServerId,
        invite: &Message,
        out: &mut Vec<Output>,
    ) -> Turned {
        let turn = &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out };
        let (status, draft) = match &self.reception {
            Reception::Open => return Turned::No,
            Reception::DoNotDisturb => {
                let status = Status::TEMPORARILY_UNAVAILABLE;
                (status, turn.draft(invite, status, "Do Not Disturb"))
            }
            Reception::Forward(target) => {
                let status = Status::MOVED_TEMPORARILY;
                let contact = [b"<", &**target, b">"].concat();
                let draft = turn.draft(invite, status, status.phrase());
                (status, draft.raw(Name::Contact, &contact))
            }
        };
        turn.respond(id, draft);
        let from: Box<str> = caller(invite).into();
        turn.report(PhoneEvent::TurnedAway { from: from.clone(), status: status.code() });
        let call = self.number();
        self.history.begin(now, (call, Direction::In), &from);
        self.history.go_on(now, call, Tiding::Over(status.code()));
        Turned::Away
    }
}

/// Whether a call was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    Away,
    No,
}
