//! Calls of ours until somebody picks up (RFC 3261 §8.1, §13.2).

use std::collections::VecDeque;

use media::{Audio, Signal};
use protocol::dialog::{CallId, Dialog, Tag, for_request_uri};
use protocol::doors::PhoneEvent;
use protocol::locate::Scheme;
use protocol::session::{Heard, Invitation, Owner, SessionTimer};
use protocol::transaction::ClientId;
use sip::header::Contact;
use sip::uri::escape_user;
use sip::{Message, Method, Name, Status, Uri};

use super::{Conversation, State, Up};
use crate::line::{Errand, Outcome, Part, Purpose};
use crate::sound::Sockets;
use crate::transfer::{self, Token};
use crate::turn::Turn;
use crate::{abilities, limits, request};

/// A call of ours that nobody has picked up.
#[derive(Debug)]
pub(crate) struct Outgoing {
    target: Box<[u8]>,
    call_id: CallId,
    tag: Tag,
    cseq: u32,
    /// Where we were sent to instead, still to be tried (RFC 3261 §8.1.3.4).
    instead: VecDeque<Box<[u8]>>,
    tried: Vec<Box<[u8]>>,
    timer: SessionTimer,
    /// More rows of its INVITE.
    rows: Vec<(Name, Vec<u8>)>,
    /// What its INVITE carries beside the offer.
    token: Option<Token>,
}

impl Outgoing {
    /// A call to there, whose session lives for so many seconds without a refresh.
    pub(crate) fn new(target: Box<[u8]>, session: u32, dice: &mut machine::Dice) -> Self {
        let (call_id, tag) = (CallId::throw(dice), Tag::throw(dice));
        let (tried, timer) = (vec![target.clone()], SessionTimer::new(session));
        let (instead, rows, token) = (VecDeque::new(), Vec::new(), None);
        Self { target, call_id, tag, cseq: 1, instead, tried, timer, rows, token }
    }

    /// With more rows in its INVITE.
    pub(crate) fn saying(mut self, rows: Vec<(Name, Vec<u8>)>) -> Self {
        self.rows = rows;
        self
    }
}

impl Conversation {
    /// The INVITE that is about to go out carries this too.
    pub(crate) fn carry(&mut self, token: Token) {
        if let State::Opening { outgoing, .. } = &mut self.state {
            outgoing.token = Some(token);
        }
    }

    /// The sockets are there: the INVITE follows, at once where nobody has to be asked for our addresses.
    pub(super) fn invite(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: Box<Outgoing>,
        (sockets, audio): (Option<Sockets>, Box<dyn Audio>),
    ) {
        let Some(sockets) = sockets else {
            self.state = State::Over(Some(audio));
            return self.end(turn, 503, "no port for sound is free on this machine");
        };
        let sound = self.sounding(turn, (sockets, audio), None);
        let ready = sound.is_ready();
        self.sound = Some(sound);
        match ready {
            true => self.invite_now(turn, outgoing),
            false => self.state = State::Looking(outgoing),
        }
    }

    /// Out goes the INVITE, with an offer.
    pub(super) fn invite_now(&mut self, turn: &mut Turn<'_>, outgoing: Box<Outgoing>) {
        let Some(sound) = &mut self.sound else { return };
        let offer = sound.offer();
        let Ok(offer) = offer else { return self.end(turn, 500, "no offer could be made") };
        let account = &turn.line.account;
        let to = [b"<", &*for_request_uri(&outgoing.target), b">"].concat();
        let draft = request::route(account)
            .begin(Method::Invite, &outgoing.target)
            .raw(Name::MaxForwards, b"70")
            .raw(Name::From, format!("{};tag={}", account.name_addr(), outgoing.tag).as_bytes())
            .raw(Name::To, &to)
            .raw(Name::CallId, outgoing.call_id.as_bytes())
            .raw(Name::CSeq, format!("{} INVITE", outgoing.cseq).as_bytes())
            .raw(Name::Contact, self.contact(turn).as_bytes());
        let draft = account.sign(draft, Name::UserAgent);
        let rows = outgoing.rows.iter();
        let draft = rows.fold(draft, |draft, (name, value)| draft.raw(*name, value));
        let draft = outgoing.timer.ask(turn.announce(draft));
        let more = outgoing.token.as_ref();
        let draft = match more.and_then(|token| token.beside(&offer, &mut turn.line.dice)) {
            Some((kind, parts)) => draft.body(&kind, &parts),
            None => draft.body(abilities::ACCEPT, &offer),
        };
        let Some(request) = request::signed(draft, &mut self.answers) else {
            return self.end(turn, 500, "the INVITE could not be written");
        };
        let hop = request::first_hop(&turn.line.account, &outgoing.target);
        self.state = State::Sending(outgoing);
        let errand = Errand::new(Purpose::Call(self.id, Part::Invite), request, hop);
        turn.line.send(turn.now, errand, turn.out);
    }

    /// The INVITE went out.
    pub(super) fn invited(&mut self, invitation: Invitation) {
        match self.take() {
            // Another address is tried after the first was silent.
            State::Sending(outgoing) | State::Calling(outgoing, _) => {
                self.state = State::Calling(outgoing, Box::new(invitation));
            }
            other => self.state = other,
        }
    }

    /// The last word to our INVITE.
    pub(super) fn invite_done(&mut self, turn: &mut Turn<'_>, errand: Errand, outcome: Outcome) {
        let (outgoing, invitation) = match self.take() {
            State::Calling(outgoing, invitation) => (outgoing, Some(invitation)),
            State::Sending(outgoing) => (outgoing, None),
            other => return self.state = other,
        };
        let cancelled = invitation.as_ref().is_some_and(|invitation| invitation.is_cancelled());
        match (outcome, invitation) {
            (Outcome::Failure(..), _) if cancelled => self.end(turn, 487, CANCELLED),
            (Outcome::Failure(status, why), _) if outgoing.instead.is_empty() => {
                self.end(turn, status.code(), &why);
                self.bid_farewell(turn, status.code());
            }
            (Outcome::Failure(..), _) => self.redirect(turn, outgoing, errand),
            (Outcome::Response(response), Some(invitation))
                if response.status().is_some_and(Status::is_success) =>
            {
                self.picked_up(turn, (outgoing, invitation), &response);
            }
            (Outcome::Response(response), _) => {
                if cancelled {
                    return self.end(turn, 487, CANCELLED);
                }
                self.refused(turn, outgoing, (errand, &response));
            }
        }
    }

    fn refused(
        &mut self,
        turn: &mut Turn<'_>,
        mut outgoing: Box<Outgoing>,
        (mut errand, response): (Errand, &Message),
    ) {
        let status = response.status().unwrap_or(Status::SERVER_INTERNAL_ERROR);
        if matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) {
            if let Err(why) = self.answers.learn(response, &mut errand.tries, &mut turn.line.dice) {
                return self.end(turn, status.code(), &why.to_string());
            }
            outgoing.cseq = outgoing.cseq.saturating_add(1);
            let again = request::again(&errand.request, outgoing.cseq, &mut self.answers);
            let Some(again) = again else {
                return self.end(turn, 500, "the INVITE could not be written");
            };
            return self.send_anew(turn, outgoing, (errand, again));
        }
        if let Some(changed) = outgoing.otherwise(&errand.request, response) {
            outgoing.cseq = outgoing.cseq.saturating_add(1);
            if let Some(again) = request::again(&changed, outgoing.cseq, &mut self.answers) {
                return self.send_anew(turn, outgoing, (errand, again));
            }
        }
        // RFC 3261 §21.3.4: a proxy that a stranger names is no address of theirs, and no proxy of ours.
        if status.class() == 3 && status != Status::USE_PROXY {
            outgoing.learn(response, turn.line.account.scheme);
        }
        if status == Status::UNSUPPORTED_URI_SCHEME {
            outgoing.learn_sip(&turn.line.account.domain);
        }
        // RFC 3261 §8.1.3.4: a failure of one address makes us try the next; a 6xx speaks for all of them.
        if status.class() != 6 && !outgoing.instead.is_empty() {
            return self.redirect(turn, outgoing, errand);
        }
        self.end(turn, status.code(), &request::reason(response));
        self.bid_farewell(turn, status.code());
    }

    /// The INVITE goes out anew, by the same way.
    fn send_anew(
        &mut self,
        turn: &mut Turn<'_>,
        outgoing: Box<Outgoing>,
        (mut errand, again): (Errand, Message),
    ) {
        if let Some(sound) = &mut self.sound {
            sound.begin_anew();
        }
        errand.request = again;
        self.state = State::Sending(outgoing);
        turn.line.send_again(turn.now, errand, turn.out);
    }

    /// The same request to the next address that we were sent to.
    fn redirect(&mut self, turn: &mut Turn<'_>, mut outgoing: Box<Outgoing>, errand: Errand) {
        let Some(next) = outgoing.instead.pop_front() else {
            return self.end(turn, 480, "nobody could be reached");
        };
        outgoing.cseq = outgoing.cseq.saturating_add(1);
        outgoing.tried.push(next.clone());
        let target = for_request_uri(&next);
        let moved = errand.request.edit().request_uri(&target).finish().ok();
        let again =
            moved.and_then(|moved| request::again(&moved, outgoing.cseq, &mut self.answers));
        let Some(again) = again else {
            return self.end(turn, 500, "the INVITE could not be written");
        };
        if let Some(sound) = &mut self.sound {
            sound.begin_anew();
        }
        self.state = State::Sending(outgoing);
        let hop = request::first_hop(&turn.line.account, &target);
        let errand = Errand::new(Purpose::Call(self.id, Part::Invite), again, hop);
        turn.line.send(turn.now, errand, turn.out);
    }

    /// A 2xx: the call is up, or was not wanted any more.
    fn picked_up(
        &mut self,
        turn: &mut Turn<'_>,
        (outgoing, mut invitation): (Box<Outgoing>, Box<Invitation>),
        response: &Message,
    ) {
        let heard = invitation.hear(turn.now, &turn.line.timers, response, turn.out);
        let (id, invite) = (invitation.id(), invitation.invite().clone());
        turn.lingering.keep(turn.now, &turn.line.timers, self.id, *invitation);
        match heard {
            Heard::Answered(dialog) => {
                let up = Up::new(*dialog, Owner::Us, outgoing.timer);
                self.established(turn, (id, &invite), up, response);
            }
            Heard::Surplus(dialog) => {
                // Trap 2: the 2xx and our CANCEL have met on the way.
                turn.acknowledge((id, &invite), &dialog, None);
                self.leave(turn, *dialog, (487, CANCELLED));
            }
            Heard::Progress(..)
            | Heard::Reliable(..)
            | Heard::Cancel(_)
            | Heard::Refused
            | Heard::Nothing => {
                self.end(turn, 500, "the 2xx could not be read");
            }
        }
    }

    fn established(
        &mut self,
        turn: &mut Turn<'_>,
        (id, invite): (ClientId, &Message),
        mut up: Up,
        response: &Message,
    ) {
        turn.acknowledge((id, invite), &up.dialog, None);
        let answer = sdp_of(response).unwrap_or_default();
        let sound = self.sound.as_mut();
        let fork = &up.dialog.id().remote;
        let agreed = sound.map(|sound| {
            sound.hush(Signal::Ringback);
            sound.accept_final(turn.now, fork, &answer)
        });
        if let Some(Err(refusal)) = agreed {
            // RFC 3261 §13.2.2.4: acknowledged, and then hung up.
            let why = format!("no sound could be agreed on: {refusal}");
            return self.leave(turn, up.dialog, (488, &why));
        }
        up.hear_abilities(response);
        up.timer.agreed(turn.now, response);
        self.state = State::Up(Box::new(up));
        turn.report(PhoneEvent::Established { call: self.id });
        self.hear_role(turn, response);
        self.tell_hold(turn);
        self.catch_up(turn);
    }

    /// One more fork has picked up, too late.
    pub(crate) fn surplus(
        &mut self,
        turn: &mut Turn<'_>,
        (id, invite): (ClientId, &Message),
        mut dialog: Dialog,
    ) {
        turn.acknowledge((id, invite), &dialog, None);
        if let Some(bye) = request::signed(dialog.request(Method::Bye), &mut self.answers) {
            turn.send_within(Purpose::Nobody, &dialog, bye);
        }
    }

    /// Nobody has answered our CANCEL (RFC 3261 §9.1).
    pub(super) fn give_up(&mut self, turn: &mut Turn<'_>) {
        let State::Calling(_, invitation) = &mut self.state else { return };
        if invitation.wake(turn.now) {
            turn.line.abandon(invitation.id());
            self.end(turn, 487, "cancelled; the other side did not confirm it");
        }
    }
}

impl Outgoing {
    /// The INVITE as a refusal wants it, if it says how.
    fn otherwise(&mut self, invite: &Message, response: &Message) -> Option<Message> {
        match response.status()? {
            // RFC 4028 §7.3: the same, for longer.
            Status::SESSION_INTERVAL_TOO_SMALL if self.timer.too_brief(response) => {
                let mut edit = invite.edit();
                for (name, value) in self.timer.rows() {
                    edit.replace_raw(name, value.as_bytes());
                }
                edit.finish().ok()
            }
            // RFC 3261 §7.4.1: the offer alone, for who takes no body in parts.
            Status::UNSUPPORTED_MEDIA_TYPE if self.token.take().is_some() => {
                transfer::without_token(invite)
            }
            _ => None,
        }
    }

    /// RFC 3261 §8.1.3.4: the addresses of a 3xx, best first, each only once. A call that was asked to be secure stays so.
    fn learn(&mut self, response: &Message, ours: Scheme) {
        let contacts = response.all::<Contact>().filter_map(Result::ok);
        let secure = self.tried.first().is_some_and(|uri| is_secure(uri));
        let can_be_called = |uri: &[u8]| match Uri::parse(uri) {
            Ok(Uri::Sip(uri)) if uri.secure => ours == Scheme::Sips,
            Ok(Uri::Sip(_) | Uri::Tel(_)) => !secure,
            Ok(Uri::Other(..)) | Err(_) => false,
        };
        let mut found: Vec<_> = contacts
            .filter(|contact| contact.address().is_some_and(|address| can_be_called(address.uri)))
            .filter_map(|contact| Some((contact.q(), contact.address()?.uri.into())))
            .collect::<Vec<(u16, Box<[u8]>)>>();
        found.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
        for (_, uri) in found {
            self.add(uri);
        }
    }

    /// RFC 3261 §8.1.3.5: who does not know `tel:` may know the same number as a SIP URI (§19.1.6).
    fn learn_sip(&mut self, domain: &str) {
        let number = self.tried.last().and_then(|uri| uri.strip_prefix(b"tel:"));
        if let Some(number) = number {
            // What is escaped already stays so.
            let user: Vec<_> = number.split(|octet| *octet == b'%').map(escape_user).collect();
            let user = user.join(&b'%');
            let sip = [b"sip:", &*user, b"@", domain.as_bytes(), b";user=phone"].concat();
            self.add(sip.into());
        }
    }

    fn add(&mut self, uri: Box<[u8]>) {
        let known = self.tried.contains(&uri) || self.instead.contains(&uri);
        if !known && self.tried.len().saturating_add(self.instead.len()) < limits::REDIRECTIONS {
            self.instead.push_back(uri);
        }
    }
}

fn is_secure(uri: &[u8]) -> bool {
    matches!(Uri::parse(uri), Ok(Uri::Sip(uri)) if uri.secure)
}

/// What a cancelled call ends with.
pub(super) const CANCELLED: &str = "cancelled";

/// The session description of a message, also when it is one of several parts.
pub(crate) fn sdp_of(message: &Message) -> Option<Vec<u8>> {
    let found = message.content()?.find("application", "sdp").ok()??;
    Some(found.octets().to_vec())
}
