//! Calls of theirs until somebody picks up (RFC 3261 §13.3).

use machine::Time;
use media::Audio;
use protocol::doors::{PhoneEvent, Question};
use protocol::session::{Confirming, Owner};
use protocol::transaction::ServerId;
use sip::header::{CSeq, From};
use sip::{Message, Status};

use super::offered::{Bell, Until};
use super::outgoing::CANCELLED;
use super::up::Awaited;
use super::{Conversation, Offered, State, Up};
use crate::sound::{Sockets, Sound};
use crate::turn::{Turn, with_sdp};
use crate::unable::Unable;
use crate::{abilities, limits, refusal};

const RINGS: Unable = Unable::NotNow("somebody else began and nobody has picked up");

impl Conversation {
    /// It rings here: 180.
    pub(crate) fn ring(&mut self, turn: &mut Turn<'_>) -> Result<(), Unable> {
        let State::Offered(offered) = &mut self.state else { return Err(RINGS) };
        offered.bell = Bell::Rings { again: turn.now + limits::RING_AGAIN };
        let (id, ringing) = (offered.id, offered.draft(turn, Status::RINGING));
        turn.respond(id, ringing);
        Ok(())
    }

    /// Somebody picks up. The 200 follows as soon as there are sockets for the sound.
    pub(crate) fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        audio: Box<dyn Audio>,
    ) -> Result<(), Unable> {
        match self.take() {
            State::Offered(offered) => {
                let ticket = turn.line.ticket();
                turn.out.push(protocol::Output::Ask(ticket, Question::MediaSockets));
                self.state = State::Answering { ticket, offered, audio };
                Ok(())
            }
            other => {
                self.state = other;
                Err(RINGS)
            }
        }
    }

    /// Nobody will pick up.
    pub(crate) fn refuse(&mut self, turn: &mut Turn<'_>, status: Status) -> Result<(), Unable> {
        let (State::Offered(offered) | State::Answering { offered, .. }) = &self.state else {
            return Err(RINGS);
        };
        let (id, no) = (offered.id, offered.tagged(status, status.phrase()));
        turn.respond(id, no);
        self.end(turn, status.code(), "refused here");
        Ok(())
    }

    /// The sockets are there: out goes the 2xx, with an answer or, if nothing was offered, an offer (RFC 3261 §13.3.1.4).
    pub(super) fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        offered: Box<Offered>,
        (sockets, audio): (Option<Sockets>, Box<dyn Audio>),
    ) {
        let Some(sockets) = sockets else {
            turn.respond(offered.id, offered.tagged(Status::SERVICE_UNAVAILABLE, "No Media Port"));
            self.state = State::Over(Some(audio));
            return self.end(turn, 503, "no port for sound is free on this machine");
        };
        let dice = machine::Dice::new(turn.line.dice.seed());
        let mut sound = Sound::new(audio, sockets, (turn.line.account.srtp, dice));
        let (sdp, awaited) = match &offered.offer {
            Some(offer) => (sound.answer(turn.now, offer), Awaited::Ack),
            None => (sound.offer(), Awaited::Answer),
        };
        self.sound = Some(sound);
        let sdp = match sdp {
            Ok(sdp) => sdp,
            Err(why) => {
                let no = refusal::of_sdp(&why);
                let draft = no.rows(offered.tagged(no.status, &no.phrase));
                turn.respond(offered.id, draft);
                return self.end(turn, no.status.code(), &no.phrase);
            }
        };
        let draft = abilities::announce(offered.draft(turn, Status::OK));
        let answer = with_sdp(draft, Some(&sdp)).wire();
        turn.line.respond(turn.now, offered.id, answer.clone(), turn.out);
        let Offered { id, invite, mut dialog, .. } = *offered;
        dialog.confirm();
        let cseq = invite.get::<CSeq<'_>>().map_or(0, |cseq| cseq.number);
        let confirming = Confirming::start(turn.now, &turn.line.timers, id, (cseq, answer));
        let mut up = Up::new(dialog, Owner::Them);
        up.confirming = Some((confirming, awaited));
        self.state = State::Up(Box::new(up));
        turn.report(PhoneEvent::Established { call: self.id });
        self.tell_hold(turn);
    }

    /// They have changed their mind: `false` when it was not this call, or too late (RFC 3261 §9.2).
    pub(crate) fn cancelled(&mut self, turn: &mut Turn<'_>) {
        let (State::Offered(offered) | State::Answering { offered, .. }) = &self.state else {
            return;
        };
        let (id, gone) = (
            offered.id,
            offered.tagged(Status::REQUEST_TERMINATED, Status::REQUEST_TERMINATED.phrase()),
        );
        turn.respond(id, gone);
        self.end(turn, 487, CANCELLED);
    }

    /// The INVITE that waits in this transaction is this call's: the tag that its answers carry.
    pub(crate) fn waits_in(&self, id: ServerId) -> Option<String> {
        match &self.state {
            State::Offered(offered) | State::Answering { offered, .. } if offered.is(id) => {
                Some(offered.dialog.id().local.to_string())
            }
            State::Up(up) => up.answered_in(id).then(|| up.dialog.id().local.to_string()),
            _ => None,
        }
    }

    /// It has rung for long: says so again, or gives up.
    pub(super) fn ring_on(&mut self, turn: &mut Turn<'_>) {
        let State::Offered(offered) = &self.state else { return };
        let over = |until: Time| until <= turn.now;
        match offered.until {
            Until::Patience(until) if over(until) => {
                let (id, no) = (
                    offered.id,
                    offered.tagged(Status::TEMPORARILY_UNAVAILABLE, "Nobody Picked Up"),
                );
                turn.respond(id, no);
                self.end(turn, 480, "nobody picked up");
            }
            Until::Expires(until) if over(until) => {
                let (id, no) =
                    (offered.id, offered.tagged(Status::REQUEST_TERMINATED, "Invitation Expired"));
                turn.respond(id, no);
                self.end(turn, 487, "the invitation has expired");
            }
            _ => drop(self.ring(turn)),
        }
    }
}

/// Who calls, for a display: the name, when there is one, and the address.
pub(crate) fn caller(invite: &Message) -> String {
    let Some(from) = invite.get::<From>() else { return String::new() };
    let address = String::from_utf8_lossy(from.uri);
    match from.display_text().filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} <{address}>"),
        None => address.into_owned(),
    }
}
