//! What is said before anybody picks up: 180 and 183, with sound or without, and the PRACKs for them (RFC 3261 §13.3.1.1, RFC 3262).

use machine::Time;
use media::{Audio, Silence};
use protocol::doors::Question;
use protocol::session::Reminder;
use protocol::transaction::ServerId;
use sip::{Message, Name, Status};

use super::offered::{Bell, Next, Takes, Told, Until};
use super::outgoing::sdp_of;
use super::{Conversation, Offered, State, Then};
use crate::refusal;
use crate::sound::Sound;
use crate::turn::{Turn, with_sdp};
use crate::unable::Unable;
use crate::{abilities, limits};

/// What has to be true for it.
pub(super) const RINGS: Unable = Unable::NotNow("somebody else began and nobody has picked up");

impl Conversation {
    /// It rings here: 180.
    pub(crate) fn ring(&mut self, turn: &mut Turn<'_>) -> Result<(), Unable> {
        let State::Offered(offered) = &mut self.state else { return Err(RINGS) };
        offered.bell = Bell::Rings { again: turn.now + pause(offered) };
        if offered.wants_our_offer() {
            return self.open(turn, Then::Say(Status::RINGING), Box::new(Silence));
        }
        self.say(turn, Status::RINGING);
        Ok(())
    }

    /// The caller hears something before anybody picks up: 183, with a session description.
    pub(crate) fn announce(
        &mut self,
        turn: &mut Turn<'_>,
        audio: Box<dyn Audio>,
    ) -> Result<(), Unable> {
        if self.sound.is_some() {
            return Err(Unable::NotNow("is silent so far"));
        }
        self.open(turn, Then::Say(Status::SESSION_PROGRESS), audio)
    }

    /// Asks for the sockets of the sound; what follows is done when they are there.
    pub(super) fn open(
        &mut self,
        turn: &mut Turn<'_>,
        then: Then,
        audio: Box<dyn Audio>,
    ) -> Result<(), Unable> {
        match self.take() {
            State::Offered(offered) => {
                let ticket = turn.line.ticket();
                turn.out.push(protocol::Output::Ask(ticket, Question::MediaSockets));
                self.state = State::Answering { ticket, offered, audio, then };
                Ok(())
            }
            other => {
                self.state = other;
                Err(RINGS)
            }
        }
    }

    /// Says how far it has come; or says it later, when what was said before is not acknowledged yet.
    pub(super) fn say(&mut self, turn: &mut Turn<'_>, status: Status) {
        let State::Offered(offered) = &mut self.state else { return };
        if self.sound.as_ref().is_some_and(|sound| !sound.is_ready()) {
            self.then.get_or_insert(Then::Say(status));
            return;
        }
        if offered.provisionals.is_waiting() {
            if offered.next == Next::Nothing {
                offered.next = Next::Say(status);
            }
            return;
        }
        let sdp = match early_description(turn.now, offered, &mut self.sound) {
            Ok(sdp) => sdp,
            Err(why) => return self.unfit(turn, &why),
        };
        let reliably = match offered.takes {
            Takes::Plain => None,
            Takes::Either if sdp.is_none() => None,
            Takes::Either | Takes::Reliable => offered.provisionals.number(),
        };
        let draft = with_sdp(offered.draft(turn, self.role, status), sdp.as_deref())
            .raw(Name::Allow, abilities::ALLOW.as_bytes());
        let Some(rseq) = reliably else {
            if let Some(sdp) = sdp {
                offered.told = Told::Perhaps(sdp);
            }
            return turn.respond(offered.id, draft);
        };
        let draft = draft
            .raw(Name::Require, protocol::session::RELIABLY.as_bytes())
            .raw(Name::RSeq, rseq.to_string().as_bytes());
        let response = draft.wire();
        turn.line.respond(turn.now, offered.id, response.clone(), turn.out);
        offered.provisionals.sent(turn.now, &turn.line.timers, response);
        if sdp.is_some() {
            offered.told = Told::Surely;
        }
    }

    /// Sound cannot be agreed on after all.
    pub(super) fn unfit(&mut self, turn: &mut Turn<'_>, why: &sdp::Refusal) {
        let State::Offered(offered) = &self.state else { return };
        let no = refusal::of_sdp(why);
        let draft = no.rows(offered.tagged(no.status, &no.phrase));
        turn.respond(offered.id, draft);
        self.end(turn, no.status.code(), &no.phrase);
    }

    /// A PRACK: what it acknowledges is not said again, and what was to be said next is said (RFC 3262 §3, §5).
    pub(crate) fn prack(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        if let State::Refused { offered, .. } = &mut self.state
            && offered.provisionals.acknowledge(request)
        {
            turn.reply(id, request, Status::OK);
            return self.refused_for_good();
        }
        let (State::Offered(offered) | State::Answering { offered, .. }) = &mut self.state else {
            return turn.reply(id, request, Status::CALL_DOES_NOT_EXIST);
        };
        let ours = offered.told == Told::Surely && offered.offer.is_none();
        let open = ours && self.sound.as_ref().is_some_and(|sound| !sound.is_agreed());
        if !offered.provisionals.acknowledge(request) {
            return turn.reply(id, request, Status::CALL_DOES_NOT_EXIST);
        }
        let sdp = sdp_of(request);
        let answer = match (&mut self.sound, sdp) {
            // RFC 3262 §5: the answer to our offer.
            (Some(sound), sdp) if open => {
                let taken = sound.accept(turn.now, &sdp.unwrap_or_default());
                turn.reply(id, request, Status::OK);
                if let Err(why) = taken {
                    return self.unfit(turn, &why);
                }
                return self.say_next(turn);
            }
            (Some(sound), Some(offer)) => sdp::Description::parse(&offer)
                .map_err(sdp::Refusal::from)
                .and_then(|offer| sound.answer(turn.now, &offer))
                .map(Some),
            (None, Some(_)) => Err(sdp::Refusal::AnswerPending),
            (_, None) => Ok(None),
        };
        match answer {
            Ok(answer) => {
                let draft = turn.draft(request, Status::OK, Status::OK.phrase());
                turn.respond(id, with_sdp(draft, answer.as_deref()));
            }
            Err(why) => {
                turn.refuse(id, request, &refusal::of_sdp(&why));
            }
        }
        self.say_next(turn);
    }

    fn say_next(&mut self, turn: &mut Turn<'_>) {
        let State::Offered(offered) = &mut self.state else { return };
        match std::mem::replace(&mut offered.next, Next::Nothing) {
            Next::Nothing => {}
            Next::Say(status) => self.say(turn, status),
            Next::PickUp => self.pick_up(turn),
        }
    }

    /// It has rung for long: says so again, or gives up.
    pub(super) fn ring_on(&mut self, turn: &mut Turn<'_>) {
        let State::Offered(offered) = &mut self.state else { return };
        let over = |until: Time| until <= turn.now;
        match offered.until {
            Until::Patience(until) if over(until) => {
                return self.give_up_ringing(
                    turn,
                    Status::TEMPORARILY_UNAVAILABLE,
                    "Nobody Picked Up",
                );
            }
            Until::Expires(until) if over(until) => {
                return self.give_up_ringing(
                    turn,
                    Status::REQUEST_TERMINATED,
                    "Invitation Expired",
                );
            }
            _ => {}
        }
        match offered.provisionals.wake(turn.now) {
            Reminder::Again(response) => {
                turn.line.respond(turn.now, offered.id, response, turn.out);
            }
            Reminder::GiveUp => {
                return self.give_up_ringing(turn, Status::SERVER_TIME_OUT, "No PRACK Came");
            }
            Reminder::Nothing => {}
        }
        if matches!(offered.bell, Bell::Rings { again } if over(again)) {
            drop(self.ring(turn));
        }
    }

    fn give_up_ringing(&mut self, turn: &mut Turn<'_>, status: Status, phrase: &str) {
        let State::Offered(offered) = &self.state else { return };
        let (id, no) = (offered.id, offered.tagged(status, phrase));
        turn.respond(id, no);
        self.end(turn, status.code(), &phrase.to_ascii_lowercase());
    }
}

/// What a provisional response says of the session: the answer, or an offer where the caller made none and will not miss it.
fn early_description(
    now: Time,
    offered: &Offered,
    sound: &mut Option<Sound>,
) -> Result<Option<Vec<u8>>, sdp::Refusal> {
    let Some(sound) = sound else { return Ok(None) };
    match (&offered.told, &offered.offer) {
        (Told::Surely, _) => Ok(None),
        (Told::Perhaps(said), _) => Ok(Some(said.clone())),
        (Told::Nothing, Some(offer)) => sound.answer(now, offer).map(Some),
        (Told::Nothing, None) if offered.takes == Takes::Plain => Ok(None),
        (Told::Nothing, None) => sound.offer().map(Some),
    }
}

/// How long a bell rings before it is said again.
fn pause(offered: &Offered) -> std::time::Duration {
    match offered.takes {
        Takes::Reliable => limits::RING_AGAIN_RELIABLY,
        Takes::Plain | Takes::Either => limits::RING_AGAIN,
    }
}
