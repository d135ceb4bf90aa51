//! `Nat`: a network address and port translator (RFC 4787 for datagrams, RFC 5382 for streams).

mod rules;
#[cfg(test)]
mod tests;

pub use rules::{Dependence, Hairpin, NatRules, Pooling, Ports, Refresh};

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use machine::{Dice, Time};

use crate::{Fate, Transport, limits};

/// A translator between an inside and an outside, with the addresses that it owns outside.
#[derive(Debug)]
pub(crate) struct Nat {
    rules: NatRules,
    external: Vec<IpAddr>,
    mappings: BTreeMap<Key, Mapping>,
    /// Every external endpoint that is taken, so that no two mappings collide (REQ-3).
    taken: BTreeMap<(Transport, SocketAddr), Key>,
    /// The external address of each internal one (REQ-2, "paired").
    pairs: BTreeMap<IpAddr, IpAddr>,
    dice: Dice,
}

/// What makes a mapping the same mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    transport: Transport,
    internal: SocketAddr,
    toward: Scope,
}

/// As much of a remote endpoint as mapping or filtering depends on (RFC 4787 §4.1, §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Anywhere,
    Address(IpAddr),
    Endpoint(SocketAddr),
}

#[derive(Debug)]
struct Mapping {
    external: SocketAddr,
    until: Time,
    /// Whom the inside has sent to, and when last: the filter lets them in for as long as the mapping would live.
    contacts: BTreeMap<SocketAddr, Time>,
}

impl Nat {
    pub(crate) fn new(rules: NatRules, external: Vec<IpAddr>, dice: Dice) -> Self {
        let (mappings, taken, pairs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { rules, external, mappings, taken, pairs, dice }
    }

    /// True when the address is one of its own outside.
    pub(crate) fn owns(&self, ip: IpAddr) -> bool {
        self.external.contains(&ip)
    }

    pub(crate) const fn hairpin(&self) -> Hairpin {
        self.rules.hairpin
    }

    /// A parcel goes out: the external endpoint that it comes from now.
    pub(crate) fn outbound(
        &mut self,
        now: Time,
        transport: Transport,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Result<SocketAddr, Fate> {
        let key = Key { transport, internal: from, toward: scope(self.rules.mapping, to) };
        let until = now + self.lifetime(transport);
        if self.mappings.get(&key).is_none_or(|mapping| mapping.until <= now) {
            self.remove(key);
            self.map(now, key, from)?;
        }
        let mapping = self.mappings.get_mut(&key).ok_or(Fate::Exhausted)?;
        mapping.until = until;
        mapping.contact(now, to);
        Ok(mapping.external)
    }

    /// A parcel comes in: the internal endpoint that it goes to now.
    pub(crate) fn inbound(
        &mut self,
        now: Time,
        transport: Transport,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Result<SocketAddr, Fate> {
        let internal = self.peek(now, transport, to).ok_or(Fate::Unmapped)?;
        let lifetime = self.lifetime(transport);
        let (filtering, refresh) = (self.rules.filtering, self.rules.refresh);
        let key = self.taken.get(&(transport, to)).copied().ok_or(Fate::Unmapped)?;
        let mapping = self.mappings.get_mut(&key).ok_or(Fate::Unmapped)?;
        let allowed = scope(filtering, from);
        let let_in = |(contact, last): (&SocketAddr, &Time)| {
            scope(filtering, *contact) == allowed && *last + lifetime > now
        };
        if allowed != Scope::Anywhere && !mapping.contacts.iter().any(let_in) {
            return Err(Fate::Filtered);
        }
        if refresh == Refresh::Both {
            mapping.until = now + lifetime;
            mapping.refresh(now, from);
        }
        Ok(internal)
    }

    /// Where a parcel to this external endpoint would go, if the filter let it in. ICMP errors go there
    /// unfiltered, and change nothing (REQ-12).
    pub(crate) fn peek(
        &self,
        now: Time,
        transport: Transport,
        external: SocketAddr,
    ) -> Option<SocketAddr> {
        let key = self.taken.get(&(transport, external))?;
        let mapping = self.mappings.get(key)?;
        (mapping.until > now).then_some(key.internal)
    }

    /// A stream that crosses it moves: keeps its mapping alive. False when there is none any more.
    pub(crate) fn keep(&mut self, now: Time, external: SocketAddr) -> bool {
        let until = now + self.lifetime(Transport::Tcp);
        let Some(key) = self.taken.get(&(Transport::Tcp, external)) else { return false };
        let Some(mapping) = self.mappings.get_mut(key).filter(|mapping| mapping.until > now) else {
            return false;
        };
        mapping.until = until;
        true
    }

    /// It restarts: all mappings are gone.
    pub(crate) fn forget(&mut self) {
        self.mappings.clear();
        self.taken.clear();
        self.pairs.clear();
    }

    /// How many mappings are alive.
    pub(crate) fn alive(&self, now: Time) -> usize {
        self.mappings.values().filter(|mapping| mapping.until > now).count()
    }

    const fn lifetime(&self, transport: Transport) -> std::time::Duration {
        match transport {
            Transport::Udp => self.rules.udp_timeout,
            Transport::Tcp => self.rules.tcp_timeout,
        }
    }

    fn map(&mut self, now: Time, key: Key, from: SocketAddr) -> Result<(), Fate> {
        if self.mappings.len() >= self.rules.table {
            self.sweep(now);
        }
        if self.mappings.len() >= self.rules.table.min(limits::MAPPINGS) {
            return Err(Fate::Exhausted);
        }
        let ip = self.address_for(from.ip()).ok_or(Fate::NoRoute)?;
        let external =
            self.free_port(now, key.transport, ip, from.port()).ok_or(Fate::Exhausted)?;
        self.taken.insert((key.transport, external), key);
        let mapping = Mapping { external, until: now, contacts: BTreeMap::new() };
        self.mappings.insert(key, mapping);
        Ok(())
    }

    /// REQ-2: "paired" gives one internal address always the same external one.
    fn address_for(&mut self, internal: IpAddr) -> Option<IpAddr> {
        let family: Vec<IpAddr> =
            self.external.iter().copied().filter(|ip| ip.is_ipv4() == internal.is_ipv4()).collect();
        if let (Pooling::Paired, Some(ip)) = (self.rules.pooling, self.pairs.get(&internal)) {
            return Some(*ip);
        }
        let thrown = self.dice.below(family.len() as u64);
        let ip = family.get(usize::try_from(thrown).ok()?).copied()?;
        self.pairs.insert(internal, ip);
        Some(ip)
    }

    /// A port that is free at `ip`, by the rules of RFC 4787 §4.2.
    fn free_port(
        &mut self,
        now: Time,
        transport: Transport,
        ip: IpAddr,
        wanted: u16,
    ) -> Option<SocketAddr> {
        let (low, high) = rules::port_range(self.rules.ports, wanted);
        let step = if self.rules.ports == Ports::Any { 1 } else { 2 };
        let slots = u64::from(high - low) / step + 1;
        let first = match self.rules.ports {
            Ports::Preserve => u64::from(wanted.saturating_sub(low)) / step,
            Ports::Parity | Ports::Any => self.dice.below(slots),
        };
        let ports = (0..slots).map(|slot| u64::from(low) + (first + slot) % slots * step);
        let mut sockets =
            ports.filter_map(|port| Some(SocketAddr::new(ip, u16::try_from(port).ok()?)));
        let free = sockets.find(|at| self.peek(now, transport, *at).is_none())?;
        if let Some(stale) = self.taken.get(&(transport, free)).copied() {
            self.remove(stale);
        }
        Some(free)
    }

    fn remove(&mut self, key: Key) {
        if let Some(mapping) = self.mappings.remove(&key) {
            self.taken.remove(&(key.transport, mapping.external));
        }
    }

    fn sweep(&mut self, now: Time) {
        let dead = self.mappings.iter().filter(|(_, mapping)| mapping.until <= now);
        for key in dead.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.remove(key);
        }
    }
}

impl Mapping {
    fn contact(&mut self, now: Time, to: SocketAddr) {
        if self.contacts.len() >= limits::CONTACTS && !self.contacts.contains_key(&to) {
            let oldest = self.contacts.iter().min_by_key(|(_, last)| **last).map(|(at, _)| *at);
            oldest.and_then(|at| self.contacts.remove(&at));
        }
        self.contacts.insert(to, now);
    }

    fn refresh(&mut self, now: Time, from: SocketAddr) {
        for (contact, last) in &mut self.contacts {
            if contact.ip() == from.ip() {
                *last = now;
            }
        }
    }
}

const fn scope(dependence: Dependence, remote: SocketAddr) -> Scope {
    match dependence {
        Dependence::EndpointIndependent => Scope::Anywhere,
        Dependence::AddressDependent => Scope::Address(remote.ip()),
        Dependence::AddressAndPortDependent => Scope::Endpoint(remote),
    }
}
