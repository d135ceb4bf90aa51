//! `Conversation`: one call, from the first wish to the last answer.
//!
//! ```text
//!  call ─> Opening ─> Sending ─> Calling ──2xx──┐
//!                                               ├─> Up ──BYE──> Leaving ─> Over
//!  INVITE ─> Offered ──answer─> Answering ──────┘
//! ```

mod asking;
mod early;
mod equipping;
mod farewell;
mod hanging_up;
mod incoming;
mod info;
mod modify;
mod offered;
mod outgoing;
mod referred;
mod ringing;
mod seated;
mod standing;
mod transferring;
mod up;

use std::net::SocketAddr;

use machine::Time;
use media::Audio;
use protocol::auth::{Answers, Token};
use protocol::dialog::{Dialog, DialogId};
use protocol::doors::{Call, PhoneEvent, Question, Socket, Ticket};
use protocol::session::Invitation;
use sip::Status;

use crate::line::{Errand, Outcome, Part, Purpose};
use crate::request;
use crate::sound::{Sockets, Sound};
use crate::transfer::{Order, Referral, Transfer};
use crate::turn::Turn;

use equipping::Showing;
use farewell::Farewell;
pub(crate) use incoming::caller;
pub(crate) use modify::too_brief;
pub(crate) use offered::Offered;
pub(crate) use outgoing::{Outgoing, sdp_of};
pub(crate) use seated::Role;
pub(crate) use standing::Standing;
pub(crate) use transferring::refer_to;
pub(crate) use up::{Up, Wish};

/// One call.
pub(crate) struct Conversation {
    pub(crate) id: Call,
    answers: Answers,
    sound: Option<Sound>,
    /// What is to be said once our addresses are known.
    then: Option<Then>,
    pub(crate) state: State,
    /// REFERs of ours that we wait to hear about.
    transfers: Vec<Transfer>,
    /// REFERs of theirs that they wait to hear about.
    referrals: Vec<Referral>,
    /// How the next REFER of theirs will be called.
    order: Order,
    /// Our address is another than the one that the other side was told.
    pub(crate) has_moved: bool,
    showing: Showing,
    /// The dialog of a call that is over, for those.
    last: Option<Box<Dialog>>,
    role: Role,
    farewell: Option<Farewell>,
}

/// How far it has come.
pub(crate) enum State {
    /// Ours: sockets for its sound are asked for.
    Opening { ticket: Ticket, outgoing: Box<Outgoing>, audio: Box<dyn Audio> },
    /// Ours: servers are asked for our addresses (RFC 8445 §5.1).
    Looking(Box<Outgoing>),
    /// Ours: the INVITE is on its way to a transaction.
    Sending(Box<Outgoing>),
    /// Ours: the INVITE is out.
    Calling(Box<Outgoing>, Box<Invitation>),
    /// Theirs: nobody has picked up.
    Offered(Box<Offered>),
    /// Theirs: sockets are asked for, to pick up or to be heard before that.
    Answering { ticket: Ticket, offered: Box<Offered>, audio: Box<dyn Audio>, then: Then },
    /// It stands.
    Up(Box<Up>),
    /// Refused, while a PRACK may still be on its way (RFC 3262 §3).
    Refused { offered: Box<Offered>, until: Time, audio: Option<Box<dyn Audio>> },
    /// We have said BYE and wait for the answer.
    Leaving(Box<Dialog>, Option<Box<dyn Audio>>),
    /// Nothing is left but what its owner takes back.
    Over(Option<Box<dyn Audio>>),
}

/// What the sockets of a call of theirs are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    PickUp,
    Say(Status),
}

impl Conversation {
    pub(crate) const fn new(id: Call, answers: Answers, state: State) -> Self {
        Self {
            id,
            answers,
            sound: None,
            then: None,
            state,
            transfers: Vec::new(),
            referrals: Vec::new(),
            order: Order::First,
            has_moved: false,
            showing: Showing::Nothing,
            last: None,
            role: Role::Party,
            farewell: None,
        }
    }

    /// Shows this token from now on.
    pub(crate) fn renew_token(&mut self, token: &Token) {
        self.answers.renew(token);
    }

    /// Takes the state out, to put another in.
    const fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over(None))
    }

    /// Its dialog, once it has one of its own.
    fn dialog(&self) -> Option<&Dialog> {
        match &self.state {
            State::Offered(offered)
            | State::Answering { offered, .. }
            | State::Refused { offered, .. } => Some(&offered.dialog),
            State::Up(up) => Some(&up.dialog),
            State::Leaving(dialog, _) => Some(dialog),
            State::Over(_) => self.last.as_deref(),
            State::Opening { .. } | State::Looking(_) | State::Sending(_) | State::Calling(..) => {
                None
            }
        }
    }

    /// True when a request within this dialog is its business: a call that rings in many places has many.
    pub(crate) fn is(&self, id: &DialogId) -> bool {
        let dialog = match &self.state {
            State::Calling(_, invitation) => invitation.early(&id.remote),
            _ => self.dialog(),
        };
        dialog.is_some_and(|dialog| dialog.id() == id)
    }

    /// The dialog of that name, to go on in.
    fn dialog_mut(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        let dialog = match &mut self.state {
            State::Offered(offered)
            | State::Answering { offered, .. }
            | State::Refused { offered, .. } => &mut offered.dialog,
            State::Up(up) => &mut up.dialog,
            State::Leaving(dialog, _) => dialog,
            State::Calling(_, invitation) => invitation.early_mut(&id.remote)?,
            State::Over(_) => self.last.as_deref_mut()?,
            State::Opening { .. } | State::Looking(_) | State::Sending(_) => return None,
        };
        (dialog.id() == id).then_some(dialog)
    }

    /// True when nothing is left to do; the audio waits to be taken back.
    pub(crate) fn is_over(&self) -> bool {
        self.has_ended()
            && self.transfers.is_empty()
            && self.referrals.is_empty()
            && self.farewell.is_none()
    }

    /// True when the call is over, though somebody may still tell or be told how a transfer went.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// True when we owe nobody anything.
    pub(crate) fn owes_nothing(&self) -> bool {
        self.has_ended() && self.referrals.is_empty()
    }

    /// The sound, while there is one.
    pub(crate) const fn sound(&mut self) -> Option<&mut Sound> {
        self.sound.as_mut()
    }

    /// Mouth and ear, wherever they are.
    pub(crate) fn audio(&mut self) -> Option<&mut dyn Audio> {
        if let Some(sound) = &mut self.sound {
            return Some(sound.audio());
        }
        match &mut self.state {
            State::Opening { audio, .. }
            | State::Answering { audio, .. }
            | State::Refused { audio: Some(audio), .. }
            | State::Leaving(_, Some(audio))
            | State::Over(Some(audio)) => Some(&mut **audio),
            _ => None,
        }
    }

    /// Gives mouth and ear back, once the call has ended.
    pub(crate) fn take_audio(&mut self) -> Option<Box<dyn Audio>> {
        match &mut self.state {
            State::Refused { audio, .. } | State::Leaving(_, audio) | State::Over(audio) => {
                self.farewell = None;
                audio.take()
            }
            _ => None,
        }
    }

    /// An INVITE of its own went out.
    pub(crate) fn sent(&mut self, part: Part, invitation: Invitation) {
        match part {
            Part::Invite => self.invited(invitation),
            Part::Reinvite => self.reinvited(invitation),
            _ => {}
        }
    }

    /// The last word to a request of its own.
    pub(crate) fn done(
        &mut self,
        turn: &mut Turn<'_>,
        part: Part,
        errand: Errand,
        outcome: Outcome,
    ) {
        let (errand, outcome) = match part {
            Part::Invite => return self.invite_done(turn, errand, outcome),
            _ => match self.proven(turn, errand, outcome) {
                Some(done) => done,
                None => return,
            },
        };
        match part {
            Part::Invite | Part::Prack => {}
            Part::Reinvite => self.reinvite_done(turn, errand, outcome),
            Part::Update => self.update_done(turn, errand, outcome),
            Part::Bye => self.bye_done(),
            Part::Refer(number) => self.refer_done(turn, number, &outcome),
            Part::Notify(number) => self.notify_done(turn, number, outcome.status()),
        }
    }

    /// A request within a dialog is answered for and sent again, when it was only asked who we are; else what has become of it is handed back.
    fn proven(
        &mut self,
        turn: &mut Turn<'_>,
        mut errand: Errand,
        outcome: Outcome,
    ) -> Option<(Errand, Outcome)> {
        let asked = matches!(
            outcome.status(),
            Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED
        );
        let Outcome::Response(response) = &outcome else { return Some((errand, outcome)) };
        if !asked || self.answers.learn(response, &mut errand.tries, &mut turn.line.dice).is_err() {
            return Some((errand, outcome));
        }
        // Our side's tag stands in the From of what we send, as it does in its response.
        let cseq = DialogId::of_response(&errand.request)
            .and_then(|id| self.dialog_mut(&id).map(Dialog::next_cseq));
        let again = cseq.and_then(|cseq| request::again(&errand.request, cseq, &mut self.answers));
        let Some(again) = again else { return Some((errand, outcome)) };
        errand.request = again;
        if let (Purpose::Call(call, part), Some(cseq)) = (errand.purpose, cseq) {
            errand.purpose = Purpose::Call(call, self.renumber(part, cseq));
        }
        turn.line.send_again(turn.now, errand, turn.out);
        None
    }

    /// The call is over, or never came to be: says how good it was and why it ended, and gives the sockets back.
    fn end(&mut self, turn: &mut Turn<'_>, status: u16, reason: &str) {
        let audio = self.silence(turn);
        self.show_nothing(turn);
        let before = std::mem::replace(&mut self.state, State::Over(None));
        let (offered, unused) = match before {
            State::Opening { audio, .. } => (None, Some(audio)),
            State::Answering { audio, offered, .. } => (Some(offered), Some(audio)),
            State::Offered(offered) => (Some(offered), None),
            State::Up(up) => {
                self.last = Some(Box::new(up.dialog));
                (None, None)
            }
            State::Over(audio) => (None, audio),
            _ => (None, None),
        };
        let audio = audio.or(unused);
        self.state = match offered.filter(|offered| offered.provisionals.is_waiting()) {
            Some(offered) => {
                let until = turn.now + turn.line.timers.patience();
                State::Refused { offered, until, audio }
            }
            None => State::Over(audio),
        };
        turn.report(PhoneEvent::Ended { call: self.id, status, reason: reason.into() });
    }

    /// No sound any more: neither sent nor heard (RFC 3261 §15.1.1).
    fn silence(&mut self, turn: &mut Turn<'_>) -> Option<Box<dyn Audio>> {
        let sound = self.sound.take()?;
        if let Some(quality) = sound.quality().map(Box::new) {
            turn.report(PhoneEvent::Quality { call: self.id, quality });
        }
        let (audio, pairs) = sound.close(turn.now, turn.out);
        pairs.into_iter().flatten().for_each(|pair| give_back(turn, pair));
        Some(audio)
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        if let Some(sound) = &mut self.sound {
            let keys = sound.wake(turn.now, turn.out);
            self.keys(turn, keys);
            self.looked(turn);
            self.give_up_broken(turn);
        }
        self.wake_farewell(turn.now);
        self.wake_transfers(turn);
        self.wake_referrals(turn);
        if self.due().is_none_or(|due| due > turn.now) {
            return;
        }
        match &self.state {
            State::Calling(..) => self.give_up(turn),
            State::Offered(_) => self.ring_on(turn),
            State::Up(_) => self.wake_up(turn),
            State::Refused { .. } => self.refused_for_good(),
            _ => {}
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let sound = self.sound.as_ref().and_then(Sound::deadline);
        let transfers = self.transfers.iter().map(|transfer| transfer.until);
        let referrals = self.referrals.iter().map(Referral::deadline);
        let farewell = self.farewell_deadline();
        self.due().into_iter().chain(sound).chain(farewell).chain(transfers).chain(referrals).min()
    }

    fn due(&self) -> Option<Time> {
        match &self.state {
            State::Calling(_, invitation) => invitation.deadline(),
            State::Offered(offered) => Some(offered.deadline()),
            State::Up(up) => up.deadline(),
            State::Refused { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// True for a socket that its sound was lent.
    pub(crate) fn owns(&self, socket: Socket) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.has(socket))
    }

    /// A datagram came on such a socket.
    pub(crate) fn datagram(
        &mut self,
        turn: &mut Turn<'_>,
        socket: Socket,
        (from, octets): (SocketAddr, &[u8]),
    ) {
        let Some(sound) = &mut self.sound else { return };
        let keys = sound.receive(turn.now, socket, (from, octets), turn.out);
        self.keys(turn, keys);
        self.looked(turn);
        self.give_up_broken(turn);
    }

    /// Our addresses are known: says what had to wait for them.
    fn looked(&mut self, turn: &mut Turn<'_>) {
        if !self.sound.as_ref().is_some_and(Sound::is_ready) {
            return;
        }
        match self.take() {
            State::Looking(outgoing) => self.invite_now(turn, outgoing),
            other => self.state = other,
        }
        match self.then.take() {
            Some(Then::PickUp) => self.pick_up(turn),
            Some(Then::Say(status)) => self.say(turn, status),
            None => {}
        }
        self.catch_up(turn);
    }

    /// A call in which nothing will ever be heard is ended: plain sound instead of protected is no way out (RFC 5763 §5).
    fn give_up_broken(&mut self, turn: &mut Turn<'_>) {
        let broken = self.sound.as_ref().and_then(Sound::broken);
        if let (Some((status, why)), State::Up(_)) = (broken, &self.state) {
            self.hang_up_now(turn, (status, &why));
        }
    }

    /// The other side has pressed keys.
    pub(crate) fn keys(&self, turn: &mut Turn<'_>, keys: Vec<char>) {
        for key in keys {
            turn.report(PhoneEvent::Key { call: self.id, key });
        }
    }
}

fn give_back(turn: &mut Turn<'_>, Sockets { rtp, rtcp }: Sockets) {
    let ticket = turn.line.ticket();
    turn.out.push(protocol::Output::Ask(ticket, Question::CloseMedia(rtp.0, rtcp.0)));
}
