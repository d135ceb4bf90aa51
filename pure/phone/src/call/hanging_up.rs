//! The end of a call: by us, by them, before and after somebody picked up (RFC 3261 §9, §15).

use protocol::dialog::Dialog;
use protocol::doors::PhoneEvent;
use protocol::transaction::ServerId;
use sip::{Message, Method, Name, Status};

use super::outgoing::CANCELLED;
use super::{Conversation, State};
use crate::line::{Part, Purpose};
use crate::request;
use crate::turn::Turn;
use crate::unable::Unable;

impl Conversation {
    /// The program hangs up: CANCEL, BYE or a refusal, as the state wants it.
    pub(crate) fn hang_up(&mut self, turn: &mut Turn<'_>) -> Result<(), Unable> {
        match &mut self.state {
            State::Opening { .. } | State::Looking(_) => self.end(turn, 487, CANCELLED),
            State::Sending(_) => {
                turn.line.forget(Purpose::Call(self.id, Part::Invite));
                self.end(turn, 487, CANCELLED);
            }
            State::Calling(_, invitation) => {
                let flow = invitation.flow();
                if let Some(cancel) = invitation.cancel(turn.now, &turn.line.timers) {
                    turn.line.send_to(turn.now, flow, cancel, turn.out);
                }
            }
            State::Offered(_) | State::Answering { .. } => {
                return self.refuse(turn, Status::DECLINE);
            }
            State::Up(up) if up.confirming.is_some() => {
                up.last_word.get_or_insert((200, "hung up here".to_owned()));
            }
            State::Up(_) => self.hang_up_now(turn, (200, "hung up here")),
            State::Refused { .. } | State::Leaving(..) | State::Over(_) => {
                return Err(Unable::NoSuchCall);
            }
        }
        Ok(())
    }

    /// BYE.
    pub(super) fn hang_up_now(&mut self, turn: &mut Turn<'_>, why: (u16, &str)) {
        match self.take() {
            State::Up(up) => self.leave(turn, up.dialog, why),
            other => self.state = other,
        }
    }

    /// The session ends as soon as the BYE is sent (RFC 3261 §15.1.1); the dialog when it is answered.
    pub(super) fn leave(
        &mut self,
        turn: &mut Turn<'_>,
        mut dialog: Dialog,
        (status, reason): (u16, &str),
    ) {
        let draft = turn.line.account.sign(dialog.request(Method::Bye), Name::UserAgent);
        if let Some(bye) = request::signed(draft, &mut self.answers) {
            turn.send_within(Purpose::Call(self.id, Part::Bye), &dialog, bye);
        }
        let audio = self.silence(turn);
        self.state = State::Leaving(Box::new(dialog), audio);
        turn.report(PhoneEvent::Ended { call: self.id, status, reason: reason.into() });
    }

    /// No PRACK comes any more.
    pub(super) fn refused_for_good(&mut self) {
        let State::Refused { audio, .. } = &mut self.state else { return };
        self.state = State::Over(audio.take());
    }

    /// The answer to our BYE. Whatever it says, the call is over (RFC 3261 §15.1.1).
    pub(super) fn bye_done(&mut self) {
        match self.take() {
            State::Leaving(dialog, audio) => {
                self.last = Some(dialog);
                self.state = State::Over(audio);
            }
            other => self.state = other,
        }
    }

    /// They hang up (RFC 3261 §15.1.2).
    pub(crate) fn bye(&mut self, turn: &mut Turn<'_>, id: ServerId, request: &Message) {
        turn.reply(id, request, Status::OK);
        match &self.state {
            // RFC 3261 §15.1.2: a request that waits for an answer gets one.
            State::Offered(offered) | State::Answering { offered, .. } => {
                let (id, gone) = (
                    offered.id,
                    offered.tagged(Status::REQUEST_TERMINATED, Status::REQUEST_TERMINATED.phrase()),
                );
                turn.respond(id, gone);
                self.end(turn, 487, "hung up by the other side");
            }
            State::Up(_) => self.end(turn, 200, "hung up by the other side"),
            _ => {}
        }
    }
}
