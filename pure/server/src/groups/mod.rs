//! Groups: next hops that stand for each other. Who is asked first, who has no room, who is alive.
//!
//! What is known of an address is `protocol::locate::States`' business, as for every next hop; here it is asked, and probes tell it.

mod order;
mod probes;
mod rate;
mod seats;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use machine::{Dice, Time};
use protocol::Transport;
use protocol::locate::{State, States};
use sip::Uri;

use crate::call::Call;
use crate::house::House;
use crate::node::{self, Address};
use crate::proxy::hop;
use crate::settings::{Group, Member};

pub(crate) use probes::{Probes, Said};
pub(crate) use seats::Full;

use rate::Rate;
use seats::Seats;

/// An address, as its state is kept.
pub(crate) type Key = (Transport, SocketAddr);

/// One member of a group: numbers that stand for their names, so that what is known of it outlives a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) group: u64,
    pub(crate) member: u64,
}

/// What is known of all groups, on this shard.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Whose turn it is, by group.
    turns: BTreeMap<u64, usize>,
    /// Where members with names were found last.
    found: BTreeMap<Place, Vec<Key>>,
    seats: Seats,
    rates: BTreeMap<Place, Rate>,
}

/// What a member draws for who asks: by the call, or by the caller.
pub(crate) type Lot<'a> = dyn Fn(&Member) -> u64 + 'a;

impl Groups {
    /// The members in the order to try: as the group says, those that are alive before those that are not; without those that have no
    /// room for a call.
    pub(crate) fn order(
        &self,
        house: &House,
        (group, places): (&Group, &[Place]),
        (now, states): (Time, &States),
        (lot, dice): (&Lot<'_>, &mut Dice),
    ) -> Vec<Place> {
        let turn = places.first().and_then(|first| self.turns.get(&first.group));
        let members = order::members(group, turn.copied().unwrap_or(0), lot, dice).into_iter();
        let placed = members.filter_map(|at| Some((*places.get(at)?, group.members.get(at)?)));
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by_key(|(at, member)| (self.rank(house, *at, (now, states)), member.priority));
        let places = placed.into_iter().map(|(at, _)| at);
        places.filter(|at| self.has_room(house, *at, now)).collect()
    }

    /// Somebody was sent there: the next one begins with the next.
    pub(crate) fn turned(&mut self, group: u64) {
        let turn = self.turns.entry(group).or_default();
        *turn = turn.wrapping_add(1);
    }

    /// How a member stands: the best of its addresses.
    fn rank(&self, house: &House, at: Place, known: (Time, &States)) -> u8 {
        let to = member(house, at).map_or("", |member| &member.to);
        match addresses(house, to) {
            Some(keys) => rank(&keys, known),
            None => self.found.get(&at).map_or(0, |keys| rank(keys, known)),
        }
    }

    /// How all members stand, in the order of the settings.
    pub(crate) fn members(&self, house: &House, known: (Time, &States)) -> Vec<node::Member> {
        let all = house.settings.groups.iter().zip(house.places.all());
        all.flat_map(|(group, (_, places))| {
            group.members.iter().zip(places).map(move |(member, at)| {
                let at = *at;
                let keys = addresses(house, &member.to).or_else(|| self.found.get(&at).cloned());
                let (now, states) = known;
                let stands = |key: Key| Address {
                    transport: key.0,
                    address: key.1,
                    state: states.state(now, key),
                };
                node::Member {
                    group: group.name.clone(),
                    to: member.to.clone(),
                    addresses: keys.unwrap_or_default().into_iter().map(stands).collect(),
                    calls: usize::try_from(self.seats.taken(at)).unwrap_or(usize::MAX),
                }
            })
        })
        .collect()
    }

    /// The name of a member was looked up.
    pub(crate) fn found(&mut self, at: Place, keys: Vec<Key>) {
        self.found.insert(at, keys);
    }

    /// Is there room for one call more?
    fn has_room(&self, house: &House, at: Place, now: Time) -> bool {
        let Some(member) = member(house, at) else { return false };
        let calls = member.calls.is_none_or(|most| self.seats.taken(at) < share(most, house));
        let rate = self.rates.get(&at).is_none_or(|rate| rate.has_room(now));
        calls && rate
    }

    /// A call goes to a member; it leaves the one where it was tried before.
    pub(crate) fn take(
        &mut self,
        house: &House,
        at: Place,
        call: Call,
        now: Time,
    ) -> Result<(), Full> {
        let Some((group, member)) = house.member(at) else { return Err(Full) };
        self.seats.leave(call);
        if !self.has_room(house, at, now) {
            return Err(Full);
        }
        if let Some(most) = member.rate {
            let rate = self.rates.entry(at).or_insert_with(|| Rate::new(share(most, house)));
            rate.take(now);
        }
        if member.calls.is_some() {
            self.seats.take(at, call, now + group.longest_call);
        }
        Ok(())
    }

    /// A call was answered, or its session was renewed: it counts until it is hung up, until its session ends (RFC 4028), or for as long as the
    /// group says.
    pub(crate) fn answered(
        &mut self,
        house: &House,
        call: Call,
        now: Time,
        session: Option<std::time::Duration>,
    ) {
        let Some(at) = self.seats.of(call) else { return };
        let longest = house.member(at).map(|(group, _)| group.longest_call);
        if let Some(until) = session.into_iter().chain(longest).min() {
            self.seats.keep(call, now + until);
        }
    }

    /// True when no call has a seat.
    pub(crate) fn are_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// A call is over, or never came to be.
    pub(crate) fn hung_up(&mut self, call: Call) {
        self.seats.leave(call);
    }

    /// Forgets calls that have lasted too long.
    pub(crate) fn wake(&mut self, now: Time) {
        self.seats.wake(now);
    }

    /// When that will be.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.seats.deadline()
    }

    /// The settings have changed: what is known of members that are still there stays; of how fast calls may come, nothing.
    pub(crate) fn renewed(&mut self, house: &House) {
        self.rates.clear();
        let groups: BTreeSet<u64> =
            house.places.all().flat_map(|(_, places)| places).map(|at| at.group).collect();
        self.turns.retain(|group, _| groups.contains(group));
        self.found.retain(|at, _| house.places.find(&house.settings.groups, *at).is_some());
    }
}

/// The addresses in the URI of a next hop; `None`: it has a name.
fn addresses(house: &House, hop: &str) -> Option<Vec<Key>> {
    let Ok(Uri::Sip(uri)) = Uri::parse(hop.as_bytes()) else { return None };
    match hop::of(&uri, house) {
        Ok(hop::Hop::At(targets)) => Some(targets.iter().map(|target| target.key()).collect()),
        _ => None,
    }
}

/// The best of some addresses: alive, or to be tried again by somebody; failed; wanting to be left alone.
fn rank(keys: &[Key], (now, states): (Time, &States)) -> u8 {
    let rank = |key: &Key| match states.state(now, *key) {
        State::Alive | State::Due => 0,
        State::Suspect(_) | State::Probing(_) => 1,
        State::Excused(_) => 2,
    };
    keys.iter().map(rank).min().unwrap_or(0)
}

/// How a next hop without a group stands; one with a name is taken to be alive.
pub(crate) fn rank_of_hop(house: &House, hop: &str, known: (Time, &States)) -> u8 {
    addresses(house, hop).map_or(0, |keys| rank(&keys, known))
}

/// Does a member send a request on with this answer?
pub(crate) fn sends_on(house: &House, at: Option<Place>, status: u16) -> bool {
    let listed = |(group, _): (&Group, &Member)| group.failover.contains(&status);
    status == 503 || at.and_then(|at| house.member(at)).is_some_and(listed)
}

/// A member.
pub(crate) fn member(house: &House, at: Place) -> Option<&Member> {
    house.member(at).map(|(_, member)| member)
}

/// Our part of a limit: each shard has the same, but for a rest; and everybody has one, or some calls could never be made.
fn share(most: u32, house: &House) -> u32 {
    let shard = house.settings.shard;
    let count = u32::from(shard.count.max(1));
    let rest = most.checked_rem(count).unwrap_or(0);
    let part = most.checked_div(count).unwrap_or(0);
    part.saturating_add(u32::from(u32::from(shard.number) < rest)).max(1)
}
