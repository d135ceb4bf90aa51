//! What comes in: read, and moved to the shard where it is at home.

use std::net::{IpAddr, SocketAddr};

use machine::Time;
use protocol::doors::{Alive, Socket};
use protocol::{Distrust, Flow, Identity, Input, Transport};
use sip::{Bytes, Message};

use crate::accept::Next;
use crate::census::Evicted;
use crate::datagrams::Mouth;
use crate::kernel::{Batch, Datagram};
use crate::limits;
use crate::nap::Found;
use crate::program::Drivable;
use crate::shard::{Shard, bit};
use crate::streams::News;
use crate::switchboard::{Accepted, Letter};
use crate::tap::{Notice, Way};

impl<M: Drivable> Shard<M> {
    /// A phone asked by STUN whether its NAT still lets it through (RFC 5626 §8).
    pub(crate) fn keep_alive(&self, mouth: &mut Mouth, from: SocketAddr, answer: Vec<u8>) {
        self.here.counters.datagrams_in.one();
        self.here.counters.keep_alives.one();
        if !mouth.send(from, answer.into()) {
            self.here.counters.datagrams_unsent.one();
        }
    }

    /// A datagram of signalling came.
    pub(crate) fn datagram(&mut self, now: Time, listener: u16, datagram: Datagram<'_>) {
        self.here.counters.datagrams_in.one();
        // Keep-alives of phones behind NATs: line ends, or zeros. Nobody waits for an answer.
        if datagram.octets.iter().all(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            self.here.counters.keep_alives.one();
            return;
        }
        let flow = Flow {
            transport: Transport::Udp,
            listener,
            connection: 0,
            peer: datagram.from,
            identity: Identity::NONE,
        };
        if let Some((transaction, mapped)) = stun::mapped(datagram.octets) {
            let alive = Alive::Mapped(transaction, mapped);
            return self.inputs.push(Input::Alive(flow, alive));
        }
        // Neither SIP nor a question by STUN: silence, for whatever sent it understands no answer of ours.
        if stun::looks_like_stun(datagram.octets) {
            self.here.counters.malformed.one();
            return;
        }
        let wire = Bytes::copy_from_slice(datagram.octets);
        self.tap(now, Way::In, flow, &wire);
        match Message::parse(wire) {
            Ok(message) => drop(self.steer(flow, message, datagram.to)),
            Err(malformed) => {
                self.here.counters.malformed.one();
                self.inputs.push(Input::Malformed(flow, malformed));
            }
        }
    }

    /// Moves a message to where it is at home; says where that is.
    fn steer(&mut self, flow: Flow, message: Message, way: Option<IpAddr>) -> u16 {
        let shards = self.here.board.shards();
        let home = (self.program.steer)(&message).checked_rem(shards).unwrap_or(0);
        let input = Input::Received(flow, message);
        if home == self.here.shard {
            self.inputs.push(input);
        } else if flow.transport.is_reliable() {
            // Nobody repeats what a stream has carried.
            self.post_surely(home, Letter::Input(input, way));
        } else {
            self.post(home, Letter::Input(input, way));
        }
        home
    }

    /// Sends a letter to another shard. What does not fit is dropped and counted, as a full socket would.
    pub(crate) fn post(&mut self, shard: u16, letter: Letter) {
        match self.here.board.post(shard, letter) {
            Ok(()) => {
                self.here.counters.moved.one();
                self.rings |= bit(shard);
            }
            Err(_) => self.here.counters.moved_lost.one(),
        }
    }

    /// Sends a letter to another shard, later if it does not fit now: somebody waits for it. Letters stay in order.
    pub(crate) fn post_surely(&mut self, shard: u16, letter: Letter) {
        let letter = if self.kept.iter().any(|(other, _)| *other == shard) {
            letter
        } else {
            match self.here.board.post(shard, letter) {
                Ok(()) => {
                    self.here.counters.moved.one();
                    self.rings |= bit(shard);
                    return;
                }
                Err(letter) => letter,
            }
        };
        if self.kept.len() < limits::LETTERS_KEPT {
            self.kept.push_back((shard, letter));
        } else {
            self.here.counters.moved_lost.one();
        }
    }

    /// Tries again to send what did not fit.
    pub(crate) fn post_kept(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        for (shard, letter) in kept {
            self.post_surely(shard, letter);
        }
    }

    /// Tells shards, given as bits, that nothing more can be sent on a flow.
    pub(crate) fn failed(&mut self, flow: Flow, shards: u64) {
        for shard in 0..self.here.board.shards() {
            if shards & bit(shard) == 0 {
                continue;
            }
            if shard == self.here.shard {
                self.inputs.push(Input::Failed(flow));
            } else {
                self.post_surely(shard, Letter::Input(Input::Failed(flow), None));
            }
        }
    }

    /// The same of a connection whose peer has ended it. Our machine hears it before all that has not come by it: what that begins goes by
    /// another connection, and would be taken for something that is lost.
    fn ended(&mut self, flow: Flow, shards: u64) {
        let here = bit(self.here.shard);
        self.failed(flow, shards & !here);
        if shards & here != 0 {
            let came = |input: &Input| matches!(input, Input::Received(by, _) if *by == flow);
            let place = self.inputs.iter().rposition(came).map_or(0, |last| last + 1);
            self.inputs.insert(place, Input::Failed(flow));
        }
    }

    /// Tells all shards that a peer has not proven to be whom the flow names.
    fn untrusted(&mut self, flow: Flow, distrust: &Distrust) {
        for shard in 0..self.here.board.shards() {
            let input = Input::Untrusted(flow, distrust.clone());
            if shard == self.here.shard {
                self.inputs.push(input);
            } else {
                self.post_surely(shard, Letter::Input(input, None));
            }
        }
    }

    /// Passes on what the connections have to tell.
    pub(crate) fn spread_news(&mut self, now: Time) {
        let mut news = std::mem::take(&mut self.streams.news);
        for news in news.drain(..) {
            match news {
                News::Message(flow, _) | News::Malformed(flow, _)
                    if self.bars.hold(now, flow.peer.ip()) =>
                {
                    self.here.counters.barred.one();
                    let (number, peer) = (flow.connection, flow.peer);
                    self.streams.evicted.push(Evicted { number, peer });
                }
                News::Message(flow, message) => {
                    self.tap(now, Way::In, flow, message.wire());
                    let home = self.steer(flow, message, None);
                    self.streams.known_by(flow.connection, home);
                }
                News::Malformed(flow, malformed) => {
                    self.here.counters.malformed.one();
                    self.tap(now, Way::In, flow, &malformed.wire);
                    self.inputs.push(Input::Malformed(flow, malformed));
                }
                News::Refused(flow, why) => {
                    self.here.counters.malformed.one();
                    let notice = Notice::Refused { source: flow.peer, why };
                    self.program.sink.notice(now, self.here.shard, notice);
                }
                News::Pong(flow) => self.inputs.push(Input::Alive(flow, Alive::Pong)),
                News::Failed(flow, shards) => self.failed(flow, shards),
                News::Ended(flow, shards) => self.ended(flow, shards),
                News::Untrusted(flow, distrust) => self.untrusted(flow, &distrust),
            }
        }
        self.streams.news = news;
    }

    /// Accepts who waits, and deals them out.
    pub(crate) fn accept(&mut self, now: Time, number: u16, found: &mut Found) {
        for _ in 0..limits::ACCEPTS {
            let Some(gate) = self.gates.iter_mut().find(|gate| gate.number() == number) else {
                return;
            };
            let listener = (number, gate.transport());
            let (stream, peer) = match gate.next(&self.epoll, now) {
                Next::Came(stream, peer) => (stream, peer),
                Next::Nobody => return,
                Next::NoMoreFiles => {
                    self.program.sink.notice(now, self.here.shard, Notice::NoMoreFiles);
                    return;
                }
            };
            found.signalling += 1;
            if self.bars.hold(now, peer.ip()) {
                self.here.counters.barred.one();
                continue;
            }
            let Some((seat, evicted)) = self.streams.seat(peer) else {
                self.here.counters.connections_refused.one();
                let notice = Notice::TooManyConnections { source: peer };
                self.program.sink.notice(now, self.here.shard, notice);
                continue;
            };
            self.streams.evicted.extend(evicted);
            let accepted = Accepted { stream, listener, peer, seat };
            let owner = self.streams.owner(peer);
            if owner == self.here.shard {
                self.open(now, Letter::Adopt(accepted));
            } else {
                self.post_surely(owner, Letter::Adopt(accepted));
            }
        }
        found.more = true;
    }

    /// Closes the connections that must go, wherever they live.
    pub(crate) fn make_room(&mut self, now: Time) {
        for evicted in std::mem::take(&mut self.streams.evicted) {
            let owner = self.streams.owner(evicted.peer);
            if owner == self.here.shard {
                self.open(now, Letter::Evict(evicted.number));
            } else {
                self.post_surely(owner, Letter::Evict(evicted.number));
            }
        }
    }

    /// Reads what one media socket has.
    pub(crate) fn receive_media(&mut self, number: u32, found: &mut Found) {
        let Some(socket) = self.media.socket(Socket(number)) else { return };
        let count = self.batch.receive(socket).unwrap_or(0);
        found.media += count;
        found.more |= count == self.batch.room();
        self.here.counters.media_in.add(count);
        let batch = std::mem::replace(&mut self.batch, Batch::new(0));
        self.inputs.extend(batch.datagrams().map(|datagram| {
            Input::Media(Socket(number), datagram.from, Bytes::copy_from_slice(datagram.octets))
        }));
        self.batch = batch;
    }
}
