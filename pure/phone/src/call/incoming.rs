//! Calls of theirs until somebody picks up (RFC 3261 §13.3).

use media::Audio;
use protocol::doors::PhoneEvent;
use protocol::session::{Confirming, Owner};
use protocol::transaction::ServerId;
use sip::header::{CSeq, From};
use sip::{Message, Name, Status};

use super::offered::{Next, Told};
use super::outgoing::CANCELLED;
use super::ringing::RINGS;
use super::up::Awaited;
use super::{Conversation, Offered, State, Then, Up};
use crate::abilities;
use crate::sound::Sockets;
use crate::turn::{Turn, rows, with_sdp};
use crate::unable::Unable;

impl Conversation {
    /// Somebody picks up. The 200 follows as soon as there are sockets for the sound.
    pub(crate) fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        audio: Box<dyn Audio>,
    ) -> Result<(), Unable> {
        let State::Offered(offered) = &self.state else { return Err(RINGS) };
        if offered.next == Next::PickUp {
            return Err(RINGS);
        }
        let Some(sound) = &mut self.sound else { return self.open(turn, Then::PickUp, audio) };
        sound.hand_over(audio);
        self.pick_up(turn);
        Ok(())
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

    /// The sockets are there, or are not.
    pub(super) fn equipped(
        &mut self,
        turn: &mut Turn<'_>,
        (offered, then): (Box<Offered>, Then),
        (sockets, audio): (Option<Sockets>, Box<dyn Audio>),
    ) {
        let Some(sockets) = sockets else {
            turn.respond(offered.id, offered.tagged(Status::SERVICE_UNAVAILABLE, "No Media Port"));
            self.state = State::Over(Some(audio));
            return self.end(turn, 503, "no port for sound is free on this machine");
        };
        let sound = self.sounding(turn, (sockets, audio), offered.offer.as_ref());
        self.sound = Some(sound);
        self.state = State::Offered(offered);
        match then {
            Then::PickUp => self.pick_up(turn),
            Then::Say(status) => self.say(turn, status),
        }
    }

    /// Out goes the 2xx, with an answer or, if nothing was offered, an offer (RFC 3261 §13.3.1.4). It waits for the PRACK of what was said
    /// before (RFC 3262 §3, §5).
    pub(super) fn pick_up(&mut self, turn: &mut Turn<'_>) {
        let (State::Offered(offered), Some(sound)) = (&mut self.state, &mut self.sound) else {
            return;
        };
        if !sound.is_ready() {
            self.then = Some(Then::PickUp);
            return;
        }
        if offered.provisionals.is_waiting() {
            offered.next = Next::PickUp;
            return;
        }
        sound.picked_up(turn.now);
        let said = match (&offered.told, &offered.offer) {
            (Told::Surely, _) => Ok((None, Awaited::Ack)),
            (Told::Perhaps(said), _) => Ok((Some(said.clone()), Awaited::Ack)),
            (Told::Nothing, Some(offer)) => {
                sound.answer(turn.now, offer).map(|answer| (Some(answer), Awaited::Ack))
            }
            (Told::Nothing, None) => sound.offer().map(|offer| (Some(offer), Awaited::Answer)),
        };
        match said {
            Ok(said) => self.accept(turn, said),
            Err(why) => self.unfit(turn, &why),
        }
    }

    fn accept(&mut self, turn: &mut Turn<'_>, (sdp, awaited): (Option<Vec<u8>>, Awaited)) {
        let mut offered = match self.take() {
            State::Offered(offered) => offered,
            other => return self.state = other,
        };
        let timer = offered.timer.answer(turn.now, &offered.invite);
        let draft = rows(abilities::announce(offered.draft(turn, self.role, Status::OK)), timer);
        let answer = with_sdp(draft, sdp.as_deref()).wire();
        turn.line.respond(turn.now, offered.id, answer.clone(), turn.out);
        let Offered { id, invite, mut dialog, timer, .. } = *offered;
        dialog.confirm();
        let cseq = invite.get::<CSeq<'_>>().map_or(0, |cseq| cseq.number);
        let confirming = Confirming::start(turn.now, &turn.line.timers, id, (cseq, answer));
        let mut up = Up::new(dialog, Owner::Them, timer);
        up.hear_abilities(&invite);
        up.confirming = Some((confirming, awaited));
        self.state = State::Up(Box::new(up));
        turn.report(PhoneEvent::Established { call: self.id });
        self.hear_role(turn, &invite);
        self.tell_hold(turn);
        self.catch_up(turn);
    }

    /// Somebody else is to be called instead: 302.
    pub(crate) fn forward(&mut self, turn: &mut Turn<'_>, to: &[u8]) -> Result<(), Unable> {
        let (State::Offered(offered) | State::Answering { offered, .. }) = &self.state else {
            return Err(RINGS);
        };
        let status = Status::MOVED_TEMPORARILY;
        let contact = [b"<", to, b">"].concat();
        let (id, no) = (offered.id, offered.tagged(status, status.phrase()));
        turn.respond(id, no.raw(Name::Contact, &contact));
        self.end(turn, status.code(), "forwarded");
        Ok(())
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
