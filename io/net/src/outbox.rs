//! What a machine says is done: messages to queues, questions to those who know, events to the sink.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use machine::Time;
use protocol::doors::{Answer, Asker, Deafness, Question, Ticket};
use protocol::locate::{Means, Unlocated};
use protocol::{Flow, Input, Output, Transport};
use sip::Bytes;

use crate::filter::Filter;
use crate::kernel::Watch;
use crate::limits;
use crate::program::Drivable;
use crate::reply::Reply;
use crate::shard::Shard;
use crate::switchboard::Letter;
use crate::tap::{Notice, Way};
use crate::token::Token;

impl<M: Drivable> Shard<M> {
    /// Empties the outbox.
    pub(crate) fn deliver(&mut self, now: Time) {
        let mut out = std::mem::take(&mut self.out);
        for output in out.drain(..) {
            match output {
                Output::Send(flow, octets) => self.send(now, flow, octets),
                Output::Introduce(name) => self.open(now, Letter::Introduce(name)),
                Output::Alias(flow, peer) => self.alias(now, flow, peer),
                Output::Vouch(flow) => self.vouch(now, flow),
                Output::Leave(flow) => self.say_to_owner(now, flow, Letter::Leave(flow)),
                Output::Media(socket, to, octets) => {
                    if !self.media.send(socket, to, octets) {
                        self.here.counters.media_unsent.one();
                    }
                }
                Output::Ask(ticket, question) => self.ask(ticket, question),
                Output::Tell(asker, answer) => self.tell(asker, answer),
                Output::Warn(warning) => self.tell_others(|| Input::Warned(warning)),
                Output::Announce(aor) => self.tell_others(|| Input::Announced(aor.clone())),
                Output::Caution(caution) => {
                    self.tell_others(|| Input::Cautioned(caution.clone()));
                }
                Output::Bar(source, until) => self.bars.set(source, until),
                Output::Unbar(source) => self.bars.lift(source),
                Output::Deafen(deafness) => self.deafen(now, deafness),
                Output::Report(event) => self.report(now, event),
            }
        }
        self.out = out;
    }

    fn send(&mut self, now: Time, flow: Flow, octets: Bytes) {
        self.tap(now, Way::Out, flow, &octets);
        match flow.transport {
            Transport::Udp => self.send_datagram(flow, octets),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let owner = self.streams.owner(flow.peer);
                if owner == self.here.shard {
                    self.send_on_stream(now, (flow, octets), owner);
                } else {
                    // Whoever may have to open a connection must know whom to expect there.
                    if let Some(name) = self.streams.introduced.of(&flow.identity).cloned() {
                        self.post_surely(owner, Letter::Introduce(name));
                    }
                    self.post_surely(owner, Letter::Send(flow, octets, self.here.shard));
                }
            }
        }
    }

    /// The alias is looked for where its address is at home, and its connection may live elsewhere.
    fn alias(&mut self, now: Time, flow: Flow, peer: SocketAddr) {
        let owners = BTreeSet::from([self.streams.owner(flow.peer), self.streams.owner(peer)]);
        for owner in owners {
            if owner == self.here.shard {
                self.open(now, Letter::Alias(flow, peer));
            } else {
                self.post_surely(owner, Letter::Alias(flow, peer));
            }
        }
    }

    /// The connection lives where its peer is at home.
    fn say_to_owner(&mut self, now: Time, flow: Flow, letter: Letter) {
        let owner = self.streams.owner(flow.peer);
        if owner == self.here.shard {
            self.open(now, letter);
        } else {
            self.post_surely(owner, letter);
        }
    }

    /// Once is enough: whoever has proven who it is goes on to do so.
    fn vouch(&mut self, now: Time, flow: Flow) {
        if self.streams.vouched.of(&flow.connection).is_none() {
            self.streams.vouched.note(flow.connection, ());
            self.say_to_owner(now, flow, Letter::Vouch(flow));
        }
    }

    /// A message that goes to somebody by a connection that should be here.
    pub(crate) fn detour(&mut self, now: Time, real: Flow, for_whom: (Flow, Bytes), from: u16) {
        let (flow, octets) = for_whom;
        if self.streams.has(real) {
            return self.send_on_stream(now, (real, octets), from);
        }
        let owner = self.streams.owner(flow.peer);
        self.post_surely(owner, Letter::Return(flow, octets, from));
    }

    /// Of what begins something, a part is not read, and less may wait: the kernel drops such datagrams, where it lets itself be told.
    fn deafen(&mut self, now: Time, deafness: Deafness) {
        let filter = Filter::of(&deafness);
        self.here.counters.deafened.set(u64::from(deafness.share));
        let refused =
            self.mouths.values_mut().filter_map(|mouth| mouth.deafen(&deafness, &filter).err());
        // Once a flood.
        if let Some(why) = refused.last().filter(|_| !self.streams.ear.is_deaf()) {
            let notice = Notice::Unfiltered { why: why.to_string().into() };
            self.program.sink.notice(now, self.here.shard, notice);
        }
        self.streams.ear.set(deafness);
    }

    fn send_datagram(&mut self, flow: Flow, octets: Bytes) {
        match self.mouths.get_mut(&flow.listener) {
            Some(mouth) if mouth.is_for(flow.peer) => {
                if !mouth.send(flow.peer, octets) {
                    self.here.counters.datagrams_unsent.one();
                }
            }
            // No such listener, or one of another family.
            _ => self.inputs.push(Input::Failed(flow)),
        }
    }

    /// Sends over a connection that lives here, for a shard.
    pub(crate) fn send_on_stream(&mut self, now: Time, (flow, octets): (Flow, Bytes), from: u16) {
        if let Some(real) = self.streams.detour(flow) {
            let owner = self.streams.owner(real.peer);
            return self.post_surely(owner, Letter::Detour(real, (flow, octets), from));
        }
        let listener = self.here.listeners.get(flow.listener);
        let usable = |listener: &&protocol::Listener| {
            listener.transport == flow.transport && listener.bound.is_ipv4() == flow.peer.is_ipv4()
        };
        let result = match listener.filter(usable) {
            Some(listener) => {
                self.streams.send(&self.epoll, now, (flow, &octets), (from, listener))
            }
            None => Err(flow),
        };
        if let Err(flow) = result {
            self.failed(flow, crate::shard::bit(from));
        }
    }

    fn ask(&mut self, ticket: Ticket, question: Question) {
        let answer = match question {
            Question::Resolve(hop) => {
                let means = Means::of(&self.here.listeners.open);
                if let Some(found) = hop.at_once(&means) {
                    found.into()
                } else if self.asked >= limits::LOOKUPS {
                    Answer::Unlocated(Unlocated::NoAnswer)
                } else {
                    self.asked += 1;
                    let worst = Answer::Unlocated(Unlocated::NoAnswer);
                    return self.resolver.resolve(hop, means, self.reply(ticket, worst));
                }
            }
            Question::Services(name) => {
                let worst = Answer::Unlocated(Unlocated::NoAnswer);
                if self.asked < limits::LOOKUPS {
                    self.asked += 1;
                    return self.resolver.services(name, self.reply(ticket, worst));
                }
                worst
            }
            Question::Keep(record) => {
                return self.program.keeper.keep(record, self.reply(ticket, Answer::NotKept));
            }
            Question::Share(share) => {
                return self.program.keeper.share(share, self.reply(ticket, Answer::NotKept));
            }
            Question::Recall(key) => {
                return self.program.keeper.recall(key, self.reply(ticket, Answer::NotRecalled));
            }
            Question::SpendAnywhere { nonce, count, until } => {
                let reply = self.reply(ticket, Answer::Nothing);
                return self.program.keeper.spend(nonce, count, until, reply);
            }
            Question::Push(sleeper) => {
                return self.program.pusher.push(*sleeper, self.reply(ticket, Answer::Nothing));
            }
            Question::MediaSockets => self.open_media(),
            Question::CloseMedia(rtp, rtcp) => {
                self.media.close(rtp);
                self.media.close(rtcp);
                return;
            }
            Question::Locate(_) | Question::Wake(_) | Question::Spend { .. } => {
                match (self.program.place)(&question) {
                    Some(shard) => return self.ask_shard(shard, ticket, question),
                    None => Answer::Nothing,
                }
            }
        };
        self.inputs.push(Input::Answered(ticket, answer));
    }

    /// Where another thread's answer goes.
    fn reply(&self, ticket: Ticket, worst: Answer) -> Reply {
        Reply::new(self.here.board.clone(), self.here.shard, ticket, worst)
    }

    /// Tells all other shards. One that is too busy finds out by itself.
    fn tell_others(&mut self, news: impl Fn() -> Input) {
        for shard in (0..self.here.board.shards()).filter(|shard| *shard != self.here.shard) {
            let letter = Letter::Input(news(), None);
            if self.here.board.post(shard, letter).is_ok() {
                self.rings |= crate::shard::bit(shard);
            }
        }
    }

    fn ask_shard(&mut self, shard: u16, ticket: Ticket, question: Question) {
        let asker = Asker { shard: self.here.shard, ticket };
        if shard == self.here.shard {
            return self.inputs.push(Input::Asked(asker, question));
        }
        match self.here.board.post(shard, Letter::Input(Input::Asked(asker, question), None)) {
            Ok(()) => {
                self.here.counters.moved.one();
                self.rings |= crate::shard::bit(shard);
            }
            // Nobody there, or too busy: better an answer now than none.
            Err(_) => {
                self.here.counters.moved_lost.one();
                self.inputs.push(Input::Answered(ticket, Answer::Nothing));
            }
        }
    }

    fn tell(&mut self, asker: Asker, answer: Answer) {
        let input = Input::Answered(asker.ticket, answer);
        if asker.shard == self.here.shard {
            self.inputs.push(input);
        } else {
            self.post_surely(asker.shard, Letter::Input(input, None));
        }
    }

    fn open_media(&mut self) -> Answer {
        let Ok([rtp, rtcp]) = self.media.open() else { return Answer::Nothing };
        for (socket, _) in [rtp, rtcp] {
            let watched = self
                .media
                .socket(socket)
                .map(|fd| self.epoll.add(fd, Token::Media(socket.0).bits(), Watch::Reading));
            if !matches!(watched, Some(Ok(()))) {
                self.media.close(rtp.0);
                self.media.close(rtcp.0);
                return Answer::Nothing;
            }
        }
        Answer::MediaSockets { rtp, rtcp }
    }
}
