//! `Desk`: the resolver without its sockets. It takes searches, answers and time; it says what to send and what was found.
//!
//! So its whole behaviour, with servers that are slow, dead or lying, is tested on a virtual clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use machine::{Alarms, Dice, Time};
use protocol::locate::{
    Failure, Found, Hop, Lookup, Means, Search, Secured, States, Step, Target, Unlocated,
};

use crate::cache::{Cache, Cached};
use crate::counts::Counts;
use crate::limits;
use crate::question::{Question, Stage, Tour, Try, Way, key};
use crate::system::Hosts;
use crate::wire::{Edns, Reply, query, read};

/// What a search finds.
pub(crate) type Outcome = Result<Vec<Target>, Unlocated>;

/// What the desk wants done.
#[derive(Debug)]
pub(crate) enum Order<R> {
    /// Open a socket to this server and send this.
    Open(u64, Way, SocketAddr, Vec<u8>),
    /// Close a socket.
    Close(u64),
    /// Tell what was found.
    Tell(R, Outcome),
    /// A domain that offered TLS does so no more.
    Withdrawn(protocol::locate::Domain),
}

/// The resolver without its sockets. `R` is whom to tell.
#[derive(Debug)]
pub(crate) struct Desk<R> {
    pub(crate) servers: Vec<SocketAddr>,
    pub(crate) hosts: Hosts,
    counts: Arc<Counts>,
    dice: Dice,
    cache: Cache,
    states: States,
    secured: Secured,
    searches: BTreeMap<u64, Job<R>>,
    questions: BTreeMap<u64, Question>,
    by_lookup: BTreeMap<Lookup, u64>,
    by_wire: BTreeMap<u64, u64>,
    queue: VecDeque<u64>,
    alarms: Alarms<Alarm>,
    number: u64,
}

#[derive(Debug)]
struct Job<R> {
    search: Search,
    tell: R,
    until: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Search(u64),
    Question(u64),
}

impl<R> Desk<R> {
    pub(crate) fn new(
        servers: Vec<SocketAddr>,
        hosts: Hosts,
        dice: Dice,
        counts: Arc<Counts>,
    ) -> Self {
        Self {
            servers,
            hosts,
            counts,
            dice,
            cache: Cache::default(),
            states: States::default(),
            secured: Secured::default(),
            searches: BTreeMap::new(),
            questions: BTreeMap::new(),
            by_lookup: BTreeMap::new(),
            by_wire: BTreeMap::new(),
            queue: VecDeque::new(),
            alarms: Alarms::default(),
            number: 0,
        }
    }

    /// Begins a search. Its end is always told, at the latest after [`limits::SEARCH`].
    pub(crate) fn locate(
        &mut self,
        now: Time,
        hop: Hop,
        means: Means,
        tell: R,
        out: &mut Vec<Order<R>>,
    ) {
        self.counts.searches.up();
        if self.searches.len() >= limits::SEARCHES {
            self.counts.refused.up();
            out.push(Order::Tell(tell, Err(Unlocated::NoAnswer)));
            return;
        }
        let id = self.next_number();
        let until = now + limits::SEARCH;
        self.alarms.set(until, Alarm::Search(id));
        self.searches.insert(id, Job { search: Search::new(hop, means), tell, until });
        self.advance(now, id, out);
    }

    /// Takes what came on a socket.
    pub(crate) fn heard(&mut self, now: Time, wire: u64, octets: &[u8], out: &mut Vec<Order<R>>) {
        let Some((id, question)) =
            self.by_wire.get(&wire).and_then(|id| Some((*id, self.questions.get_mut(id)?)))
        else {
            self.counts.strange.up();
            return;
        };
        let Stage::Sent(tried) = &mut question.stage else { return };
        let reply = read(octets, tried.id, &question.lookup);
        match reply {
            Reply::Strange => {
                self.counts.strange.up();
                tried.strange = tried.strange.saturating_add(1);
                // Somebody guesses, or the server is out of its mind: by another port, with another number.
                if tried.strange > limits::STRANGE || tried.way == Way::Tcp {
                    self.useless(now, id, out);
                }
            }
            Reply::Answer(found, ttl) => {
                self.states.succeeded(key(tried.server));
                self.finish(now, id, &found, ttl, out);
            }
            Reply::Truncated if tried.way == Way::Udp => {
                self.counts.long.up();
                self.states.succeeded(key(tried.server));
                self.resend(now, id, Way::Tcp, out);
            }
            Reply::NoEdns if tried.edns == Edns::Yes => {
                self.states.succeeded(key(tried.server));
                tried.edns = Edns::No;
                let way = tried.way;
                self.resend(now, id, way, out);
            }
            Reply::Useless | Reply::Truncated | Reply::NoEdns => {
                self.states.succeeded(key(tried.server));
                self.useless(now, id, out);
            }
        }
    }

    /// Takes the news that a socket is broken: refused, unreachable, closed too early, or not to be had.
    pub(crate) fn broken(&mut self, now: Time, wire: u64, out: &mut Vec<Order<R>>) {
        if let Some(id) = self.by_wire.get(&wire).copied() {
            self.silent(now, id, Failure::Undelivered, out);
        }
    }

    /// Does what is due.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Order<R>>) {
        while let Some(alarm) = self.alarms.due(now) {
            match alarm {
                Alarm::Search(id) => self.hurry(now, id, out),
                Alarm::Question(id) => self.wake_question(now, id, out),
            }
        }
    }

    /// When [`wake`](Self::wake) is wanted.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.next()
    }

    /// Ends everything: each search is told what is known.
    pub(crate) fn close(&mut self, out: &mut Vec<Order<R>>) {
        let jobs = std::mem::take(&mut self.searches);
        out.extend(jobs.into_values().map(|job| Order::Tell(job.tell, job.search.so_far())));
    }

    /// Lets a search take the answers that are there, and asks for what it still wants.
    fn advance(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        loop {
            let Some(job) = self.searches.get_mut(&id) else { return };
            match job.search.step() {
                Step::Ask(lookups) => {
                    for lookup in lookups {
                        self.look_up(now, id, lookup, out);
                    }
                }
                Step::Wait => return self.linger(now, id),
                Step::Done(outcome) => return self.tell(now, id, outcome, out),
            }
        }
    }

    /// A search that knows somebody to try does not wait for the rest as long as for the first.
    fn linger(&mut self, now: Time, id: u64) {
        let Some(job) = self.searches.get_mut(&id) else { return };
        if job.search.so_far().is_err() {
            return;
        }
        let patience =
            if job.search.knows_the_first() { limits::LINGER } else { limits::LONG_LINGER };
        let until = now + patience;
        if until < job.until {
            job.until = until;
            self.alarms.set(until, Alarm::Search(id));
        }
    }

    /// The time of a search is up: what is known must do.
    fn hurry(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        if let Some(job) = self.searches.get(&id).filter(|job| job.until <= now) {
            let outcome = job.search.so_far();
            self.tell(now, id, outcome, out);
        }
    }

    fn tell(&mut self, now: Time, id: u64, outcome: Outcome, out: &mut Vec<Order<R>>) {
        let Some(job) = self.searches.remove(&id) else { return };
        if let Some((domain, offer)) = job.search.offer()
            && self.secured.withdrawn(now, domain, offer)
        {
            self.counts.withdrawn.up();
            out.push(Order::Withdrawn(domain.clone()));
        }
        if outcome.is_err() {
            self.counts.unlocated.up();
        }
        out.push(Order::Tell(job.tell, outcome));
    }

    /// Answers a search from what is known here, or makes it wait for the DNS.
    fn look_up(&mut self, now: Time, search: u64, lookup: Lookup, out: &mut Vec<Order<R>>) {
        let (known, stale_after) = match self.hosts.find(&lookup) {
            Some(found) => (Some(found), None),
            None => match self.cache.get(now, &lookup) {
                Cached::Fresh(found) => (Some(found), None),
                Cached::Stale(_) => (None, Some(now + limits::STALE_AFTER)),
                Cached::Unknown => (None, None),
            },
        };
        if let Some(found) = known {
            self.counts.cached.up();
            return self.give(search, &lookup, found);
        }
        if let Some(question) =
            self.by_lookup.get(&lookup).and_then(|id| self.questions.get_mut(id))
        {
            question.waiting.insert(search);
            return;
        }
        if self.questions.len() >= limits::QUESTIONS || self.servers.is_empty() {
            return self.give(search, &lookup, Found::Failed);
        }
        let id = self.next_number();
        let until = now + limits::QUESTION;
        self.alarms.set(until, Alarm::Question(id));
        if let Some(time) = stale_after {
            self.alarms.set(time, Alarm::Question(id));
        }
        self.by_lookup.insert(lookup.clone(), id);
        let waiting = BTreeSet::from([search]);
        let stage = Stage::Queued;
        self.questions.insert(id, Question { lookup, waiting, until, stale_after, stage });
        self.queue.push_back(id);
        self.send_queued(now, out);
    }

    fn give(&mut self, search: u64, lookup: &Lookup, found: Found) {
        if let Some(job) = self.searches.get_mut(&search) {
            job.search.answer(lookup, found, &mut self.dice);
        }
    }

    /// Sends what waits for a socket, while there are any.
    fn send_queued(&mut self, now: Time, out: &mut Vec<Order<R>>) {
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
    fn resend(&mut self, now: Time, id: u64, way: Way, out: &mut Vec<Order<R>>) {
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
    fn useless(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        self.counts.useless.up();
        if let Some(tried) = self.take_try(id, out) {
            self.send_to_next(now, id, tried.tour, out);
        }
    }

    /// The server did not answer.
    fn silent(&mut self, now: Time, id: u64, failure: Failure, out: &mut Vec<Order<R>>) {
        self.counts.silent.up();
        if let Some(mut tried) = self.take_try(id, out) {
            tried.tour.silence(now, &mut self.states, tried.server, failure);
            self.send_to_next(now, id, tried.tour, out);
        }
    }

    fn wake_question(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
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

    fn finish(
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

    const fn next_number(&mut self) -> u64 {
        self.number = self.number.wrapping_add(1);
        self.number
    }
}
