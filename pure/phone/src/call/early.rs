//! A call of ours that rings in one or many places: what their provisional responses bring, and what they ask before somebody picks up
//! (RFC 3261 §13.2.2.1, RFC 3262 §4, RFC 3311 §5.2).

use media::Signal;
use protocol::dialog::{DialogId, Tag};
use protocol::doors::PhoneEvent;
use protocol::session::{Heard, Traffic};
use protocol::transaction::ServerId;
use sdp::Description;
use sip::{Draft, Message, Method, Name, Status};

use super::outgoing::sdp_of;
use super::{Conversation, State};
use crate::line::{Part, Purpose};
use crate::refusal::{self, Refusal};
use crate::turn::{Turn, with_sdp};
use crate::{abilities, request};

impl Conversation {
    /// A provisional response.
    pub(crate) fn progress(&mut self, turn: &mut Turn<'_>, response: &Message) {
        let State::Calling(_, invitation) = &mut self.state else { return };
        let flow = invitation.flow();
        let (status, tag) = match invitation.hear(turn.now, &turn.line.timers, response, turn.out) {
            Heard::Cancel(cancel) => {
                return turn.line.send_to(turn.now, flow, cancel, turn.out);
            }
            Heard::Progress(status, tag) => (status, tag),
            Heard::Reliable(status, tag) => {
                self.acknowledge_early(turn, &tag);
                (status, Some(tag))
            }
            Heard::Answered(_) | Heard::Surplus(_) | Heard::Refused | Heard::Nothing => return,
        };
        if let (Some(sound), Some(tag), Some(sdp)) = (&mut self.sound, tag, sdp_of(response)) {
            sound.accept_early(turn.now, (tag, turn.line.account.early_media), &sdp);
        }
        if let (Some(sound), 180) = (&mut self.sound, status) {
            sound.chime(turn.now, turn.line.account.signals, Signal::Ringback);
        }
        turn.report(PhoneEvent::Progress { call: self.id, status });
    }

    /// PRACK (RFC 3262 §4). Our INVITE has made an offer, so that it never has to bring an answer.
    fn acknowledge_early(&mut self, turn: &mut Turn<'_>, tag: &Tag) {
        let State::Calling(_, invitation) = &mut self.state else { return };
        let Some((draft, dialog)) = invitation.prack(tag) else { return };
        let draft = turn.line.account.sign(draft, Name::UserAgent);
        if let Some(prack) = request::signed(draft, &mut self.answers) {
            turn.send_within(Purpose::Call(self.id, Part::Prack), dialog, prack);
        }
    }

    /// UPDATE of one of the places where it rings.
    pub(super) fn modify_early(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        match self.consider_early(turn, request) {
            Ok(answer) => {
                let contact = turn.line.contact(turn.line.account.transport());
                let draft = Draft::reply(request, Status::OK)
                    .raw(Name::Contact, format!("<{contact}>").as_bytes());
                let draft = turn.line.account.sign(draft, Name::Server);
                turn.respond(id, with_sdp(abilities::announce(draft), answer.as_deref()));
            }
            Err(no) => turn.refuse(id, request, &no),
        }
    }

    fn consider_early(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Message,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let gone = || Refusal::new(Status::CALL_DOES_NOT_EXIST);
        if request.method() != Some(Method::Update) {
            return Err(gone());
        }
        let (State::Calling(_, invitation), Some(sound), Some(DialogId { remote, .. })) =
            (&mut self.state, &mut self.sound, DialogId::of_request(request))
        else {
            return Err(gone());
        };
        let answer = match sdp_of(request) {
            None => None,
            // Our offer in the INVITE waits for its answer.
            Some(_) if !sound.has_early(&remote) => {
                let no = Traffic::Ours.refuse(&mut turn.line.dice);
                return Err(no.map_or_else(gone, refusal::of_glare));
            }
            Some(offer) => {
                let offer =
                    Description::parse(&offer).map_err(|error| refusal::of_sdp(&error.into()))?;
                let answer = sound.answer_early(turn.now, &remote, &offer);
                Some(answer.map_err(|why| refusal::of_sdp(&why))?)
            }
        };
        invitation.early_mut(&remote).ok_or_else(gone)?.refresh(request);
        Ok(answer)
    }
}
