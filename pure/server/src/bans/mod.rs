//! Bans: whoever guesses passwords, or does other harm, is not heard for a while; and it is known why.
//!
//! Counted is only what is proven to come from where it seems to: nobody gets somebody else banned. A source from which somebody is
//! registered is slowed, not barred. Known users and others are counted alike, so that nobody learns from a ban who there is.

mod guests;
mod kept;
mod others;
mod pacing;
mod sieges;
mod suspects;

use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::time::Duration;

use machine::{HashKey, Time};
use protocol::bans::{Ban, Caution, Guest, Lifting, Misdeed, Offence, Source, Treatment};
use protocol::doors::Event;
use protocol::{Flow, Output, Question, Record, Ticket};
use sip::header::From as FromHeader;
use sip::uri::{unescape, without_password};
use sip::{Message, Method, Name, Uri};

use crate::debts::Debts;
use crate::house::House;
use crate::limits;
use crate::location::Binding;
use crate::settings::{self, Bindings, Registered, Settings};
use crate::turn::Turn;
use guests::{Guests, brief};
use kept::Kept;
pub(crate) use kept::is_key;
use pacing::{Pacing, Place};
use sieges::Sieges;
use suspects::{Due, GRACE, Suspects};

/// Who has done what, and who is welcome all the same.
#[derive(Debug)]
pub(crate) struct Bans {
    names: HashKey,
    suspects: Suspects,
    /// When guesses of slowed sources are heard again.
    pacing: Pacing,
    /// Wrong answers with nonces that nobody is known to have been given.
    unproven: Debts<Source>,
    sieges: Sieges,
    guests: Guests,
    /// Users whose siege has begun, and whose guests other shards must know.
    besieged: Vec<Box<[u8]>>,
    /// Bans of an earlier life, of which the driver has not been told.
    restored: Vec<Source>,
}

/// Does somebody who answers a challenge get what we send to its address?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It has a connection, or a nonce that was sent there.
    Given,
    /// It may be anybody who writes that address into a datagram.
    Missing,
}

/// What becomes of an answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// It is judged.
    Judge,
    /// It is not judged: who sent it is asked anew, as if it had been wrong.
    AskAgain,
    /// It is not answered.
    Silence,
}

/// How somebody comes who has registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// From where it came before, and that is noted.
    AsBefore,
    /// As nobody knows yet.
    Anew,
}

/// A wrong answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    pub(crate) user: Box<[u8]>,
    pub(crate) offence: Offence,
    pub(crate) proof: Proof,
}

impl Guess {
    /// What is wrong with it, in words.
    pub(crate) const fn words(&self) -> &'static str {
        match self.offence {
            Offence::UnknownUser => "Unknown User",
            _ => "Wrong Password",
        }
    }
}

impl Bans {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            names: HashKey::of(settings.secret),
            suspects: Suspects::default(),
            pacing: Pacing::new(),
            unproven: Debts::new(limits::UNPROVEN),
            sieges: Sieges::default(),
            guests: Guests::default(),
            besieged: Vec::new(),
            restored: Vec::new(),
        }
    }

    /// True for what is not to be heard. The driver drops most of it sooner.
    pub(crate) fn shuns(&self, flow: Flow) -> bool {
        self.suspects.is_barred(flow.peer.ip().into())
    }

    /// Is somebody registered from where this comes?
    pub(crate) fn is_home(&self, now: Time, flow: Flow) -> bool {
        self.guests.is_home(now, flow.peer.ip().into())
    }

    /// Does a request come from the very port from which its user is registered?
    pub(crate) fn is_from_home(&self, now: Time, flow: Flow, request: &Message) -> bool {
        let from = request.get::<FromHeader>();
        let Some(Ok(Uri::Sip(from))) = from.map(|from| Uri::parse(from.uri)) else { return false };
        let user = self.number(&unescape(from.user.unwrap_or_default()));
        self.guests.is_at(now, (flow.peer.ip().into(), flow.peer.port()), user)
    }

    /// What becomes of an answer to a challenge, before it is looked at.
    pub(crate) fn hearing(
        &mut self,
        turn: &Turn<'_>,
        flow: Flow,
        (user, proof): (&[u8], Proof),
    ) -> Hearing {
        let rules = &turn.house.settings.bans;
        let (source, port) = (Source::from(flow.peer.ip()), flow.peer.port());
        let is_slowed = self.suspects.is_slowed(source);
        if !is_slowed && proof == Proof::Given && self.sieges.are_none() {
            // Nobody is slowed but for one of these: whose home this is need not be looked up.
            return Hearing::Judge;
        }
        let (now, user) = (turn.now, self.number(user));
        if rules.failures == 0 || self.guests.is_at(now, (source, port), user) {
            return Hearing::Judge;
        }
        if is_slowed {
            let place = self.place(turn, source, user);
            if !self.pacing.hears(now, place, port) {
                return Hearing::Silence;
            }
        }
        if proof == Proof::Missing {
            let owed = self.unproven.of(now, source);
            let is_new = owed == Duration::ZERO;
            if owed >= rules.window || is_new && self.unproven.is_full(now) {
                return Hearing::AskAgain;
            }
        }
        let besieged = self.sieges.is_on(now, rules, user) && !self.sieges.hears(now, user);
        if besieged && !self.guests.knows(now, source, user) {
            return Hearing::Silence;
        }
        Hearing::Judge
    }

    /// For whom guesses from there wait: whoever is known there does not wait for those who guess for others, and behind an address that
    /// speaks for many nobody does.
    fn place(&self, turn: &Turn<'_>, source: Source, user: u64) -> Place {
        let own = self.guests.knows(turn.now, source, user) || is_spared(turn.house, source);
        (source, own.then_some(brief(user)))
    }

    /// Somebody has given a wrong answer to a challenge.
    pub(crate) fn guessed(
        &mut self,
        turn: &mut Turn<'_>,
        flow: Flow,
        request: &Message,
        guess: Guess,
    ) {
        let source = Source::from(flow.peer.ip());
        let rules = &turn.house.settings.bans;
        if guess.proof == Proof::Missing {
            let each = rules.window.checked_div(rules.failures).unwrap_or_default();
            self.unproven.add(turn.now, source, each);
            return;
        }
        let weight = if is_scanner(rules, request) { 50 } else { 10 };
        let name = guess.user.get(..limits::COUNTED_NAME).unwrap_or(&guess.user);
        let user = Some(name.into());
        let (offence, sample) = (guess.offence, sample(request));
        self.did(turn, Misdeed { source, port: flow.peer.port(), offence, weight, user, sample });
    }

    /// Somebody has proven who it is, and tried what is forbidden.
    pub(crate) fn defrauded(&mut self, turn: &mut Turn<'_>, flow: Flow, request: &Message) {
        let (source, port, sample) = (flow.peer.ip().into(), flow.peer.port(), sample(request));
        let (offence, weight) = (Offence::Fraud, 10);
        self.did(turn, Misdeed { source, port, offence, weight, user: None, sample });
    }

    /// Octets came on a connection that are no SIP. Of datagrams nobody knows who has sent them.
    pub(crate) fn unreadable(&mut self, turn: &mut Turn<'_>, flow: Flow, what: &str) {
        if flow.transport.is_reliable() {
            let (source, port, sample) = (flow.peer.ip().into(), flow.peer.port(), cut(what));
            let (offence, weight) = (Offence::NotSip, 1);
            self.did(turn, Misdeed { source, port, offence, weight, user: None, sample });
        }
    }

    /// Something was done: all shards are to know.
    fn did(&mut self, turn: &mut Turn<'_>, misdeed: Misdeed) {
        if turn.house.settings.bans.failures == 0 {
            return;
        }
        if has_others(turn) {
            turn.out.push(Output::Caution(Caution::Did(misdeed.clone())));
        }
        self.note(turn, &misdeed);
    }

    fn note(&mut self, turn: &mut Turn<'_>, misdeed: &Misdeed) {
        let (now, house) = (turn.now, turn.house);
        let (source, rules) = (misdeed.source, &house.settings.bans);
        if let Some(name) = &misdeed.user
            && self.sieges.note(now, rules, self.number(name))
            && turn.is_home_of(name)
        {
            self.besieged.push(name.clone());
            let user = String::from_utf8_lossy(name).into();
            turn.out.push(Output::Report(Event::Besieged { user }));
        }
        if let Some(name) = &misdeed.user
            && self.suspects.is_slowed(source)
        {
            let place = self.place(turn, source, self.number(name));
            self.pacing.slow(now, place, misdeed.port);
        }
        if !self.suspects.note(now, rules, misdeed) {
            return;
        }
        if misdeed.user.is_some() {
            self.pacing.note(now, source, misdeed.port);
        }
        self.introduce(turn, self.guests.of(source).take(limits::GUESTS_TOLD).collect());
        if has_others(turn) {
            self.suspects.weigh(source, now + GRACE);
        } else {
            self.judge(turn, source);
        }
    }

    /// A source has done too much: it is barred, unless something speaks for it. The shard where the source is at home decides.
    fn judge(&mut self, turn: &mut Turn<'_>, source: Source) {
        let (now, house) = (turn.now, turn.house);
        let rules = &house.settings.bans;
        let decides = turn.is_home_of(&source.octets());
        if !decides || self.is_excused(turn, source) {
            self.suspects.slow(now, source);
        } else {
            self.suspects.bar(now, source, rules);
        }
        let Some(ban) = self.suspects.ban(source).filter(|_| decides) else { return };
        if ban.treatment == Treatment::Barred {
            write_down(turn, &Kept::Barred(ban.clone()), ban.until);
            turn.out.push(Output::Bar(source, ban.until));
            if has_others(turn) {
                turn.out.push(Output::Caution(Caution::Barred(ban.clone())));
            }
        }
        turn.out.push(Output::Report(Event::Banned(Box::new(ban))));
    }

    /// Whether something speaks for a source, whatever it has done.
    fn is_excused(&self, turn: &Turn<'_>, source: Source) -> bool {
        let rules = &turn.house.settings.bans;
        let lives_here =
            rules.registered == Registered::Slowed && self.guests.is_home(turn.now, source);
        lives_here || is_spared(turn.house, source)
    }

    /// Takes a ban that an earlier life has written down, whose clock was set by so many milliseconds since.
    pub(crate) fn restore(&mut self, (now, house): (Time, &House), octets: &[u8], shift: i64) {
        let Some(Kept::Barred(ban)) = Kept::read(&house.seal, octets) else { return };
        let (since, until) = (ban.since.shifted(shift), ban.until.shifted(shift));
        if until > now && !is_spared(house, ban.source) {
            self.suspects.adopt(&Ban { since, until, ..ban });
            self.restored.push(ban.source);
        }
    }

    /// Another shard tells of strangers.
    pub(crate) fn cautioned(&mut self, turn: &mut Turn<'_>, caution: Caution) {
        match caution {
            Caution::Did(misdeed) => self.note(turn, &misdeed),
            Caution::Barred(ban) => {
                turn.out.push(Output::Bar(ban.source, ban.until));
                self.suspects.adopt(&ban);
            }
            Caution::Lifted(lifting) => drop(self.free(turn, lifting)),
            Caution::Known(guests) => {
                guests.into_iter().for_each(|guest| self.guests.note(turn.now, guest));
            }
            Caution::Tried { .. } | Caution::Calls { .. } => {}
        }
    }

    /// From where somebody comes, and in which of the times for which guests are noted, as a number: who comes again under the same one is noted already. One in
    /// 32,768 of those who come from elsewhere is taken for noted, too, until the next such time.
    pub(crate) fn visit(turn: &Turn<'_>, flow: Flow) -> u16 {
        let source = u64::from_be_bytes(Source::from(flow.peer.ip()).octets());
        let when = u64::from(flow.peer.port()) << 32 | term(turn) & u64::from(u32::MAX);
        let mixed = (source.wrapping_mul(MIX) ^ when).wrapping_mul(MIX);
        (mixed >> 48) as u16 | 1
    }

    /// Somebody has registered.
    pub(crate) fn welcome(
        &mut self,
        turn: &mut Turn<'_>,
        (flow, user): (Flow, &[u8]),
        visit: Visit,
    ) {
        let (now, rules) = (turn.now, &turn.house.settings.bans);
        let source = Source::from(flow.peer.ip());
        let is_slowed = self.suspects.is_slowed(source);
        if visit == Visit::AsBefore && !is_slowed && self.sieges.are_none() {
            return;
        }
        let number = self.number(user);
        let until = (term(turn) + 2).saturating_mul(longest(turn));
        let until = u32::try_from(until).unwrap_or(u32::MAX);
        let guest = Guest { source, user: brief(number), port: flow.peer.port(), until };
        self.guests.note(now, guest);
        if is_slowed || self.sieges.is_on(now, rules, number) {
            self.introduce(turn, vec![guest]);
        }
    }

    /// Somebody was registered in an earlier life, and still is.
    pub(crate) fn remember(&mut self, now: Time, user: &[u8], bindings: &[Binding]) {
        let user = brief(self.number(user));
        for binding in bindings {
            let Some((ip, port)) = came_from(binding) else { continue };
            let (source, until) = (ip.into(), seconds(binding.until));
            self.guests.note(now, Guest { source, user, port, until });
        }
    }

    /// Users whose siege has begun since this was asked last.
    pub(crate) fn besieged(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.besieged)
    }

    /// Tells other shards from where a besieged user is known.
    pub(crate) fn vouch(&self, turn: &mut Turn<'_>, user: &[u8], bindings: &[Binding]) {
        let user = self.number(user);
        let sources = bindings.iter().filter_map(came_from).take(limits::GUESTS_TOLD);
        let known = sources.filter_map(|(ip, _)| self.guests.get(ip.into(), user)).collect();
        self.introduce(turn, known);
    }

    fn introduce(&self, turn: &mut Turn<'_>, guests: Vec<Guest>) {
        if has_others(turn) && !guests.is_empty() {
            turn.out.push(Output::Caution(Caution::Known(guests)));
        }
    }

    /// Bans end.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        for source in std::mem::take(&mut self.restored) {
            let ban = self.suspects.ban(source);
            turn.out.extend(ban.map(|ban| Output::Bar(source, ban.until)));
        }
        for source in self.suspects.displaced() {
            turn.out.push(Output::Unbar(source));
            others::report(turn, source, Event::Unbanned { source });
        }
        while let Some((source, due)) = self.suspects.due(turn.now, &turn.house.settings.bans) {
            if due == Due::Judgement {
                self.judge(turn, source);
                continue;
            }
            if due == Due::Heard {
                turn.out.push(Output::Unbar(source));
            }
            others::report(turn, source, Event::Unbanned { source });
        }
    }

    /// When one does.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let restored = (!self.restored.is_empty()).then_some(Time::default());
        restored.or_else(|| self.suspects.deadline())
    }

    /// How many sources are not heard.
    pub(crate) fn barred(&self) -> usize {
        self.suspects.barred()
    }

    /// Bans, in the order of their sources, after one of them.
    pub(crate) fn page(&self, after: Option<Source>) -> Vec<Ban> {
        self.suspects.page(after).take(limits::BANS_A_PAGE).collect()
    }

    /// Bars a source because an operator says so.
    pub(crate) fn bar(&mut self, turn: &mut Turn<'_>, source: Source, lasts: Duration) {
        let (since, until) = (turn.now, turn.now + lasts);
        let (treatment, offence, sample) = (Treatment::Barred, Offence::ByHand, "".into());
        let edition = self.suspects.next_edition(turn.now);
        let (count, times) = (0, 1);
        let ban = Ban { source, treatment, offence, count, times, since, until, edition, sample };
        self.suspects.adopt(&ban);
        write_down(turn, &Kept::Barred(ban.clone()), until);
        turn.out.push(Output::Bar(source, until));
        turn.out.push(Output::Report(Event::Banned(Box::new(ban.clone()))));
        if has_others(turn) {
            turn.out.push(Output::Caution(Caution::Barred(ban)));
        }
    }

    /// Lifts the ban of a source because an operator says so; false when there was none here. Every shard is told so, and one of them says it to the
    /// others and writes it down: of two words the earlier could be the one that is read elsewhere, and the other be believed here.
    pub(crate) fn lift(&mut self, turn: &mut Turn<'_>, source: Source) -> bool {
        turn.out.push(Output::Unbar(source));
        let Some(ban) = self.suspects.ban(source) else { return false };
        if !turn.is_home_of(&source.octets()) {
            return true;
        }
        let edition = self.suspects.next_edition(turn.now);
        let until = ban.until.max(turn.now) + LIFTED;
        let lifting = Lifting { source, edition, until };
        self.suspects.lift(lifting);
        write_down(turn, &Kept::Lifted(source, edition), until);
        turn.out.push(Output::Report(Event::Unbanned { source }));
        if has_others(turn) {
            turn.out.push(Output::Caution(Caution::Lifted(lifting)));
        }
        true
    }

    /// It is heard again; true when it was banned.
    fn free(&mut self, turn: &mut Turn<'_>, lifting: Lifting) -> bool {
        turn.out.push(Output::Unbar(lifting.source));
        self.suspects.lift(lifting).is_some()
    }

    /// A user as a number: the same on all shards.
    fn number(&self, user: &[u8]) -> u64 {
        self.names.hash_one(user.get(..limits::COUNTED_NAME).unwrap_or(user))
    }
}

/// Has a ban kept over a restart, or where the other nodes see it, until then; nobody waits for that.
fn write_down(turn: &mut Turn<'_>, kept: &Kept, until: Time) {
    let value = match (turn.house.settings.bindings, kept) {
        (Bindings::InMemory, _) => return,
        // What is not there any more is not in force.
        (Bindings::Kept, Kept::Lifted(..)) => Box::default(),
        (Bindings::Kept | Bindings::Shared, kept) => kept.write(&turn.house.seal),
    };
    let record = Record { key: kept::key(kept.source()), value, until };
    turn.out.push(Output::Ask(NOBODY, Question::Keep(record.into())));
}

/// Nobody's ticket: the others are counted from 1.
const NOBODY: Ticket = Ticket(u64::MAX);

/// For how much longer than the ban would have lasted it is told that it was lifted: clocks differ, and so do those of the servers of a store.
const LIFTED: Duration = Duration::from_secs(600);

/// The longest registration, in seconds.
fn longest(turn: &Turn<'_>) -> u64 {
    turn.house.settings.registrar.max.as_secs().max(1)
}

/// How many times as long have passed: guests are noted once in each such time, and stay until the end of the next.
fn term(turn: &Turn<'_>) -> u64 {
    turn.now.as_secs() / longest(turn)
}

/// The golden ratio.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

fn has_others(turn: &Turn<'_>) -> bool {
    turn.house.settings.shard.count > 1
}

/// Is a source never barred: by its network, because we trust it, or because a route leads there?
fn is_spared(house: &House, source: Source) -> bool {
    let settings = &house.settings;
    let trusted = settings.bans.never.iter().chain(&settings.proxy.trusted);
    trusted.into_iter().any(|network| network.meets(source)) || house.leads_to(source)
}

/// Does a request say that it comes from a tool that guesses passwords?
fn is_scanner(rules: &settings::Bans, request: &Message) -> bool {
    let says = |agent: &[u8], word: &str| {
        agent.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    let mut agents = request.rows(Name::UserAgent);
    agents.any(|agent| rules.scanners.iter().any(|word| !word.is_empty() && says(agent, word)))
}

/// From where a phone has registered, as far as its binding tells.
fn came_from(binding: &Binding) -> Option<(IpAddr, u16)> {
    let contact = || match Uri::parse(binding.uri()).ok()? {
        Uri::Sip(uri) => Some((uri.host.ip()?, uri.port.unwrap_or(5060))),
        _ => None,
    };
    binding.flow.map(|flow| (flow.peer.ip(), flow.peer.port())).or_else(contact)
}

fn sample(request: &Message) -> Box<str> {
    let method = request.method().map_or("", Method::as_str);
    let from = request.get::<FromHeader>();
    let from = from.map(|from| without_password(from.uri).into_owned()).unwrap_or_default();
    let from = String::from_utf8_lossy(&from);
    let agent = request.rows(Name::UserAgent).next().map(String::from_utf8_lossy);
    cut(&format!("{method} from {from}, {}", agent.as_deref().unwrap_or("no User-Agent")))
}

fn cut(text: &str) -> Box<str> {
    text.chars().take(limits::SAMPLE).collect::<String>().into()
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
