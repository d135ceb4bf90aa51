//! `Phone`: one account, its calls, and the commands of the program around it.

use std::collections::{BTreeMap, VecDeque};

use machine::{Dice, Time};
use media::Audio;
use protocol::Listener;
use protocol::auth::{Answers, Token};
use protocol::doors::{Call, CallQuality, Output, Question, Socket, Watch};
use protocol::transaction::Timers;
use sip::{Name, Status, Uri};

use crate::account::Account;
use crate::call::{Conversation, Outgoing, State, Wish};
use crate::conference::Conference;
use crate::history::{Direction, History};
use crate::limits;
use crate::line::Line;
use crate::lingering::Lingering;
use crate::outside::Outside;
use crate::reception::Reception;
use crate::registration::Registration;
use crate::request;
use crate::transfer::Succession;
use crate::turn::Turn;
use crate::uas::Seen;
use crate::unable::Unable;

/// More rows of a request.
pub(crate) type Rows = Vec<(Name, Vec<u8>)>;

/// A telephone: a [`machine::Machine`] that speaks SIP for one account, with sound.
pub struct Phone {
    pub(crate) line: Line,
    pub(crate) registration: Registration,
    pub(crate) calls: BTreeMap<Call, Conversation>,
    /// Whose sockets are whose, as far as something came on them.
    pub(crate) owners: BTreeMap<Socket, Call>,
    pub(crate) lingering: Lingering,
    pub(crate) seen: Seen,
    pub(crate) answers: Answers,
    /// Mouths and ears of calls that have ended, until they are taken back.
    pub(crate) ended: VecDeque<(Call, Box<dyn Audio>)>,
    pub(crate) outside: Outside,
    pub(crate) reception: Reception,
    pub(crate) history: History,
    /// Calls that follow others, by the new one.
    pub(crate) successions: BTreeMap<Call, Succession>,
    pub(crate) conference: Option<Conference>,
    /// Rosters of conferences that we take part in, by our call with the focus.
    pub(crate) rosters: BTreeMap<Call, Watch>,
    next: u32,
}

impl Phone {
    /// A phone for an account, that listens here. It sends nothing before it is told to.
    pub fn new(account: Account, listeners: Vec<Listener>, mut dice: Dice) -> Self {
        let registration = Registration::new(&account, &mut dice);
        let answers = account.answers();
        let outside = Outside::new(&answers, &mut dice);
        Self {
            outside,
            reception: Reception::default(),
            history: History::default(),
            line: Line::new(account, listeners, dice),
            registration,
            calls: BTreeMap::new(),
            owners: BTreeMap::new(),
            lingering: Lingering::default(),
            seen: Seen::default(),
            answers,
            ended: VecDeque::new(),
            successions: BTreeMap::new(),
            conference: None,
            rosters: BTreeMap::new(),
            next: 0,
        }
    }

    /// With other timers than RFC 3261's; before the first command.
    #[must_use]
    pub fn with_timers(mut self, timers: Timers) -> Self {
        self.line.set_timers(timers);
        self
    }

    /// Registers the account and keeps it registered (RFC 3261 §10.2). [`PhoneEvent::Registered`] tells of each success,
    /// [`PhoneEvent::NotRegistered`] of each failure, after which the phone tries again by itself.
    ///
    /// [`PhoneEvent::Registered`]: protocol::doors::PhoneEvent::Registered
    /// [`PhoneEvent::NotRegistered`]: protocol::doors::PhoneEvent::NotRegistered
    pub fn register(&mut self, now: Time, out: &mut Vec<Output>) {
        self.registration.register(now, &mut self.line, out);
        self.settle(now, out);
    }

    /// Takes the registration back, and stops trying.
    pub fn unregister(&mut self, now: Time, out: &mut Vec<Output>) {
        self.registration.unregister(now, &mut self.line, out);
        self.settle(now, out);
    }

    /// Puts a token in the place of that of the same authorization server (RFC 8898 §2.1.1): the next request shows it, and the next refresh of
    /// the registration. Nothing is sent because of it; [`register`](Self::register) would register at once.
    pub fn renew_token(&mut self, token: &Token) {
        self.answers.renew(token);
        self.registration.renew_token(token);
        self.outside.renew_token(token);
        self.calls.values_mut().for_each(|call| call.renew_token(token));
    }

    /// True while the registrar believes the phone to be here.
    pub fn is_registered(&self) -> bool {
        self.registration.is_on()
    }

    /// How many of its flows stand (RFC 5626): one is enough to be reached.
    pub fn flows(&self) -> usize {
        self.registration.standing()
    }

    /// Calls somebody: `102` and `bob` are in the account's domain; `sip:bob@example.test` and `tel:+1234` are what they are. `audio` speaks
    /// and hears once the call is up.
    pub fn call(
        &mut self,
        now: Time,
        target: &str,
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        self.call_with(now, (target, Vec::new()), audio, out)
    }

    /// The same, with more rows in the INVITE.
    pub(crate) fn call_with(
        &mut self,
        now: Time,
        (target, rows): (&str, Rows),
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        let target = self.target(target)?;
        if self.is_full() {
            return Err(Unable::TooManyCalls);
        }
        let id = self.begin(now, (target, rows), audio, out);
        self.settle(now, out);
        Ok(id)
    }

    /// Begins a call of ours, with more rows in its INVITE.
    pub(crate) fn begin(
        &mut self,
        now: Time,
        (target, rows): (Box<[u8]>, Rows),
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Call {
        let id = self.number();
        let ticket = self.line.ticket();
        out.push(Output::Ask(ticket, Question::MediaSockets));
        self.history.begin(now, (id, Direction::Out), &String::from_utf8_lossy(&target));
        let outgoing = Outgoing::new(target, self.line.account.session, &mut self.line.dice);
        let outgoing = Box::new(outgoing.saying(rows));
        let state = State::Opening { ticket, outgoing, audio };
        self.calls.insert(id, Conversation::new(id, self.answers.fresh(), state));
        id
    }

    /// Lets an incoming call ring: the caller hears it. Not needed before [`answer`](Self::answer) or [`refuse`](Self::refuse).
    pub fn ring(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        self.with(now, call, out, Conversation::ring)
    }

    /// Lets the caller hear something before anybody picks up: a greeting, where the wait is long (RFC 3261 §13.3.1.1). Whoever picks up later
    /// speaks and hears with what [`answer`](Self::answer) is given.
    pub fn announce(
        &mut self,
        now: Time,
        call: Call,
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| conversation.announce(turn, audio))
    }

    /// Picks an incoming call up.
    pub fn answer(
        &mut self,
        now: Time,
        call: Call,
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| conversation.answer(turn, audio))
    }

    /// Refuses an incoming call: 486 when busy here, 480 when nobody is there, 603 when nobody wants to talk, 600 when busy everywhere.
    pub fn refuse(
        &mut self,
        now: Time,
        call: Call,
        status: u16,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let refusal = Status::new(status)
            .filter(|status| status.is_failure())
            .ok_or(Unable::BadStatus(status))?;
        self.with(now, call, out, |conversation, turn| conversation.refuse(turn, refusal))
    }

    /// Hangs up, whatever state the call is in.
    pub fn hang_up(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        self.with(now, call, out, Conversation::hang_up)
    }

    /// Puts the other side on hold.
    pub fn hold(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| conversation.wish(turn, Wish::Hold))
    }

    /// Takes the other side back.
    pub fn resume(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| conversation.wish(turn, Wish::Resume))
    }

    /// What the other side hears while we hold it: music, an announcement; nothing: silence.
    pub fn set_music(
        &mut self,
        now: Time,
        call: Call,
        music: Option<Box<dyn Audio>>,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, turn| match conversation.sound() {
            Some(sound) => {
                sound.set_music(turn.now, music);
                Ok(())
            }
            None => Err(Unable::NotNow("stands")),
        })
    }

    /// Presses a key: `0`–`9`, `*`, `#`, `A`–`D`. Keys pressed faster than they can be sent wait for their turn.
    pub fn press(
        &mut self,
        now: Time,
        call: Call,
        key: char,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        self.with(now, call, out, |conversation, _| match conversation.sound() {
            Some(sound) => sound.press(key),
            None => Err(Unable::NotNow("stands")),
        })
    }

    /// Mouth and ear of a call, to look at or to change.
    pub fn audio(&mut self, call: Call) -> Option<&mut dyn Audio> {
        if self.takes_part(call) {
            return self.conference.as_mut()?.audio(call);
        }
        if let Some(conversation) = self.calls.get_mut(&call) {
            return conversation.audio();
        }
        let (_, audio) = self.ended.iter_mut().find(|(ended, _)| *ended == call)?;
        Some(&mut **audio)
    }

    /// Takes mouth and ear of a call that has ended back. They are kept for the last [`limits::ENDED`] calls.
    pub fn take_audio(&mut self, call: Call) -> Option<Box<dyn Audio>> {
        if let Some(conversation) = self.calls.get_mut(&call) {
            return conversation.take_audio();
        }
        let at = self.ended.iter().position(|(ended, _)| *ended == call)?;
        self.ended.remove(at).map(|(_, audio)| audio)
    }

    /// How good the sound of a call is so far.
    pub fn quality(&mut self, call: Call) -> Option<CallQuality> {
        self.calls.get_mut(&call)?.sound()?.quality()
    }

    /// The calls that there are, in the order of their beginning.
    pub fn calls(&self) -> impl Iterator<Item = Call> {
        self.calls.values().filter(|call| !call.has_ended()).map(|call| call.id)
    }

    /// True when nothing is under way: no call, no transaction, no registration that waits for an answer.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty()
            && self.lingering.is_empty()
            && self.line.is_quiet()
            && self.registration.is_quiet()
            && self.outside.is_quiet()
    }

    /// True when there is no call, and no registration waits for an answer: a program may leave now. Transactions may still be there to
    /// absorb repeats.
    pub fn is_idle(&self) -> bool {
        self.calls.values().all(Conversation::owes_nothing) && !self.registration.is_asking()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.calls.len() >= limits::CALLS
    }

    pub(crate) const fn number(&mut self) -> Call {
        self.next = self.next.wrapping_add(1);
        Call(self.next)
    }

    /// Does something with a call.
    pub(crate) fn with(
        &mut self,
        now: Time,
        call: Call,
        out: &mut Vec<Output>,
        deed: impl FnOnce(&mut Conversation, &mut Turn<'_>) -> Result<(), Unable>,
    ) -> Result<(), Unable> {
        let done = self.with_quietly(now, call, out, deed);
        self.settle(now, out);
        done
    }

    /// The same, where what follows is taken care of by others.
    pub(crate) fn with_quietly(
        &mut self,
        now: Time,
        call: Call,
        out: &mut Vec<Output>,
        deed: impl FnOnce(&mut Conversation, &mut Turn<'_>) -> Result<(), Unable>,
    ) -> Result<(), Unable> {
        let conversation = self.calls.get_mut(&call).ok_or(Unable::NoSuchCall)?;
        let (line, lingering) = (&mut self.line, &mut self.lingering);
        deed(conversation, &mut Turn { now, line, lingering, out })
    }

    /// The URI that the program means.
    pub(crate) fn target(&self, text: &str) -> Result<Box<[u8]>, Unable> {
        let text = text.trim();
        let account = &self.line.account;
        let ours = account.scheme();
        let uri = match text.split(':').next().unwrap_or_default() {
            "sip" | "sips" | "tel" => text.to_owned(),
            _ if text.contains('@') => format!("{ours}:{text}"),
            _ => {
                let user = sip::uri::escape_user(text.as_bytes());
                format!("{ours}:{}@{}", String::from_utf8_lossy(&user), account.domain)
            }
        };
        if !request::fits_brackets(uri.as_bytes()) {
            let what = format!("{uri}: no brackets, quotes or spaces stand in an address");
            return Err(Unable::BadTarget(what));
        }
        match Uri::parse(uri.as_bytes()) {
            // RFC 3261 §8.1.1.8: then our own address must be secure too.
            Ok(Uri::Sip(read)) if read.secure && ours != "sips" => {
                let what =
                    format!("{uri} can be called only from a secure account: {}", account.secure());
                Err(Unable::BadTarget(what))
            }
            Ok(Uri::Sip(_) | Uri::Tel(_)) => Ok(uri.into_bytes().into()),
            Ok(Uri::Other(scheme, _)) => {
                Err(Unable::BadTarget(format!("{scheme}: is nothing to call")))
            }
            Err(error) => Err(Unable::BadTarget(format!("{uri}: {error}"))),
        }
    }
}
