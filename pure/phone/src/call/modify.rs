//! Changes of a call that stands: hold and resume, by either side (RFC 3261 §14, RFC 3311).

use protocol::doors::PhoneEvent;
use protocol::session::{Confirming, Heard, Invitation, Traffic, retry_after_glare};
use protocol::transaction::ServerId;
use sdp::Description;
use sip::header::CSeq;
use sip::{Draft, Message, Method, Name, Status};

use super::outgoing::sdp_of;
use super::up::{Asking, Awaited, Wish};
use super::{Conversation, State};
use crate::line::{Errand, Outcome, Part, Purpose};
use crate::refusal::{self, Refusal};
use crate::turn::{Turn, with_sdp};
use crate::unable::Unable;
use crate::{abilities, request};

impl Conversation {
    /// The program wants to put the other side on hold, or to take it back: now, or when nothing else is under way.
    pub(crate) fn wish(&mut self, turn: &mut Turn<'_>, wish: Wish) -> Result<(), Unable> {
        let State::Up(up) = &mut self.state else { return Err(Unable::NotNow("stands")) };
        up.wish = Some(wish);
        self.go_on(turn);
        Ok(())
    }

    /// Sends a re-INVITE. Only when nothing is under way (RFC 3261 §14.1).
    pub(super) fn ask(&mut self, turn: &mut Turn<'_>, wish: Wish) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        match wish {
            Wish::Hold => sound.hold(),
            Wish::Resume => sound.resume(),
        }
        let Ok(offer) = sound.offer() else { return };
        let contact = turn.line.contact(turn.line.account.transport());
        let draft =
            up.dialog.request(Method::Invite).raw(Name::Contact, format!("<{contact}>").as_bytes());
        let draft = turn.line.account.sign(draft, Name::UserAgent);
        let draft = with_sdp(abilities::announce(draft), Some(&offer));
        let Some(request) = request::signed(draft, &mut self.answers) else { return };
        up.asking = Asking::Sending(wish);
        turn.send_within(Purpose::Call(self.id, Part::Reinvite), &up.dialog, request);
    }

    /// The re-INVITE went out.
    pub(super) fn reinvited(&mut self, invitation: Invitation) {
        let State::Up(up) = &mut self.state else { return };
        if let Asking::Sending(wish) | Asking::Sent(wish, _) = up.asking {
            up.asking = Asking::Sent(wish, Box::new(invitation));
        }
    }

    /// The last word to our re-INVITE.
    pub(super) fn reinvite_done(&mut self, turn: &mut Turn<'_>, errand: Errand, outcome: Outcome) {
        let State::Up(up) = &mut self.state else { return };
        let (wish, invitation) = match std::mem::replace(&mut up.asking, Asking::Nothing) {
            Asking::Sent(wish, invitation) => (wish, Some(invitation)),
            Asking::Sending(wish) => (wish, None),
            other => {
                up.asking = other;
                return;
            }
        };
        match (outcome, invitation) {
            (Outcome::Response(response), Some(invitation))
                if response.status().is_some_and(Status::is_success) =>
            {
                self.agreed(turn, *invitation, &response);
            }
            (outcome, _) => self.disagreed(turn, wish, (errand, outcome)),
        }
    }

    fn agreed(&mut self, turn: &mut Turn<'_>, mut invitation: Invitation, response: &Message) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        if let Heard::Answered(_) = invitation.hear(turn.now, &turn.line.timers, response, turn.out)
        {
            // RFC 3261 §12.2.1.2: the target moves before the ACK goes out.
            up.dialog.refresh(response);
        }
        let (id, invite) = (invitation.id(), invitation.invite().clone());
        turn.lingering.keep(turn.now, &turn.line.timers, self.id, invitation);
        turn.acknowledge((id, &invite), &up.dialog, None);
        let answer = sdp_of(response).unwrap_or_default();
        if let Err(refusal) = sound.accept(turn.now, &answer) {
            let why = format!("no sound could be agreed on: {refusal}");
            return self.hang_up_now(turn, (488, &why));
        }
        turn.report(PhoneEvent::HoldDone { call: self.id, status: 200 });
        self.tell_hold(turn);
        self.go_on(turn);
    }

    fn disagreed(
        &mut self,
        turn: &mut Turn<'_>,
        wish: Wish,
        (mut errand, outcome): (Errand, Outcome),
    ) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        let status = outcome.status();
        if let (
            Outcome::Response(response),
            Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED,
        ) = (&outcome, status)
            && self.answers.learn(response, &mut errand.tries, &mut turn.line.dice).is_ok()
        {
            let cseq = up.dialog.next_cseq();
            if let Some(again) = request::again(&errand.request, cseq, &mut self.answers) {
                errand.request = again;
                up.asking = Asking::Sending(wish);
                return turn.line.send_again(turn.now, errand, turn.out);
            }
        }
        // RFC 3261 §14.1: all is as if we had never asked.
        sound.rejected();
        match status {
            Status::REQUEST_PENDING => {
                let again = turn.now + retry_after_glare(up.owner, &mut turn.line.dice);
                up.asking = Asking::Pausing { wish, again };
            }
            // RFC 3261 §12.2.1.2: the other side knows nothing of this call, or is gone.
            Status::CALL_DOES_NOT_EXIST => {
                self.end(turn, 481, "the other side knows nothing of this call any more")
            }
            Status::REQUEST_TIMEOUT => self.hang_up_now(turn, (408, "the other side is gone")),
            _ => {
                turn.report(PhoneEvent::HoldDone { call: self.id, status: status.code() });
                self.go_on(turn);
            }
        }
    }

    /// They want to change the call: INVITE or UPDATE within it.
    pub(crate) fn modify(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        match self.consider(turn, request) {
            Err(no) => {
                let draft = no.rows(turn.draft(request, no.status, &no.phrase));
                turn.respond(id, draft);
            }
            Ok((sdp, awaited)) => self.consent(turn, (id, request), sdp, awaited),
        }
    }

    /// What we say to a change: a description of ours, or a no.
    fn consider(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Message,
    ) -> Result<(Option<Vec<u8>>, Awaited), Refusal> {
        let traffic = match &self.state {
            State::Up(up) => up.traffic(),
            State::Offered(_) | State::Answering { .. } => Traffic::Theirs,
            _ => return Err(Refusal::new(Status::CALL_DOES_NOT_EXIST)),
        };
        let invite = request.method() == Some(Method::Invite);
        let offer = sdp_of(request);
        if !invite && offer.is_none() {
            return Ok((None, Awaited::Ack));
        }
        if let Some(no) = traffic.refuse(&mut turn.line.dice) {
            return Err(refusal::of_glare(no));
        }
        let Some(sound) = &mut self.sound else {
            return Err(Refusal::new(Status::SERVER_INTERNAL_ERROR));
        };
        let Some(offer) = offer else {
            let offer = sound.offer().map_err(|why| refusal::of_sdp(&why))?;
            return Ok((Some(offer), Awaited::Answer));
        };
        let offer = Description::parse(&offer).map_err(|error| refusal::of_sdp(&error.into()))?;
        let answer = sound.answer(turn.now, &offer).map_err(|why| refusal::of_sdp(&why))?;
        Ok((Some(answer), Awaited::Ack))
    }

    fn consent(
        &mut self,
        turn: &mut Turn<'_>,
        (id, request): (ServerId, &Message),
        sdp: Option<Vec<u8>>,
        awaited: Awaited,
    ) {
        let contact = turn.line.contact(turn.line.account.transport());
        let draft =
            Draft::reply(request, Status::OK).raw(Name::Contact, format!("<{contact}>").as_bytes());
        let draft = turn.line.account.sign(draft, Name::Server);
        let answer = with_sdp(abilities::announce(draft), sdp.as_deref()).wire();
        turn.line.respond(turn.now, id, answer.clone(), turn.out);
        match &mut self.state {
            State::Up(up) => {
                up.dialog.refresh(request);
                if request.method() == Some(Method::Invite) {
                    let cseq = request.get::<CSeq<'_>>().map_or(0, |cseq| cseq.number);
                    let confirming =
                        Confirming::start(turn.now, &turn.line.timers, id, (cseq, answer));
                    up.confirming = Some((confirming, awaited));
                }
            }
            State::Offered(offered) | State::Answering { offered, .. } => {
                offered.dialog.refresh(request)
            }
            _ => {}
        }
        self.tell_hold(turn);
    }
}
