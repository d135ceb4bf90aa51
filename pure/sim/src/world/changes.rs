//! What befalls a world: partitions, outages, other weather, restarts; now or at a set time.

use std::net::IpAddr;

use machine::Time;

use super::{Happening, World};
use crate::{Host, HostId, NatId, Realm, Segment, Weather};

/// Something that befalls a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The weather between all hosts that have none of their own.
    Weather(Weather),
    /// The weather from one host to another, in this direction only.
    WeatherFrom(HostId, HostId, Weather),
    /// Nothing passes between any of the first and any of the second.
    Part(Vec<HostId>, Vec<HostId>),
    /// Nothing passes from the first to the second; the other way stays open.
    Mute(HostId, HostId),
    /// What was parted between any of the first and any of the second passes again.
    Heal(Vec<HostId>, Vec<HostId>),
    /// All partitions end.
    HealAll,
    /// A host goes down.
    Down(HostId, Outage),
    /// A host comes back with the memory that it had. To lose it, see [`World::replace`].
    Up(HostId),
    /// A NAT restarts and forgets its mappings.
    Forget(NatId),
    /// A host leaves all its addresses for others: its streams are dead, and nobody is told.
    Move(HostId, Vec<(Realm, IpAddr)>),
}

/// How a host goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The machine loses its power: it falls silent, and its peers' streams stay half-open.
    Power,
    /// The program ends: the kernel resets its streams, and answers that its ports are closed.
    Program,
}

impl<H: Host> World<H> {
    /// Plans a change.
    pub fn at(&mut self, time: Time, change: Change) {
        self.agenda.plan(time.max(self.now), Happening::Change(change));
    }

    /// Makes a change now.
    pub fn change(&mut self, change: &Change) {
        match change {
            Change::Weather(weather) => self.sky.set_usual(*weather),
            Change::WeatherFrom(from, to, weather) => self.sky.set(*from, *to, *weather),
            Change::Part(some, others) => {
                for (from, to) in pairs(some, others) {
                    self.sky.part(from, to);
                }
            }
            Change::Mute(from, to) => self.sky.part(*from, *to),
            Change::Heal(some, others) => {
                for (from, to) in pairs(some, others) {
                    self.sky.heal(from, to);
                }
            }
            Change::HealAll => self.sky.heal_all(),
            Change::Down(host, how) => self.take_down(*host, *how),
            Change::Up(host) => self.bring_up(*host),
            Change::Move(host, homes) => self.move_house(*host, homes),
            Change::Forget(nat) => {
                if let Some(nat) = self.atlas.nat_mut(*nat) {
                    nat.forget();
                }
            }
        }
    }

    pub(super) fn take_down(&mut self, id: HostId, how: Outage) {
        let Some(station) = self.hosts.get_mut(id.index()) else { return };
        station.outage = Some(how);
        for (number, side) in self.streams.at(id) {
            if let Some(pipe) = self.streams.pipe_mut(number, side) {
                pipe.queue.clear();
            }
            if how == Outage::Program {
                self.push(number, side, Segment::Reset);
            }
            self.streams.drop_end(number, side);
        }
    }

    fn move_house(&mut self, id: HostId, homes: &[(Realm, IpAddr)]) {
        let Some(station) = self.hosts.get_mut(id.index()) else { return };
        for (realm, ip) in std::mem::replace(&mut station.homes, homes.to_vec()) {
            self.atlas.unsettle(realm, ip, id);
        }
        for (realm, ip) in homes {
            self.atlas.settle(*realm, *ip, id);
        }
        for (number, side) in self.streams.at(id) {
            if let Some(pipe) = self.streams.pipe_mut(number, side) {
                pipe.queue.clear();
            }
            self.streams.drop_end(number, side);
        }
    }

    fn bring_up(&mut self, id: HostId) {
        let Some(station) = self.hosts.get_mut(id.index()) else { return };
        station.outage = None;
        self.heed(id);
    }
}

/// Every pair of the two sides, both ways.
fn pairs(some: &[HostId], others: &[HostId]) -> impl Iterator<Item = (HostId, HostId)> {
    let one_way = some.iter().flat_map(|a| others.iter().map(|b| (*a, *b)));
    one_way.flat_map(|(a, b)| [(a, b), (b, a)])
}
