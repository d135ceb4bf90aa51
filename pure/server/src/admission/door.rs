//! `Door`: who may begin something, before anything is kept or computed for it. Too fast a source is stopped. When there is too much to
//! do, new things wait until there is time for them, are refused when that does not come soon, and past that not heard; what goes on with
//! something goes before them.

use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, HashKey, Time};
use protocol::doors::{Backlog, Deafness, Event};
use protocol::transaction::Newcomer;
use protocol::transport::response_flow;
use protocol::{Fault, Flow, Output, Transport};
use sip::stream::Plain;
use sip::{Message, Name};

use super::class::{Class, Whence};
use super::feedback::{Feedback, bare};
use super::hush::{Hush, Unread, Width};
use super::late::Late;
use super::ration::Ration;
use super::room::{Arrival, Order, Room};
use super::speed::{Speed, Witnesses, spared};
use super::trial::Heard;
use super::valve::{Turned, Valve};
use super::work::Work;
use crate::proxy::came_across;
use crate::turn::Turn;

/// Who may begin something.
#[derive(Debug)]
pub(crate) struct Door {
    valve: Valve,
    room: Room,
    /// What may still be begun before more is read.
    left: u32,
    /// Signs of life that may still be given, whatever waits.
    signs: u32,
    speed: Speed,
    hush: Hush,
    /// What the driver was told last of what it need not read, by which settings.
    deafness: Deafness,
    generation: u32,
    late: Late,
    feedback: Feedback,
    /// How long what is told now has waited, and what else the driver has said of it.
    backlog: Backlog,
    /// When it was looked last how it goes.
    looked: Time,
    /// Refusals for which there is time.
    words: Ration,
    /// When a line is due that says how it goes.
    word: Time,
    tally: Tally,
    /// What was counted when there was last nothing to refuse.
    before: Tally,
}

/// What was turned away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were refused with 503, because there was too much to do.
    pub refused: u64,
    /// Requests that were not answered either.
    pub unheard: u64,
    /// Requests of sources that were too fast, refused or not answered.
    pub too_fast: u64,
    /// New things that are begun in a second at most; nothing, when all are.
    pub rate: Option<u64>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Enter,
    /// There may be time for it soon.
    Wait(Class, Heard),
    /// It is told that it comes at a bad time.
    Refuse(Fault),
    /// Nothing is said: whoever repeats it hears more later.
    Silence,
}

/// How often it is said that the server is overloaded, or that a source is too fast.
const WORD: Duration = Duration::from_secs(10);

/// What has waited unread for longer than this is not begun while there is too much to do: whoever sent it has done so again, or soon
/// will (T1 is 500 ms).
const STALE: Duration = Duration::from_millis(400);

/// What is begun in one turn takes so much at most, so that what belongs to calls is soon read again: and when it is known that something waits
/// unread, eight calls, for to each belong six messages that come.
const A_TURN: u32 = 32 * Work::Much.share();
const A_FULL_TURN: u32 = 8 * Work::Much.share();

/// Signs of life that are given in one turn, whatever waits. More of them wait too: a flood of them stops no call.
const SIGNS_A_TURN: u32 = 256;

/// Those for whom there is no time, refused in one turn.
const AWAY_A_TURN: usize = 256;

/// Each so manieth that is begun is the least urgent.
const FOR_OTHERS: u32 = 8;

/// How often it is looked how it goes when nothing comes.
const LOOK: Duration = Duration::from_millis(250);

impl Door {
    pub(crate) fn new(key: HashKey) -> Self {
        // As numbers are multiplied with it, it is odd.
        let parts = key.number([&b"parts"[..]]) as u32 | 1;
        Self {
            valve: Valve::default(),
            room: Room::default(),
            // Until a driver says how it goes, everything is begun.
            left: u32::MAX,
            signs: u32::MAX,
            speed: Speed::new(key),
            hush: Hush::new(parts),
            deafness: Deafness { key: parts, ..Deafness::default() },
            generation: 0,
            late: Late::new(key),
            feedback: Feedback::new(key),
            backlog: Backlog::default(),
            looked: Time::default(),
            words: Ration::default(),
            word: Time::default(),
            tally: Tally::default(),
            before: Tally::default(),
        }
    }

    /// What was turned away since the start, and how much is begun now.
    pub(crate) fn tally(&self) -> Tally {
        Tally { rate: self.valve.rate(), ..self.tally }
    }

    /// What is told next has waited for so long.
    pub(crate) fn waited(&mut self, turn: &mut Turn<'_>, backlog: Backlog) {
        if turn.house.settings.overload.target == Duration::ZERO {
            // Nobody is refused any more, whatever was told before.
            self.backlog = Backlog::default();
            (self.left, self.signs) = (u32::MAX, u32::MAX);
            self.late.clear();
            if self.unread() != Unread::default() {
                self.hush = Hush::new(self.deafness.key);
                self.deafen(turn, Unread::default());
            }
            return;
        }
        self.backlog = backlog;
        (self.left, self.signs) = (self.a_turn(), SIGNS_A_TURN);
        self.hush.hears(backlog);
        if backlog.lost > 0 && self.hush.would_help() {
            // What belongs to calls is lost with the rest.
            self.valve.turned_away();
        }
        self.look(turn);
    }

    /// When it is to be looked again how it goes, whether something comes or not: the driver may let nothing through.
    pub(crate) fn deadline(&self) -> Option<Time> {
        if self.is_waited_at() {
            // Whoever waits for a turn waits for the driver to read what else has come, and for nothing more.
            return Some(Time::default());
        }
        self.valve.is_narrow().then(|| self.looked + LOOK)
    }

    /// Looks how it goes, when that is due.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        if self.valve.is_narrow() && self.looked + LOOK <= turn.now {
            // Nothing has come for so long: nothing waits.
            self.backlog = Backlog::default();
            self.look(turn);
        }
    }

    fn look(&mut self, turn: &mut Turn<'_>) {
        self.looked = turn.now;
        match self.valve.passes(turn.now, self.hush.width()) {
            Some(Turned::Narrow) => {
                self.before = self.tally;
                self.say(turn);
            }
            Some(Turned::Open) => {
                self.late.clear();
                let (refused, unheard) = self.lately();
                turn.out.push(Output::Report(Event::Relieved { refused, unheard }));
            }
            None if self.valve.is_narrow() && self.word <= turn.now => self.say(turn),
            None => {}
        }
        self.feedback.update(turn.now, self.valve.rate());
        let refuses = turn.house.settings.overload.target > Duration::ZERO;
        let begins = if refuses { self.valve.width() } else { Width::Whole };
        let unread = self.hush.update(turn.now, begins);
        if unread.is_some() || self.generation != turn.house.generation {
            self.deafen(turn, unread.unwrap_or(self.unread()));
        }
    }

    /// Tells the driver how much it need not read. After a reload others may be spared, and it may have other sockets.
    fn deafen(&mut self, turn: &mut Turn<'_>, unread: Unread) {
        let before = self.unread();
        (self.deafness.share, self.deafness.room) = (unread.share, unread.room);
        self.deafness.spared = turn.house.settings.overload.emergency.clone().into();
        self.generation = turn.house.generation;
        if [before, unread] != [Unread::default(); 2] {
            turn.out.push(Output::Deafen(self.deafness.clone()));
        }
    }

    /// What the driver was told last.
    const fn unread(&self) -> Unread {
        Unread { share: self.deafness.share, room: self.deafness.room }
    }

    const fn a_turn(&self) -> u32 {
        if self.backlog.unread { A_FULL_TURN } else { A_TURN }
    }

    /// Lets a request wait; says who has to go for it when too many do.
    pub(crate) fn keep(
        &mut self,
        turn: &mut Turn<'_>,
        arrival: Arrival,
    ) -> Option<(Newcomer, Verdict)> {
        let displaced = self.room.put(turn.now, arrival)?;
        let verdict = self.turn_away(turn, &displaced);
        Some((displaced.newcomer, verdict))
    }

    /// How many wait for a turn.
    pub(crate) fn waiting(&self) -> usize {
        self.room.len()
    }

    /// True when somebody waits for a turn.
    pub(crate) fn is_waited_at(&self) -> bool {
        !self.room.is_empty()
    }

    /// Time for some of those who wait: each with what becomes of it.
    pub(crate) fn serve(&mut self, turn: &mut Turn<'_>) -> Vec<(Newcomer, Verdict)> {
        let mut served = Vec::new();
        let patience = turn.house.settings.overload.target;
        while served.len() < AWAY_A_TURN
            && let Some(overdue) = self.room.overdue(turn.now, patience)
        {
            let verdict = self.turn_away(turn, &overdue);
            served.push((overdue.newcomer, verdict));
        }
        let mut left = self.a_turn();
        for nth in 1_u32.. {
            if left == 0 {
                break;
            }
            let order = if self.valve.is_narrow() { Order::Newest } else { Order::Oldest };
            let next = match nth.is_multiple_of(FOR_OTHERS) {
                true => self.room.next_of_others(order),
                false => self.room.next(order),
            };
            let Some(Arrival { class, heard, newcomer }) = next else { break };
            self.begin(turn, (newcomer.flow, &newcomer.request), (class, heard));
            left = left.saturating_sub(Work::of(turn.house, &newcomer.request).share());
            served.push((newcomer, Verdict::Enter));
        }
        served
    }

    /// May the driver leave out such a message as this one, as it came, or has it left this one out before? As long as there is time for all, it may
    /// be any but those that come by WebSocket or from our other nodes.
    pub(crate) fn heard(&self, turn: &Turn<'_>, flow: Flow, message: &Message) -> Heard {
        let is_quiet = !self.valve.is_narrow() && !self.backlog.unread;
        let repeats = !flow.transport.is_reliable();
        let is_read = flow.transport.is_web() || came_across(turn.house, flow);
        if is_read || !is_quiet && !self.is_judged(flow, message) {
            Heard::Always
        } else if repeats && self.hush.may_be_late(turn.now, message) {
            Heard::PerhapsLate
        } else {
            Heard::AtOnce
        }
    }

    /// Can the driver judge a message that came so?
    fn is_judged(&self, flow: Flow, message: &Message) -> bool {
        let wire = message.wire();
        match flow.transport {
            Transport::Udp => self.deafness.concerns_datagram(wire),
            _ => Plain::of(wire).is_some_and(|plain| self.deafness.concerns(&plain)),
        }
    }

    /// A request came: what neighbours tell each other by it ends here (RFC 7339 §5.6).
    pub(crate) fn strip(
        &mut self,
        turn: &Turn<'_>,
        flow: Flow,
        request: &Message,
    ) -> Option<Message> {
        if !request.via_marks().load {
            return None;
        }
        // §11: whoever never does as it is told would have others told to send less. Whom nobody knows is one that does not understand this.
        if !turn.house.settings.overload.feedback || !spared(turn.house, flow.peer.ip().into()) {
            return bare(request);
        }
        let neighbour = response_flow(request, flow).peer;
        self.feedback.asks(turn.now, neighbour, request)
    }

    /// Writes into what goes to neighbours how much less they are to send.
    pub(crate) fn tell(&self, now: Time, out: &mut [Output]) {
        for output in out {
            if let Output::Send(flow, wire) = output
                && let Some(told) = self.feedback.tell(now, flow.peer, wire)
            {
                *wire = told;
            }
        }
    }

    /// True when somebody is to be told.
    pub(crate) fn has_neighbours(&self) -> bool {
        self.feedback.has_asked()
    }

    /// May a request begin something? Retransmissions of what has begun do not come here.
    pub(crate) fn admits(
        &mut self,
        turn: &mut Turn<'_>,
        (flow, request): (Flow, &Message),
        heard: Heard,
        witnesses: Witnesses<'_>,
    ) -> Verdict {
        let short = self.left == 0 || self.valve.is_narrow() || !self.room.is_empty();
        let home = short && witnesses.bans.is_home(turn.now, flow);
        let whence = if home { Whence::Home } else { Whence::Anywhere };
        let class = Class::of(turn.house, request, whence);
        if !self.speed.lets(turn, (flow, request), class, witnesses) {
            self.name(turn, flow);
            return self.hold(turn, flow, request);
        }
        if class == Class::Within {
            if let Some(neighbour) = self.told(turn, flow, request) {
                self.feedback.within(neighbour);
            }
            // Only who was in a call of ours has its pass.
            turn.vouch(flow);
            return Verdict::Enter;
        }
        let work = Work::of(turn.house, request);
        let repeats = !flow.transport.is_reliable() && self.late.has(request);
        let heard = if repeats { Heard::PerhapsLate } else { heard };
        let is_counted = is_counted(class, heard);
        if is_counted {
            self.hush.seen(flow.transport, work);
        }
        if (class, work) == (Class::New, Work::Much) {
            if heard == Heard::PerhapsLate {
                let told = self.told(turn, flow, request).is_some();
                return self.dismiss(turn, (flow, request, told));
            }
            if self.valve.is_narrow() && self.is_stale(flow.transport) {
                self.lost(turn, flow, request);
                self.note_away(class, heard);
                return self.fall_silent(turn, flow, request);
            }
        }
        let target = turn.house.settings.overload.target;
        let is_late = self.backlog.waited > target && self.hush.would_help();
        if is_counted && work != Work::Much && is_late {
            // It is answered, but there are too many.
            self.valve.turned_away();
        }
        // To give a sign of life takes no more than to refuse it.
        let is_sign = work == Work::Sign && self.signs > 0;
        let at_once =
            is_sign || self.left > 0 && (self.room.is_empty() || class == Class::Emergency);
        if at_once || target == Duration::ZERO {
            self.left = self.left.saturating_sub(work.share());
            self.signs = self.signs.saturating_sub(is_sign.into());
            self.begin(turn, (flow, request), (class, heard));
            return Verdict::Enter;
        }
        Verdict::Wait(class, heard)
    }

    /// Has what is read now waited for too long? Not by datagrams where the most are patient: some wait all the time there, but none for long.
    fn is_stale(&self, transport: Transport) -> bool {
        self.backlog.waited > STALE && (transport.is_reliable() || !self.hush.is_patient())
    }

    /// Something came that begins nothing, and would only be told what is wrong with it: it counts as whatever its source sends, and is
    /// told as long as there are words.
    pub(crate) fn has_answer(&mut self, turn: &mut Turn<'_>, flow: Flow) -> bool {
        if !self.speed.lets_hear(turn, flow) {
            self.name(turn, flow);
            return self.speed.has_word(turn.now);
        }
        !self.valve.is_narrow() || self.words.take(Work::Answer.to_one_word(flow.transport))
    }

    fn begin(
        &mut self,
        turn: &Turn<'_>,
        (flow, request): (Flow, &Message),
        (class, heard): (Class, Heard),
    ) {
        self.valve.begun();
        self.words.begun();
        if class == Class::New || is_counted(class, heard) {
            self.hush.begun();
        }
        if let Some(neighbour) = self.told(turn, flow, request) {
            self.feedback.begun(neighbour);
        }
    }

    /// There is no time for a request: mostly it is told so.
    fn turn_away(&mut self, turn: &mut Turn<'_>, arrival: &Arrival) -> Verdict {
        let Arrival { class, heard, newcomer: Newcomer { flow, request, .. } } = arrival;
        let flow = *flow;
        let told = self.lost(turn, flow, request);
        self.note_away(*class, *heard);
        self.dismiss(turn, (flow, request, told))
    }

    /// Refuses a request, in words while there is time for that.
    fn dismiss(
        &mut self,
        turn: &mut Turn<'_>,
        (flow, request, told): (Flow, &Message, bool),
    ) -> Verdict {
        let work = Work::of(turn.house, request);
        if !self.words.take(work.to_one_word(flow.transport)) {
            return self.fall_silent(turn, flow, request);
        }
        self.hush.spent_words(work);
        self.tally.refused += 1;
        Verdict::Refuse(later(turn.dice, (flow, request, told)))
    }

    fn fall_silent(&mut self, turn: &Turn<'_>, flow: Flow, request: &Message) -> Verdict {
        if !flow.transport.is_reliable() {
            self.late.note(turn.now, request);
        }
        self.hush.spent_silence(Work::of(turn.house, request));
        self.tally.unheard += 1;
        Verdict::Silence
    }

    const fn note_away(&mut self, class: Class, heard: Heard) {
        self.valve.turned_away();
        if is_counted(class, heard) {
            self.hush.turned_away();
        }
    }

    /// The neighbour that sent a request, when it has asked to be told how much is too much.
    fn told(&self, turn: &Turn<'_>, flow: Flow, request: &Message) -> Option<SocketAddr> {
        let neighbour = || response_flow(request, flow).peer;
        let asked = self.has_neighbours().then(neighbour);
        asked.filter(|neighbour| self.feedback.tells(turn.now, *neighbour))
    }

    /// There was no time for a request: true when that counts in what its neighbour is told.
    fn lost(&mut self, turn: &Turn<'_>, flow: Flow, request: &Message) -> bool {
        let told = self.told(turn, flow, request);
        told.into_iter().for_each(|neighbour| self.feedback.refused(neighbour));
        told.is_some()
    }

    /// A source is too fast: that is counted, and said now and then.
    fn name(&mut self, turn: &mut Turn<'_>, flow: Flow) {
        self.tally.too_fast += 1;
        if self.speed.name <= turn.now {
            self.speed.name = turn.now + WORD;
            turn.out.push(Output::Report(Event::TooFast { source: flow.peer }));
        }
    }

    /// Who is too fast is told so, as long as that does not cost much.
    fn hold(&mut self, turn: &mut Turn<'_>, flow: Flow, request: &Message) -> Verdict {
        let told = self.told(turn, flow, request).is_some();
        if self.speed.has_word(turn.now) {
            Verdict::Refuse(later(turn.dice, (flow, request, told)))
        } else {
            Verdict::Silence
        }
    }

    fn say(&mut self, turn: &mut Turn<'_>) {
        self.word = turn.now + WORD;
        let (refused, unheard) = self.lately();
        let (waited, rate) = (self.backlog.waited, self.valve.rate().unwrap_or_default());
        turn.out.push(Output::Report(Event::Overloaded { waited, rate, refused, unheard }));
    }

    /// What was turned away since it began.
    const fn lately(&self) -> (u64, u64) {
        let (now, then) = (&self.tally, &self.before);
        (now.refused - then.refused, now.unheard - then.unheard)
    }
}

/// Is it one by which it is seen how much the driver may leave out? The driver does not know who is known.
const fn is_counted(class: Class, heard: Heard) -> bool {
    matches!((class, heard), (Class::New | Class::Known, Heard::AtOnce))
}

/// A phone is told when to come back, each another time. A server would send nobody at all until then: it is told none (RFC 7339
/// §5.10.2), and goes on with the next.
fn later(dice: &mut Dice, (flow, request, told): (Flow, &Message, bool)) -> Fault {
    let hops = request.elements(Name::Via).take(2).count();
    if hops > 1 || told || flow.transport.is_reliable() && !flow.identity.is_none() {
        return Fault::Busy;
    }
    let spread = u32::try_from(dice.below(u64::from(RETRY_SPREAD))).unwrap_or_default();
    Fault::Overloaded(RETRY + spread)
}

/// Seconds after which a phone may come back: at least so many, and up to so many more.
const RETRY: u32 = 5;
const RETRY_SPREAD: u32 = 26;
