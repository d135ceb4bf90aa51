//! The questions of a [`Desk`]: to which server, in which way, and what becomes of them.

use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;
use protocol::locate::{Failure, Found};

use super::{Alarm, Desk, Order};
use crate::cache::Cached;
use crate::limits;
use crate::question::{Question, Stage, Tour, Try, Way};
use crate::wire::{Edns, query};

impl<R> Desk<R> {
    /// Sends what waits for a socket, while there are any.
    pub(super) fn send_queued(&mut self, now: Time, out: &mut Vec<Order<R>>) {
        while self.by_wire.len() < limits::SOCKETS
            && let Some(id) = self.queue.pop_front()
        {
            // Its time may be up, or a server may have been found for it already.
            let waits = |question: &Question| matches!(question.stage, Stage::Queued);
            if !self.questions.get(&id).is_some_and(waits) {
                continue;
            }
            let tour = Tour::new(&self.servers);
            self.send_to_next(now, id, tour, out);
        }
    }

    /// Sends a question to the next server of its tour.
    fn send_to_next(&mut self, now: Time, id: u64, mut tour: Tour, out: &mut Vec<Order<R>>) {
        match tour.next(now, &mut self.states, &self.servers) {
            Some(server) => self.send(now, id, (Way::Udp, server, Edns::Yes), tour, out),
            None => self.fail(now, id, out),
        }
    }

    /// Sends a question to the same server in another way.
    pub(super) fn resend(&mut self, now: Time, id: u64, way: Way, out: &mut Vec<Order<R>>) {
        if let Some(tried) = self.take_try(id, out) {
            self.send(now, id, (way, tried.server, tried.edns), tried.tour, out);
        }
    }

    fn send(
        &mut self,
        now: Time,
        id: u64,
        (way, server, edns): (Way, SocketAddr, Edns),
        tour: Tour,
        out: &mut Vec<Order<R>>,
    ) {
        let wire = self.next_number();
        let [low, high, ..] = self.dice.roll().to_le_bytes();
        let number = u16::from_le_bytes([low, high]);
        let Some(question) = self.questions.get_mut(&id) else { return };
        let Some(octets) = query(number, &question.lookup, edns) else {
            return self.finish(now, id, &Found::Nothing, limits::FAILURE_TTL, out);
        };
        self.counts.sent.up();
        let until = (now + tour.patience(way)).min(question.until);
        self.alarms.set(until, Alarm::Question(id));
        question.stage =
            Stage::Sent(Try { wire, id: number, server, way, edns, until, strange: 0, tour });
        self.by_wire.insert(wire, id);
        out.push(Order::Open(wire, way, server, octets));
    }

    /// Takes a question back from the server that has it.
    fn take_try(&mut self, id: u64, out: &mut Vec<Order<R>>) -> Option<Try> {
        let question = self.questions.get_mut(&id)?;
        match std::mem::replace(&mut question.stage, Stage::Queued) {
            Stage::Queued => None,
            Stage::Sent(tried) => {
                self.by_wire.remove(&tried.wire);
                out.push(Order::Close(tried.wire));
                Some(tried)
            }
        }
    }

    /// The server answered, but not the question: ask the next, hold nothing against this one.
    pub(super) fn useless(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        self.counts.useless.up();
        if let Some(tried) = self.take_try(id, out) {
            self.send_to_next(now, id, tried.tour, out);
        }
    }

    /// The server did not answer.
    pub(super) fn silent(&mut self, now: Time, id: u64, failure: Failure, out: &mut Vec<Order<R>>) {
        self.counts.silent.up();
        if let Some(mut tried) = self.take_try(id, out) {
            tried.tour.silence(now, &mut self.states, tried.server, failure);
            self.send_to_next(now, id, tried.tour, out);
        }
    }

    pub(super) fn wake_question(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        let Some(question) = self.questions.get_mut(&id) else { return };
        if question.until <= now {
            return self.fail(now, id, out);
        }
        if question.stale_after.is_some_and(|time| time <= now) {
            question.stale_after = None;
            self.use_stale(now, id, out);
        }
        let late = |question: &Question| matches!(&question.stage, Stage::Sent(tried) if tried.until <= now);
        if self.questions.get(&id).is_some_and(late) {
            self.silent(now, id, Failure::Unanswered, out);
        }
    }

    /// Gives those who wait the outdated answer. The question stays open: its answer is for the next.
    fn use_stale(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        let Some(question) = self.questions.get_mut(&id) else { return };
        let Cached::Stale(found) = self.cache.get(now, &question.lookup) else { return };
        self.counts.stale.up();
        let waiting = std::mem::take(&mut question.waiting);
        let lookup = question.lookup.clone();
        for search in waiting {
            self.give(search, &lookup, found.clone());
            self.advance(now, search, out);
        }
    }

    /// Nobody could answer: what was known before must do, if anything was.
    fn fail(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        let Some(question) = self.questions.get(&id) else { return };
        let known = match self.cache.get(now, &question.lookup) {
            Cached::Stale(found) => {
                self.counts.stale.up();
                Some(found)
            }
            Cached::Fresh(_) | Cached::Unknown => None,
        };
        let lookup = question.lookup.clone();
        self.cache.put(now, &lookup, Found::Failed, limits::FAILURE_TTL);
        self.answer(now, id, &known.unwrap_or(Found::Failed), out);
    }

    pub(super) fn finish(
        &mut self,
        now: Time,
        id: u64,
        found: &Found,
        ttl: Duration,
        out: &mut Vec<Order<R>>,
    ) {
        let Some(question) = self.questions.get(&id) else { return };
        self.cache.put(now, &question.lookup, found.clone(), ttl);
        self.answer(now, id, found, out);
    }

    /// The end of a question: all who wait are told, and another gets its socket.
    fn answer(&mut self, now: Time, id: u64, found: &Found, out: &mut Vec<Order<R>>) {
        self.take_try(id, out);
        let Some(question) = self.questions.remove(&id) else { return };
        self.by_lookup.remove(&question.lookup);
        for search in question.waiting {
            self.give(search, &question.lookup, found.clone());
            self.advance(now, search, out);
        }
        self.send_queued(now, out);
    }
}
