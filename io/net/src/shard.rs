//! `Shard`: one thread that owns one machine. A turn: a batch in, `handle` each, `wake` once, a batch out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::{io, thread};

use machine::Time;
use protocol::doors::Event;
use protocol::{Answer, Flow, Identity, Input, Output, Transport};

use crate::accept::Gate;
use crate::bars::Bars;
use crate::change::Known;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::datagrams::Mouth;
use crate::kernel::{self, Batch, Epoll, Ready, Watch};
use crate::limits;
use crate::media::Media;
use crate::nap::{Found, Rhythm};
use crate::portion::Portion;
use crate::pressure::Pressure;
use crate::program::{Drivable, Program};
use crate::resolver::Resolver;
use crate::running::Order;
use crate::streams::Streams;
use crate::switchboard::{Inbox, Letter, Switchboard};
use crate::tap::{Notice, Passed, Way};
use crate::token::Token;
use crate::trains::Loading;
use crate::trust::Trust;
use crate::worth::Worth;

/// One thread, one machine, and everything that it needs to serve it.
pub(crate) struct Shard<M> {
    pub(crate) here: Here,
    pub(crate) machine: M,
    pub(crate) program: Program<M>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) inbox: Inbox,
    pub(crate) orders: Receiver<Order<M>>,
    pub(crate) epoll: Epoll,
    pub(crate) mouths: BTreeMap<u16, Mouth>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) streams: Streams,
    pub(crate) media: Media,
    pub(crate) batch: Batch,
    pub(crate) rhythm: Rhythm,
    pub(crate) worth: Worth,
    pub(crate) loading: Loading,
    pub(crate) trust: Trust,
    pub(crate) bars: Bars,
    /// When the machine was woken last.
    pub(crate) woken: Time,
    pub(crate) pressure: Pressure,
    /// What the machine is to be told.
    pub(crate) inputs: Vec<Input>,
    pub(crate) out: Vec<Output>,
    /// Letters for shards whose inbox was full.
    pub(crate) kept: VecDeque<(u16, Letter)>,
    /// Shards that have had letters in this turn, as bits.
    pub(crate) rings: u64,
    /// Questions that the resolver has not answered yet.
    pub(crate) asked: usize,
    pub(crate) portion: Portion,
}

/// Where a shard is, and what it shares.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub shard: u16,
    pub clock: Clock,
    pub listeners: Known,
    pub board: Arc<Switchboard>,
    pub counters: Arc<Counters>,
    /// Whether somebody wants the messages, as of this turn.
    pub tapped: bool,
    /// Whether somebody follows what happens every day, as the machine was told.
    pub followed: bool,
}

impl<M: Drivable> Shard<M> {
    /// Begins to watch everything that was bound.
    pub(crate) fn watch(&mut self) -> io::Result<()> {
        if let Some(bell) = self.here.board.bell(self.here.shard) {
            self.epoll.add(bell, Token::Bell.bits(), Watch::Reading)?;
        }
        self.open_doors()
    }

    /// Lives until it is told to end.
    pub(crate) fn run(mut self) -> io::Result<()> {
        kernel::sharpen_timers();
        let mut ready = Vec::with_capacity(limits::READY);
        let mut found = Found { more: true, ..Found::default() };
        while !self.is_over() {
            self.pressure.done(self.here.clock.now(), found);
            let pause = self.pause(found);
            self.epoll.wait(pause, &mut ready)?;
            let began = self.here.clock.now();
            found = self.turn(began, &ready)?;
            self.here.counters.turns.note(self.here.clock.now() - began);
        }
        self.say_farewell();
        Ok(())
    }

    /// What the machine reports at its end.
    fn say_farewell(&mut self) {
        let now = self.here.clock.now();
        (self.program.farewell)(&mut self.machine, now, &mut self.out);
        for output in std::mem::take(&mut self.out) {
            if let Output::Report(event) = output {
                self.report(now, event);
            }
        }
    }

    /// How long to wait for something to come. Naps are taken here.
    fn pause(&mut self, found: Found) -> Option<Duration> {
        let now = self.here.clock.now();
        let left = self.deadline().map(|deadline| deadline - now);
        if found.more || found.undone || left == Some(Duration::ZERO) {
            // The rhythm is kept, though there is no time for a nap.
            let _ = self.rhythm.next(now, found);
            self.worth.note(found.signalling);
            return Some(Duration::ZERO);
        }
        let Some(nap) = self.rhythm.next(now, found) else {
            if found.signalling > 0 {
                self.worth.rest();
            }
            return left;
        };
        if !self.is_worth_it(now, found) {
            return left;
        }
        thread::sleep(nap.min(left.unwrap_or(nap)));
        Some(Duration::ZERO)
    }

    /// Is a nap worth its while here, where the rhythm allows for one? For media it always is: nobody waits for it.
    fn is_worth_it(&mut self, now: Time, found: Found) -> bool {
        found.signalling == 0 || self.worth.allows(now, found.signalling, kernel::thread_time)
    }

    fn deadline(&self) -> Option<Time> {
        let soon = |pause| self.here.clock.now() + pause;
        let look = self.here.board.finish().map(|until| until.min(soon(limits::DRAIN_LOOK)));
        let again = (!self.kept.is_empty()).then(|| soon(limits::POST_AGAIN));
        let gates = self.gates.iter().filter_map(Gate::deadline).min();
        let closing = self.mouths.values().map(|mouth| mouth.until).min();
        let closing = closing.filter(|until| *until != Time::NEVER);
        let answers = self.portion.next();
        let all = [self.alarm(), self.streams.deadline(), gates, look, again, closing, answers];
        all.into_iter().flatten().min()
    }

    /// When to wake for the machine's timers. Those of signalling may ring a little late, so that a sleeping shard is not woken
    /// for each of thousands; a frame of sound is due when it is due.
    fn alarm(&self) -> Option<Time> {
        let due = self.machine.deadline()?;
        Some(if self.media.is_open() { due } else { due.max(self.woken + limits::TIMERS_APART) })
    }

    /// One turn.
    fn turn(&mut self, now: Time, ready: &[Ready]) -> io::Result<Found> {
        self.ask_the_sink(now);
        if self.here.board.finish().is_some() {
            // Nobody new is let in.
            self.empty_gates(now);
        }
        self.close_mouths(now);
        let mut found = Found::default();
        let streams = |ready: &&Ready| matches!(Token::of(ready.token), Token::Stream(_));
        self.streams.share(ready.iter().filter(streams).count());
        for ready in ready {
            self.receive(now, *ready, &mut found);
        }
        self.open_letters(now, &mut found);
        self.obey(now, &mut found)?;
        self.gates.iter_mut().try_for_each(|gate| gate.wake(&self.epoll, now))?;
        self.streams.wake(now);
        self.spread_news(now);
        found.undone = self.is_due(now);
        if let Some(backlog) = self.pressure.now(now, found) {
            let micros = u64::try_from(backlog.waited.as_micros()).unwrap_or(u64::MAX);
            self.here.counters.waited.set(micros);
            let told = Input::Waited(backlog);
            self.command(now, |machine, now, out| machine.handle(now, told, out));
        }
        self.think(now)?;
        self.flush(now)?;
        found.more |= !self.inputs.is_empty();
        found.undone = self.is_due(now);
        Ok(found)
    }

    /// Who listens? The machine is told when that changes.
    fn ask_the_sink(&mut self, now: Time) {
        self.here.tapped = self.program.sink.wants_messages();
        let followed = self.program.sink.wants_daily();
        if std::mem::replace(&mut self.here.followed, followed) != followed {
            let told = Input::Followed(followed);
            self.command(now, |machine, now, out| machine.handle(now, told, out));
        }
    }

    /// Tells the sink what a machine reports, unless nobody wants to know.
    pub(crate) fn report(&self, now: Time, event: Event) {
        if self.here.followed || !event.is_daily() {
            self.program.sink.event(now, self.here.shard, event);
        }
    }

    /// True when the machine has something to do now.
    fn is_due(&self, now: Time) -> bool {
        self.machine.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Reads what one socket has.
    fn receive(&mut self, now: Time, ready: Ready, found: &mut Found) {
        match Token::of(ready.token) {
            Token::Bell => self.here.board.hush(self.here.shard),
            Token::Datagrams(number) => self.receive_datagrams(now, (number, ready), found),
            Token::Accept(number) => self.accept(now, number, found),
            Token::Stream(number) => {
                let more = self.streams.ready(now, number, ready);
                found.more |= more;
                found.signalling += self.streams.news.len();
                self.spread_news(now);
            }
            Token::Media(number) => self.receive_media(number, found),
        }
    }

    fn receive_datagrams(&mut self, now: Time, (number, ready): (u16, Ready), found: &mut Found) {
        let Some(mut mouth) = self.mouths.remove(&number) else { return };
        if ready.error() {
            let transport = Transport::Udp;
            for peer in mouth.unreachable() {
                let flow = Flow {
                    transport,
                    listener: number,
                    connection: 0,
                    peer,
                    identity: Identity::NONE,
                };
                self.failed(flow, u64::MAX);
            }
        }
        for _ in 0..limits::BATCHES {
            let more = mouth.receive(&mut self.batch);
            let batch = std::mem::replace(&mut self.batch, Batch::new(0));
            for datagram in batch.datagrams() {
                if self.bars.hold(now, datagram.from.ip()) {
                    self.here.counters.barred.one();
                    continue;
                }
                mouth.note(datagram.from, datagram.to);
                found.signalling += 1;
                match stun::answer(datagram.octets, datagram.from) {
                    Some(answer) => self.keep_alive(&mut mouth, datagram.from, answer),
                    None => self.datagram(now, number, datagram),
                }
            }
            self.batch = batch;
            found.more |= more;
            if !more {
                break;
            }
            let overflow = usize::try_from(mouth.overflow()).unwrap_or(usize::MAX);
            self.here.counters.datagrams_overflowed.add(overflow);
            self.pressure.lost(overflow);
        }
        self.mouths.insert(number, mouth);
    }

    /// Reads letters from other shards.
    fn open_letters(&mut self, now: Time, found: &mut Found) {
        let mut count = 0;
        while count < limits::LETTERS_A_TURN {
            let Ok(letter) = self.inbox.letters.try_recv() else { break };
            count += 1;
            self.open(now, letter);
        }
        found.signalling += count;
        found.more |= count == limits::LETTERS_A_TURN;
        if count > 0 {
            self.here.board.took(self.here.shard, count);
        }
        for _ in 0..self.portion.of(now, found.signalling) {
            let Ok((ticket, answer)) = self.inbox.answers.try_recv() else {
                self.portion.had_all();
                break;
            };
            self.portion.took_one();
            if matches!(answer, Answer::Targets(_) | Answer::Unlocated(_)) {
                self.asked = self.asked.saturating_sub(1);
            }
            self.inputs.push(Input::Answered(ticket, answer));
        }
    }

    pub(crate) fn open(&mut self, now: Time, letter: Letter) {
        match letter {
            Letter::Input(input, way) => {
                if let (Input::Received(flow, _), Some(local)) = (&input, way)
                    && let Some(mouth) = self.mouths.get_mut(&flow.listener)
                {
                    mouth.note(flow.peer, Some(local));
                }
                self.inputs.push(input);
            }
            Letter::Send(flow, octets, from) => self.send_on_stream(now, (flow, octets), from),
            Letter::Introduce(name) => self.streams.introduced.note(Identity::of(&name), name),
            Letter::Alias(flow, peer) => self.streams.alias(self.here.shard, flow, peer),
            Letter::Detour(real, message, from) => self.detour(now, real, message, from),
            Letter::Return(flow, octets, from) => {
                self.streams.no_detour(flow);
                self.send_on_stream(now, (flow, octets), from);
            }
            Letter::Adopt(accepted) => {
                if self.streams.adopt(&self.epoll, now, accepted).is_err() {
                    self.here.counters.connections_refused.one();
                }
            }
            Letter::Evict(number) => self.streams.evict(number),
            Letter::Vouch(flow) => self.streams.vouch(flow),
            Letter::Leave(flow) => self.streams.leave(flow),
        }
    }

    /// Does what it is told by the program around it.
    fn obey(&mut self, now: Time, found: &mut Found) -> io::Result<()> {
        for _ in 0..limits::LETTERS_A_TURN {
            let Ok(order) = self.orders.try_recv() else { return Ok(()) };
            found.signalling += 1;
            match order {
                Order::Command(command) => self.command(now, command),
                Order::Change(change) => change(self, now)?,
            }
        }
        found.more = true;
        Ok(())
    }

    /// Lets a command act on the machine.
    pub(crate) fn command(
        &mut self,
        now: Time,
        command: impl FnOnce(&mut M, Time, &mut Vec<Output>),
    ) {
        let (machine, out) = (&mut self.machine, &mut self.out);
        let panicked = self.trust.watch(now, || command(machine, now, out));
        self.note_panic(now, panicked);
    }

    /// Tells the machine everything, wakes it, and does what it says; again while that gives it more to know.
    fn think(&mut self, now: Time) -> io::Result<()> {
        for _ in 0..limits::ROUNDS {
            let mut inputs = std::mem::take(&mut self.inputs);
            for input in inputs.drain(..) {
                let (machine, out) = (&mut self.machine, &mut self.out);
                let panicked = self.trust.watch(now, || machine.handle(now, input, out));
                self.note_panic(now, panicked);
            }
            self.inputs = inputs;
            if self.is_due(now) {
                self.woken = now;
                let (machine, out) = (&mut self.machine, &mut self.out);
                let panicked = self.trust.watch(now, || machine.wake(now, out));
                self.note_panic(now, panicked);
            }
            self.deliver(now);
            if self.inputs.is_empty() {
                break;
            }
        }
        if self.trust.is_lost() {
            Err(io::Error::other("the machine panics again and again"))
        } else {
            Ok(())
        }
    }

    fn note_panic(&self, now: Time, panicked: Option<Box<str>>) {
        if let Some(message) = panicked {
            self.here.counters.panics.one();
            self.program.sink.notice(now, self.here.shard, Notice::Panicked { message });
        }
    }

    /// Sends everything that waits.
    fn flush(&mut self, now: Time) -> io::Result<()> {
        for (number, mouth) in &mut self.mouths {
            let number = *number;
            if mouth.queue.is_empty() {
                continue;
            }
            let sent = mouth.flush(&self.here.counters, self.loading);
            // RFC 3261 §18.4: the one who wanted it sent is told.
            self.inputs.extend(sent.lost.into_iter().map(|peer| {
                let transport = Transport::Udp;
                Input::Failed(Flow {
                    transport,
                    listener: number,
                    connection: 0,
                    peer,
                    identity: Identity::NONE,
                })
            }));
            let watch = if sent.blocked { Watch::Both } else { Watch::Reading };
            mouth.watch(&self.epoll, number, watch)?;
        }
        self.media.flush(&self.here.counters);
        self.make_room(now);
        self.streams.flush(&self.epoll, now);
        self.spread_news(now);
        self.post_kept();
        for shard in 0..self.here.board.shards() {
            if self.rings & bit(shard) != 0 {
                self.here.board.ring(shard);
            }
        }
        self.rings = 0;
        Ok(())
    }

    /// Copies a message to whoever listens.
    pub(crate) fn tap(&self, at: Time, way: Way, flow: Flow, wire: &sip::Bytes) {
        if self.here.tapped {
            let wire = wire.clone();
            self.program.sink.message(Passed { at, shard: self.here.shard, way, flow, wire });
        }
    }

    /// True when it is told to end, or told to finish and everybody has.
    fn is_over(&self) -> bool {
        let board = &self.here.board;
        let Some(until) = board.finish().filter(|_| !board.is_stopped()) else {
            return board.is_stopped();
        };
        let unwritten = usize::from(!self.streams.is_flushed());
        let waiting = self.inputs.len().saturating_add(self.kept.len()).saturating_add(unwritten);
        let now = self.here.clock.now();
        let pending = (self.program.pending)(&self.machine, now).saturating_add(waiting);
        board.pending(self.here.shard, pending);
        now >= until || board.is_quiet()
    }
}

/// A shard as a bit.
pub(crate) fn bit(shard: u16) -> u64 {
    1_u64.checked_shl(u32::from(shard)).unwrap_or(0)
}
