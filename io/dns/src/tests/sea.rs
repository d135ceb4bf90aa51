//! `Sea`: a desk, servers with habits, and a clock that jumps.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::Rcode;
use machine::{Dice, Time};
use protocol::Transport;
use protocol::locate::{Domain, Families, Hop, Means};
use sip::Uri;

use super::zone::{Zone, asked, refuse};
use crate::counts::Counts;
use crate::desk::{Desk, Finding, Order, Wish};
use crate::question::Way;
use crate::system::Hosts;

/// How a server behaves.
#[derive(Clone, Debug)]
pub(crate) enum Habit {
    /// Answers after so many milliseconds.
    Good(Zone, u64),
    /// Never answers.
    Dead,
    /// Cannot be reached: the system says so at once.
    Unreachable,
    /// Answers with an error.
    Refusing(Rcode),
    /// Answers everything but this kind of question, which it ignores.
    DeafTo(&'static str, Zone),
    /// Each question by UDP gets these answers, made from the true one.
    Lying(Zone, fn(Vec<u8>) -> Vec<Vec<u8>>),
    /// Refuses questions with EDNS as malformed.
    Old(Zone),
    /// Answers by UDP, with "too long", and never by TCP.
    NoTcp(Zone),
}

enum Event {
    Heard(u64, Vec<u8>),
    Broken(u64),
}

pub(crate) struct Sea {
    pub(crate) desk: Desk<u32>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) habits: BTreeMap<SocketAddr, Habit>,
    pub(crate) now: Time,
    /// When each search ended after its beginning, in milliseconds, and how.
    pub(crate) told: BTreeMap<u32, (u64, String)>,
    /// What the servers were asked: milliseconds, last number of the server's address, question.
    pub(crate) asked: Vec<String>,
    pub(crate) withdrawn: Vec<String>,
    began: BTreeMap<u32, Time>,
    agenda: BTreeMap<(Time, u64), Event>,
    open: BTreeSet<u64>,
    pub(crate) most_open: usize,
    number: u64,
}

impl Sea {
    /// Servers 192.0.2.1, .2, … with these habits.
    pub(crate) fn new(habits: &[Habit]) -> Self {
        let servers: Vec<SocketAddr> = (1..=habits.len())
            .map(|last| SocketAddr::from(([192, 0, 2, last as u8], 53)))
            .collect();
        let counts = Arc::new(Counts::default());
        Self {
            desk: Desk::new(servers.clone(), Hosts::default(), Dice::new(53), Arc::clone(&counts)),
            counts,
            habits: servers.into_iter().zip(habits.iter().cloned()).collect(),
            now: Time(1),
            told: BTreeMap::new(),
            asked: Vec::new(),
            withdrawn: Vec::new(),
            began: BTreeMap::new(),
            agenda: BTreeMap::new(),
            open: BTreeSet::new(),
            most_open: 0,
            number: 0,
        }
    }

    /// Somebody wants the services of a name.
    pub(crate) fn services(&mut self, number: u32, name: &str) {
        let mut orders = Vec::new();
        self.began.insert(number, self.now);
        let wish = Wish::Services(Domain::of(name).unwrap());
        self.desk.search(self.now, wish, number, &mut orders);
        self.carry_out(orders);
    }

    /// Begins a search.
    pub(crate) fn locate(&mut self, number: u32, uri: &str) {
        let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
        let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
        let means = Means { transports, families: Families::V4 };
        self.began.insert(number, self.now);
        let mut orders = Vec::new();
        self.desk.search(self.now, Wish::Servers(hop, means), number, &mut orders);
        self.carry_out(orders);
    }

    /// Searches and waits until it is told: milliseconds and outcome.
    pub(crate) fn find(&mut self, uri: &str) -> (u64, String) {
        let number = u32::MAX - self.told.len() as u32;
        self.locate(number, uri);
        while !self.told.contains_key(&number) {
            assert!(self.step(), "{uri} is never told");
        }
        self.told[&number].clone()
    }

    /// Lets time pass, with all that happens in it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.next_moment().is_some_and(|moment| moment <= until) {
            self.step();
        }
        self.now = until;
    }

    /// Until nothing more happens.
    pub(crate) fn settle(&mut self) {
        while self.step() {}
        assert!(self.open.is_empty(), "sockets are left open");
    }

    fn next_moment(&self) -> Option<Time> {
        let event = self.agenda.keys().next().map(|(time, _)| *time);
        event.into_iter().chain(self.desk.deadline()).min()
    }

    fn step(&mut self) -> bool {
        let Some(moment) = self.next_moment() else { return false };
        self.now = self.now.max(moment);
        let mut orders = Vec::new();
        let due = self.agenda.keys().next().copied().filter(|(time, _)| *time <= self.now);
        match due.and_then(|key| self.agenda.remove(&key)) {
            Some(Event::Heard(wire, octets)) if self.open.contains(&wire) => {
                self.desk.heard(self.now, wire, &octets, &mut orders);
            }
            Some(Event::Broken(wire)) => self.desk.broken(self.now, wire, &mut orders),
            _ => self.desk.wake(self.now, &mut orders),
        }
        self.carry_out(orders);
        true
    }

    fn carry_out(&mut self, orders: Vec<Order<u32>>) {
        for order in orders {
            match order {
                Order::Open(wire, way, server, octets) => {
                    self.open.insert(wire);
                    self.most_open = self.most_open.max(self.open.len());
                    self.serve(wire, way, server, &octets);
                }
                Order::Close(wire) => assert!(self.open.remove(&wire), "closed twice"),
                Order::Tell(number, outcome) => {
                    let words = match outcome {
                        Finding::Services(Ok(services)) => services
                            .iter()
                            .map(|it| it.regexp.to_string())
                            .collect::<Vec<_>>()
                            .join(", "),
                        Finding::Servers(Ok(targets)) => {
                            targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                        }
                        Finding::Servers(Err(why)) | Finding::Services(Err(why)) => {
                            format!("{why:?}")
                        }
                    };
                    let took = (self.now - self.began[&number]).as_millis() as u64;
                    assert!(self.told.insert(number, (took, words)).is_none(), "told twice");
                }
                Order::Withdrawn(domain) => self.withdrawn.push(domain.to_string()),
            }
        }
    }

    /// A server gets a question.
    fn serve(&mut self, wire: u64, way: Way, server: SocketAddr, query: &[u8]) {
        let last = server.ip().to_string().rsplit('.').next().unwrap().to_owned();
        let by = if way == Way::Tcp { " by TCP" } else { "" };
        self.asked.push(format!("{} {last} {}{by}", self.now.0 / 1_000_000, asked(query)));
        let whole = |zone: &Zone| {
            if way == Way::Tcp { zone.answer_by_tcp(query) } else { zone.answer(query) }
        };
        let (delay, answers) = match &self.habits[&server] {
            Habit::Good(zone, delay) => (*delay, vec![whole(zone)]),
            Habit::Dead => return,
            Habit::Unreachable => return self.add(0, Event::Broken(wire)),
            Habit::Refusing(rcode) => (1, vec![refuse(query, *rcode)]),
            Habit::DeafTo(kind, _) if asked(query).ends_with(kind) => return,
            Habit::DeafTo(_, zone) => (1, vec![whole(zone)]),
            Habit::Lying(zone, lie) if way == Way::Udp => (1, lie(whole(zone))),
            Habit::Lying(zone, _) => (1, vec![whole(zone)]),
            Habit::Old(_) if query[11] != 0 => (1, vec![refuse(query, Rcode::FORMERR)]),
            Habit::Old(zone) => (1, vec![whole(zone)]),
            Habit::NoTcp(_) if way == Way::Tcp => return,
            Habit::NoTcp(zone) => (1, vec![whole(zone)]),
        };
        for answer in answers {
            self.add(delay, Event::Heard(wire, answer));
        }
    }

    fn add(&mut self, millis: u64, event: Event) {
        self.number += 1;
        self.agenda.insert((self.now + Duration::from_millis(millis), self.number), event);
    }
}
