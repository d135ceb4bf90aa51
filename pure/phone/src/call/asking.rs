//! Changes of a call that stands, asked for by us: hold, resume, refresh; by INVITE or UPDATE (RFC 3261 §14.1, RFC 3311 §5.1, RFC 4028 §7.4).

use protocol::doors::PhoneEvent;
use protocol::session::{Heard, Invitation, retry_after_glare};
use sip::{Message, Method, Name, Status};

use super::outgoing::sdp_of;
use super::up::{Asking, Up, Updates, Wish};
use super::{Conversation, State};
use crate::account::{Account, Changes};
use crate::line::{Errand, Outcome, Part, Purpose};
use crate::turn::{Turn, with_sdp};
use crate::unable::Unable;
use crate::{abilities, limits, request};

impl Conversation {
    /// The program wants to put the other side on hold, or to take it back: now, or when nothing else is under way.
    pub(crate) fn wish(&mut self, turn: &mut Turn<'_>, wish: Wish) -> Result<(), Unable> {
        let State::Up(up) = &mut self.state else { return Err(Unable::NotNow("stands")) };
        match (wish, up.wish) {
            // Whatever else is wanted says where we are too.
            (Wish::Move, Some(Wish::Hold | Wish::Resume)) => {}
            (wish, _) => up.wish = Some(wish),
        }
        self.go_on(turn);
        Ok(())
    }

    /// Sends a re-INVITE or an UPDATE. Only when nothing is under way (RFC 3261 §14.1).
    pub(super) fn ask(&mut self, turn: &mut Turn<'_>, wish: Wish) {
        let contact = self.contact(turn);
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        let method = method(up, &turn.line.account, wish);
        match wish {
            Wish::Hold => sound.hold(),
            Wish::Resume => sound.resume(),
            Wish::Refresh | Wish::Move => {}
        }
        // RFC 4028 §7.4: an INVITE offers what there is anew; an UPDATE need not.
        let offer = match (method, wish) {
            (Method::Update, Wish::Refresh) => None,
            _ => match sound.offer() {
                Ok(offer) => Some(offer),
                Err(_) => return,
            },
        };
        let draft = up.dialog.request(method).raw(Name::Contact, contact.as_bytes());
        let draft = turn.line.account.sign(draft, Name::UserAgent);
        let draft = up.timer.ask(abilities::announce(draft));
        let Some(request) = request::signed(with_sdp(draft, offer.as_deref()), &mut self.answers)
        else {
            return;
        };
        let part = if method == Method::Update { Part::Update } else { Part::Reinvite };
        up.asking = match part {
            Part::Update => Asking::Updating(wish),
            _ => Asking::Sending(wish),
        };
        turn.send_within(Purpose::Call(self.id, part), &up.dialog, request);
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
            (Outcome::Response(response), Some(mut invitation))
                if response.status().is_some_and(Status::is_success) =>
            {
                let heard = invitation.hear(turn.now, &turn.line.timers, &response, turn.out);
                if let Heard::Answered(_) = heard {
                    // RFC 3261 §12.2.1.2: the target moves before the ACK goes out.
                    up.dialog.refresh(&response);
                }
                let (id, invite) = (invitation.id(), invitation.invite().clone());
                turn.lingering.keep(turn.now, &turn.line.timers, self.id, *invitation);
                turn.acknowledge((id, &invite), &up.dialog, None);
                let answer = sdp_of(&response).unwrap_or_default();
                self.agreed(turn, wish, &response, Some(&answer));
            }
            (outcome, _) => self.disagreed(turn, wish, (errand, outcome)),
        }
    }

    /// The last word to our UPDATE (RFC 3311 §5.3).
    pub(super) fn update_done(&mut self, turn: &mut Turn<'_>, errand: Errand, outcome: Outcome) {
        let State::Up(up) = &mut self.state else { return };
        let Asking::Updating(wish) = up.asking else { return };
        up.asking = Asking::Nothing;
        match outcome {
            Outcome::Response(response) if response.status().is_some_and(Status::is_success) => {
                up.dialog.refresh(&response);
                let answer = errand.request.content().map(|_| sdp_of(&response));
                let answer = answer.map(Option::unwrap_or_default);
                self.agreed(turn, wish, &response, answer.as_deref());
            }
            outcome => self.disagreed(turn, wish, (errand, outcome)),
        }
    }

    /// They agree; the answer, where we had offered something.
    fn agreed(
        &mut self,
        turn: &mut Turn<'_>,
        wish: Wish,
        response: &Message,
        answer: Option<&[u8]>,
    ) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        up.hear_abilities(response);
        up.timer.agreed(turn.now, response);
        if let Some(Err(refusal)) = answer.map(|answer| sound.accept(turn.now, answer)) {
            let why = format!("no sound could be agreed on: {refusal}");
            return self.hang_up_now(turn, (488, &why));
        }
        self.tell_done(turn, wish, 200);
        self.hear_role(turn, response);
        self.tell_hold(turn);
        self.go_on(turn);
    }

    fn disagreed(&mut self, turn: &mut Turn<'_>, wish: Wish, (errand, outcome): (Errand, Outcome)) {
        let (State::Up(up), Some(sound)) = (&mut self.state, &mut self.sound) else { return };
        let status = outcome.status();
        // RFC 3261 §14.1, RFC 6141 §3: all is as if we had never asked.
        if errand.request.content().is_some() {
            sound.rejected();
        }
        match (status, outcome) {
            (Status::REQUEST_PENDING, _) => {
                let again = turn.now + retry_after_glare(up.owner, &mut turn.line.dice);
                up.asking = Asking::Pausing { wish, again };
            }
            // RFC 4028 §7.3.
            (Status::SESSION_INTERVAL_TOO_SMALL, Outcome::Response(response))
                if up.timer.too_brief(&response) =>
            {
                self.ask(turn, wish);
            }
            // It does not take UPDATE after all.
            (Status::METHOD_NOT_ALLOWED | Status::NOT_IMPLEMENTED, _)
                if errand.request.method() == Some(Method::Update) =>
            {
                up.updates = Updates::NotKnown;
                self.ask(turn, wish);
            }
            // RFC 3261 §12.2.1.2: the other side knows nothing of this call, or is gone.
            (Status::CALL_DOES_NOT_EXIST, _) => {
                self.end(turn, 481, "the other side knows nothing of this call any more");
            }
            (Status::REQUEST_TIMEOUT, _) => self.hang_up_now(turn, (408, "the other side is gone")),
            // There is no way yet from where we are now.
            (Status::SERVICE_UNAVAILABLE, Outcome::Failure(..)) if wish == Wish::Move => {
                up.asking = Asking::Pausing { wish, again: turn.now + limits::MOVE_AGAIN };
            }
            _ => {
                self.tell_done(turn, wish, status.code());
                self.go_on(turn);
            }
        }
    }

    fn tell_done(&self, turn: &mut Turn<'_>, wish: Wish, status: u16) {
        match wish {
            Wish::Hold | Wish::Resume => {
                let hold = wish == Wish::Hold;
                turn.report(PhoneEvent::HoldDone { call: self.id, hold, status });
            }
            Wish::Refresh | Wish::Move => {}
        }
    }
}

/// How something is asked for: RFC 3311 §5.1 recommends INVITE for a call that stands, RFC 4028 §7.4 UPDATE for refreshing it.
fn method(up: &Up, account: &Account, wish: Wish) -> Method<'static> {
    let update = wish == Wish::Refresh || account.changes == Changes::Update;
    if update && up.updates == Updates::Taken { Method::Update } else { Method::Invite }
}
