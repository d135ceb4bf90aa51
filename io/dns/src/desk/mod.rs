//! `Desk`: the resolver without its sockets. It takes searches, answers and time; it says what to send and what was found.
//!
//! So its whole behaviour, with servers that are slow, dead or lying, is tested on a virtual clock.

mod asking;
mod quest;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use machine::{Alarms, Dice, Time};
use protocol::locate::{Failure, Found, Lookup, Secured, States};

use crate::cache::{Cache, Cached};
use crate::counts::Counts;
use crate::limits;
use crate::question::{Question, Stage, Way, key};
use crate::system::Hosts;
use crate::wire::{Edns, Reply, read};
pub use quest::Finding;
pub(crate) use quest::Wish;
use quest::{Next, Quest};

/// What the desk wants done.
#[derive(Debug)]
pub(crate) enum Order<R> {
    /// Open a socket to this server and send this.
    Open(u64, Way, SocketAddr, Vec<u8>),
    /// Close a socket.
    Close(u64),
    /// Tell what was found.
    Tell(R, Finding),
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
    quest: Quest,
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
    pub(crate) fn search(&mut self, now: Time, wish: Wish, tell: R, out: &mut Vec<Order<R>>) {
        self.counts.searches.up();
        if self.searches.len() >= limits::SEARCHES {
            self.counts.refused.up();
            out.push(Order::Tell(tell, wish.nothing()));
            return;
        }
        let id = self.next_number();
        let until = now + limits::SEARCH;
        self.alarms.set(until, Alarm::Search(id));
        self.searches.insert(id, Job { quest: wish.into(), tell, until });
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
        out.extend(jobs.into_values().map(|job| Order::Tell(job.tell, job.quest.so_far())));
    }

    /// Lets a search take the answers that are there, and asks for what it still wants.
    fn advance(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        loop {
            let Some(job) = self.searches.get_mut(&id) else { return };
            match job.quest.step() {
                Next::Ask(lookups) => {
                    for lookup in lookups {
                        self.look_up(now, id, lookup, out);
                    }
                }
                Next::Wait => return self.linger(now, id),
                Next::Done(finding) => return self.tell(now, id, finding, out),
            }
        }
    }

    /// A search that knows somebody to try does not wait for the rest as long as for the first.
    fn linger(&mut self, now: Time, id: u64) {
        let Some(job) = self.searches.get_mut(&id) else { return };
        if job.quest.so_far().is_nothing() {
            return;
        }
        let patience =
            if job.quest.knows_the_first() { limits::LINGER } else { limits::LONG_LINGER };
        let until = now + patience;
        if until < job.until {
            job.until = until;
            self.alarms.set(until, Alarm::Search(id));
        }
    }

    /// The time of a search is up: what is known must do.
    fn hurry(&mut self, now: Time, id: u64, out: &mut Vec<Order<R>>) {
        if let Some(job) = self.searches.get(&id).filter(|job| job.until <= now) {
            let finding = job.quest.so_far();
            self.tell(now, id, finding, out);
        }
    }

    fn tell(&mut self, now: Time, id: u64, finding: Finding, out: &mut Vec<Order<R>>) {
        let Some(job) = self.searches.remove(&id) else { return };
        if let Some((domain, offer)) = job.quest.offer()
            && self.secured.withdrawn(now, domain, offer)
        {
            self.counts.withdrawn.up();
            out.push(Order::Withdrawn(domain.clone()));
        }
        if finding.is_nothing() {
            self.counts.unlocated.up();
        }
        out.push(Order::Tell(job.tell, finding));
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
            job.quest.answer(lookup, found, &mut self.dice);
        }
    }

    const fn next_number(&mut self) -> u64 {
        self.number = self.number.wrapping_add(1);
        self.number
    }
}
