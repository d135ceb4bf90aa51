//! Changes of a call, asked for by the other side: INVITE and UPDATE within it (RFC 3261 §14.2, RFC 3311 §5.2, RFC 4028 §9).

use protocol::session::{Confirming, SessionTimer, TooBrief, Traffic};
use protocol::transaction::ServerId;
use sdp::Description;
use sip::header::CSeq;
use sip::{Draft, Message, Method, Name, Status};

use super::outgoing::sdp_of;
use super::up::Awaited;
use super::{Conversation, State};
use crate::abilities;
use crate::refusal::{self, Refusal};
use crate::turn::{Turn, rows, with_sdp};

impl Conversation {
    /// They want to change the call: INVITE or UPDATE within it.
    pub(crate) fn modify(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        if matches!(self.state, State::Calling(..)) {
            return self.modify_early(turn, id, request);
        }
        match self.consider(turn, request) {
            Err(no) => turn.refuse(id, request, &no),
            Ok((sdp, awaited)) => self.consent(turn, (id, request), sdp, awaited),
        }
    }

    /// What we say to a change: a description of ours, or a no.
    fn consider(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Message,
    ) -> Result<(Option<Vec<u8>>, Awaited), Refusal> {
        SessionTimer::admits(request).map_err(too_brief)?;
        let invite = request.method() == Some(Method::Invite);
        let traffic = match &self.state {
            State::Up(up) => up.traffic(),
            State::Offered(_) | State::Answering { .. } if invite => Traffic::Theirs,
            State::Offered(offered) | State::Answering { offered, .. } => offered.traffic(),
            _ => return Err(Refusal::new(Status::CALL_DOES_NOT_EXIST)),
        };
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
        let contact = self.contact(turn);
        let draft = Draft::reply(request, Status::OK).raw(Name::Contact, contact.as_bytes());
        let draft = turn.line.account.sign(draft, Name::Server);
        let timer = match &mut self.state {
            State::Up(up) => up.timer.answer(turn.now, request),
            _ => Vec::new(),
        };
        let draft = rows(abilities::announce(draft), timer);
        let answer = with_sdp(draft, sdp.as_deref()).wire();
        turn.line.respond(turn.now, id, answer.clone(), turn.out);
        match &mut self.state {
            State::Up(up) => {
                up.dialog.refresh(request);
                up.hear_abilities(request);
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
        self.hear_role(turn, request);
        self.tell_hold(turn);
    }
}

/// RFC 4028 §9.
pub(crate) fn too_brief(TooBrief(min): TooBrief) -> Refusal {
    Refusal::new(Status::SESSION_INTERVAL_TOO_SMALL).with(Name::MinSe, min.to_string())
}
