//! `World`: hosts, the network between them, and the clock.

mod changes;
mod post;
mod streams;

pub use changes::{Change, Outage};

use std::net::IpAddr;

use machine::{Dice, Time};

use crate::agenda::Agenda;
use crate::atlas::{Atlas, Placed};
use crate::sky::Sky;
use crate::stream::{Side, Streams};
use crate::trace::Trace;
use crate::{
    Fate, Host, HostId, Kind, NatId, NatRules, Parcel, Realm, Sighting, Tap, Weather, limits,
};

/// A world of hosts under virtual time. `H` is what lives in it: one type, or an enum of several, or `Box<dyn Host>`.
pub struct World<H> {
    now: Time,
    dice: Dice,
    hosts: Vec<Station<H>>,
    agenda: Agenda<Happening>,
    atlas: Atlas,
    sky: Sky,
    streams: Streams,
    tap: Tap,
    trace: Trace,
    spins: u64,
}

/// A host and what the world knows about it.
struct Station<H> {
    name: String,
    host: H,
    homes: Vec<(Realm, IpAddr)>,
    outage: Option<Outage>,
    alarm: Option<Time>,
    /// The next port for a parcel that leaves its own open.
    port: u16,
}

/// What can happen.
#[derive(Debug)]
enum Happening {
    Arrival(Flight),
    Wake(HostId),
    /// The host's own kernel tells it something.
    News(HostId, Parcel),
    Piece(u64, Side),
    Change(Change),
}

/// A datagram, or bad news, on its way.
#[derive(Debug)]
struct Flight {
    sent: Time,
    from: Option<HostId>,
    placed: Placed,
    fate: Fate,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left to happen.
    Quiet,
    /// The time was over first.
    OutOfTime,
}

impl<H: Host> World<H> {
    /// An empty world. The same seed, hosts and calls live the same life.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self {
            now: Time(1_700_000_000_000_000_000),
            dice: Dice::new(u128::from(seed)),
            hosts: Vec::new(),
            agenda: Agenda::default(),
            atlas: Atlas::default(),
            sky: Sky::new(weather),
            streams: Streams::default(),
            tap: Tap::default(),
            trace: Trace::default(),
            spins: 0,
        }
    }

    /// Adds a host with its addresses; the first of a family is the one that it sends from by default.
    pub fn add(&mut self, name: &str, host: H, homes: &[(Realm, IpAddr)]) -> HostId {
        let id = HostId(u32::try_from(self.hosts.len()).unwrap_or(u32::MAX));
        for (realm, ip) in homes {
            self.atlas.settle(*realm, *ip, id);
        }
        let (name, homes) = (name.to_owned(), homes.to_vec());
        self.hosts.push(Station { name, host, homes, outage: None, alarm: None, port: 49_152 });
        self.heed(id);
        id
    }

    /// Adds a NAT that owns these addresses outside. Returns it and the realm of its inside.
    pub fn add_nat(
        &mut self,
        outside: Realm,
        external: &[IpAddr],
        rules: NatRules,
    ) -> (NatId, Realm) {
        let dice = Dice::new(self.dice.seed());
        self.atlas.build(outside, external, rules, dice)
    }

    /// The virtual now.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// A hash of everything that was delivered so far: when, to whom, and every octet.
    pub const fn trace(&self) -> u64 {
        self.trace.value()
    }

    /// How often a host was due again at the moment at which it had just been woken. In production its thread would
    /// turn at full speed.
    pub const fn spins(&self) -> u64 {
        self.spins
    }

    /// Starts to record, from nothing.
    pub fn tap_on(&mut self) {
        self.tap = Tap::On(std::collections::VecDeque::new());
    }

    /// What was recorded.
    pub const fn tap(&mut self) -> &mut Tap {
        &mut self.tap
    }

    /// The name of a host, for ladders.
    pub fn name(&self, id: HostId) -> &str {
        self.hosts.get(id.index()).map_or("nobody", |station| &station.name)
    }

    /// The hosts, in the order in which they were added.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &H)> {
        (0..).map(HostId).zip(self.hosts.iter().map(|station| &station.host))
    }

    /// A host, to look at.
    pub fn host(&self, id: HostId) -> Option<&H> {
        self.hosts.get(id.index()).map(|station| &station.host)
    }

    /// A host, to change. Its deadline is read anew at the next step.
    pub fn host_mut(&mut self, id: HostId) -> Option<&mut H> {
        let now = self.now;
        let station = self.hosts.get_mut(id.index())?;
        if station.alarm != Some(now) {
            station.alarm = Some(now);
            self.agenda.plan(now, Happening::Wake(id));
        }
        Some(&mut station.host)
    }

    /// Does something with a host now and sends what it says: `world.act(phone, |phone, now, out| phone.call(…))`.
    pub fn act<R>(
        &mut self,
        id: HostId,
        deed: impl FnOnce(&mut H, Time, &mut Vec<Parcel>) -> R,
    ) -> Option<R> {
        let mut out = Vec::new();
        let station = self.hosts.get_mut(id.index())?;
        let answer = deed(&mut station.host, self.now, &mut out);
        self.post(id, out);
        self.heed(id);
        Some(answer)
    }

    /// Replaces a host by another, as a restart that forgets everything does. Its address stays, its streams go as
    /// the outage says.
    pub fn replace(&mut self, id: HostId, host: H, how: Outage) -> Option<H> {
        self.take_down(id, how);
        let station = self.hosts.get_mut(id.index())?;
        let old = std::mem::replace(&mut station.host, host);
        station.outage = None;
        self.heed(id);
        Some(old)
    }

    /// How many streams a host knows.
    pub fn streams_of(&self, id: HostId) -> usize {
        self.streams.at(id).len()
    }

    /// How many streams live in the world, those under way and half-open ones too.
    pub fn streams(&self) -> usize {
        self.streams.live.len()
    }

    /// How many mappings of a NAT are alive.
    pub fn mappings_of(&self, id: NatId) -> usize {
        self.atlas.nat(id).map_or(0, |nat| nat.alive(self.now))
    }

    /// Lets the next thing happen, and says when it was.
    pub fn step(&mut self) -> Option<Time> {
        let (time, happening) = self.agenda.pop()?;
        self.now = self.now.max(time);
        match happening {
            Happening::Arrival(flight) => self.arrive(flight),
            Happening::Wake(id) => self.wake(id, time),
            Happening::News(id, parcel) => self.hand(id, parcel),
            Happening::Piece(number, side) => self.pump(number, side),
            Happening::Change(change) => self.change(&change),
        }
        Some(self.now)
    }

    /// Lives until `end`, and then it is `end`.
    pub fn run_until(&mut self, end: Time) {
        while self.agenda.next().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lives for a while.
    pub fn run_for(&mut self, span: std::time::Duration) {
        self.run_until(self.now + span);
    }

    /// Lives until nothing is left to happen, at most until `end`.
    pub fn run_until_quiet(&mut self, end: Time) -> Ended {
        while let Some(next) = self.agenda.next() {
            if next > end {
                self.now = self.now.max(end);
                return Ended::OutOfTime;
            }
            self.step();
        }
        Ended::Quiet
    }

    fn wake(&mut self, id: HostId, planned: Time) {
        let Some(station) = self.hosts.get_mut(id.index()) else { return };
        if station.alarm != Some(planned) {
            return;
        }
        station.alarm = None;
        if station.outage.is_some() {
            return;
        }
        let was_due = station.host.deadline().is_some_and(|deadline| deadline <= self.now);
        if was_due {
            let mut out = Vec::new();
            station.host.wake(self.now, &mut out);
            self.post(id, out);
        }
        if was_due && self.deadline(id).is_some_and(|deadline| deadline <= self.now) {
            self.spins += 1;
            return self.set_alarm(id, self.now + limits::NAP);
        }
        self.heed(id);
    }

    /// Hands a parcel to a host that is up.
    fn hand(&mut self, id: HostId, parcel: Parcel) {
        let up = |station: &&mut Station<H>| station.outage.is_none();
        let Some(station) = self.hosts.get_mut(id.index()).filter(up) else { return };
        self.trace.note(self.now, id, &parcel);
        let mut out = Vec::new();
        station.host.handle(self.now, parcel, &mut out);
        self.post(id, out);
        self.heed(id);
    }

    /// Sends what a host has said.
    fn post(&mut self, from: HostId, parcels: Vec<Parcel>) {
        for mut parcel in parcels {
            match &parcel.kind {
                Kind::Stream(id, segment) => {
                    let (id, segment) = (*id, segment.clone());
                    self.stream_says(from, id, segment, parcel);
                }
                Kind::Datagram(_) => match self.sign(from, &mut parcel) {
                    Some(realm) => self.send(Some(from), realm, parcel),
                    None => self.see(Some(from), None, parcel, Fate::Foreign),
                },
                Kind::Unreachable(_) => self.see(Some(from), None, parcel, Fate::Foreign),
            }
        }
    }

    /// Fills in the sender's address where it was left out, and finds its realm; `None` when the host does not own it.
    fn sign(&mut self, id: HostId, parcel: &mut Parcel) -> Option<Realm> {
        let station = self.hosts.get_mut(id.index())?;
        let wanted = parcel.from.ip();
        let fits = |ip: &IpAddr| {
            *ip == wanted || wanted.is_unspecified() && ip.is_ipv4() == parcel.to.is_ipv4()
        };
        let (realm, ip) = station.homes.iter().find(|(_, ip)| fits(ip)).copied()?;
        parcel.from.set_ip(ip);
        if parcel.from.port() == 0 {
            parcel.from.set_port(station.port);
            station.port = station.port.checked_add(1).unwrap_or(49_152);
        }
        self.atlas.is_home(realm, ip, id).then_some(realm)
    }

    /// Reads a host's deadline and sets its alarm.
    fn heed(&mut self, id: HostId) {
        if let Some(deadline) = self.deadline(id) {
            self.set_alarm(id, deadline.max(self.now));
        }
    }

    fn deadline(&self, id: HostId) -> Option<Time> {
        self.hosts.get(id.index())?.host.deadline().filter(|deadline| *deadline < Time::NEVER)
    }

    /// An alarm that is earlier than the one set replaces it; a later one waits for its turn, since the host is asked
    /// again then.
    fn set_alarm(&mut self, id: HostId, at: Time) {
        let Some(station) = self.hosts.get_mut(id.index()) else { return };
        if station.alarm.is_none_or(|alarm| at < alarm) {
            station.alarm = Some(at);
            self.agenda.plan(at, Happening::Wake(id));
        }
    }

    /// Notes something that was sent and ended now.
    fn see(&mut self, from: Option<HostId>, to: Option<HostId>, parcel: Parcel, fate: Fate) {
        let at = self.now;
        self.tap.see(|| Sighting { sent: at, at, from, to, parcel, fate });
    }
}
