//! `Atlas`: who lives at which address, and which way there is.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use machine::{Dice, Time};

use crate::nat::Nat;
use crate::{Fate, Hairpin, HostId, Kind, NatRules, Parcel, Transport, limits};

/// One address space: the Internet, or the inside of a NAT. The same address may exist in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realm(u32);

impl Realm {
    /// The outermost one, which has no gateway.
    pub const INTERNET: Self = Self(0);
}

/// The number of a NAT in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NatId(u32);

/// Addresses, realms and the NATs between them.
#[derive(Debug, Default)]
pub(crate) struct Atlas {
    owners: BTreeMap<(Realm, IpAddr), Owner>,
    gates: Vec<Gate>,
}

#[derive(Clone, Copy, Debug)]
enum Owner {
    Host(HostId),
    Nat(NatId),
}

/// A NAT and the two realms that it joins. Each realm but the Internet is the inside of exactly one.
#[derive(Debug)]
struct Gate {
    nat: Nat,
    inside: Realm,
    outside: Realm,
}

/// A parcel that has climbed as far as it must and now waits at the edge of a realm.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) realm: Realm,
    pub(crate) parcel: Parcel,
    /// The external endpoints that it took in the NATs on its way out.
    pub(crate) mapped: Vec<(NatId, SocketAddr)>,
}

/// A parcel that has come down to a host.
#[derive(Clone, Debug)]
pub(crate) struct Landed {
    pub(crate) host: HostId,
    pub(crate) parcel: Parcel,
    /// The external endpoints by which it passed the NATs on its way in.
    pub(crate) mapped: Vec<(NatId, SocketAddr)>,
}

impl Atlas {
    /// Gives an address to a host. The first to take it has it. A dual-stack host behind an IPv4 NAT has its IPv4
    /// address in the inside and its IPv6 address in the outside.
    pub(crate) fn settle(&mut self, realm: Realm, ip: IpAddr, host: HostId) {
        self.owners.entry((realm, ip)).or_insert(Owner::Host(host));
    }

    /// Takes an address from a host.
    pub(crate) fn unsettle(&mut self, realm: Realm, ip: IpAddr, host: HostId) {
        if self.is_home(realm, ip, host) {
            self.owners.remove(&(realm, ip));
        }
    }

    pub(crate) fn is_home(&self, realm: Realm, ip: IpAddr, host: HostId) -> bool {
        matches!(self.owners.get(&(realm, ip)), Some(Owner::Host(owner)) if *owner == host)
    }

    /// Builds a NAT with these addresses outside; its inside is a new realm.
    pub(crate) fn build(
        &mut self,
        outside: Realm,
        external: &[IpAddr],
        rules: NatRules,
        dice: Dice,
    ) -> (NatId, Realm) {
        let number = u32::try_from(self.gates.len()).unwrap_or(u32::MAX - 1);
        let (id, inside) = (NatId(number), Realm(number + 1));
        for ip in external {
            self.owners.entry((outside, *ip)).or_insert(Owner::Nat(id));
        }
        self.gates.push(Gate { nat: Nat::new(rules, external.to_vec(), dice), inside, outside });
        (id, inside)
    }

    pub(crate) fn nat(&self, id: NatId) -> Option<&Nat> {
        self.gates.get(id.0 as usize).map(|gate| &gate.nat)
    }

    pub(crate) fn nat_mut(&mut self, id: NatId) -> Option<&mut Nat> {
        self.gates.get_mut(id.0 as usize).map(|gate| &mut gate.nat)
    }

    /// Takes a parcel from the realm of its sender outward, through NATs, to the realm where its address lives.
    pub(crate) fn climb(
        &mut self,
        now: Time,
        realm: Realm,
        parcel: Parcel,
    ) -> Result<Placed, Fate> {
        let mut placed = Placed { realm, parcel, mapped: Vec::new() };
        for _ in 0..limits::HOPS {
            let to = placed.parcel.to;
            if self.owners.contains_key(&(placed.realm, to.ip())) {
                return Ok(placed);
            }
            let Some((id, gate)) = self.gateway(placed.realm) else { return Err(Fate::NoRoute) };
            let transport = placed.parcel.transport();
            let external = gate.nat.outbound(now, transport, placed.parcel.from, to)?;
            placed.mapped.push((id, external));
            if gate.nat.owns(to.ip()) {
                return turn_around(now, gate, placed, external);
            }
            placed.parcel.from = external;
            placed.realm = gate.outside;
        }
        Err(Fate::NoRoute)
    }

    /// Takes a parcel that has arrived where its address lives inward, through NATs, to a host.
    pub(crate) fn descend(&mut self, now: Time, placed: &Placed) -> Result<Landed, Fate> {
        let (mut realm, mut parcel) = (placed.realm, placed.parcel.clone());
        let mut mapped = Vec::new();
        for _ in 0..limits::HOPS {
            let id = match self.owners.get(&(realm, parcel.to.ip())) {
                Some(Owner::Host(host)) => return Ok(Landed { host: *host, parcel, mapped }),
                Some(Owner::Nat(id)) => *id,
                None => return Err(Fate::NoRoute),
            };
            let gate = self.gates.get_mut(id.0 as usize).ok_or(Fate::NoRoute)?;
            let transport = parcel.transport();
            mapped.push((id, parcel.to));
            parcel.to = match parcel.kind {
                Kind::Unreachable(_) => {
                    gate.nat.peek(now, transport, parcel.to).ok_or(Fate::Unmapped)?
                }
                _ => gate.nat.inbound(now, transport, parcel.from, parcel.to)?,
            };
            realm = gate.inside;
        }
        Err(Fate::NoRoute)
    }

    /// Who would get it if no filter minded: the weather depends on it.
    pub(crate) fn peek(&self, now: Time, placed: &Placed) -> Option<HostId> {
        let (mut realm, mut to) = (placed.realm, placed.parcel.to);
        for _ in 0..limits::HOPS {
            match self.owners.get(&(realm, to.ip()))? {
                Owner::Host(host) => return Some(*host),
                Owner::Nat(id) => {
                    let gate = self.gates.get(id.0 as usize)?;
                    to = gate.nat.peek(now, placed.parcel.transport(), to)?;
                    realm = gate.inside;
                }
            }
        }
        None
    }

    fn gateway(&mut self, realm: Realm) -> Option<(NatId, &mut Gate)> {
        let number = realm.0.checked_sub(1)?;
        self.gates.get_mut(number as usize).map(|gate| (NatId(number), gate))
    }
}

/// Hairpinning (RFC 4787 §6): from inside to an external endpoint of the same NAT.
fn turn_around(
    now: Time,
    gate: &mut Gate,
    mut placed: Placed,
    external: SocketAddr,
) -> Result<Placed, Fate> {
    let transport = placed.parcel.transport();
    let to = placed.parcel.to;
    let internal = match gate.nat.hairpin() {
        Hairpin::Unsupported => return Err(Fate::NoHairpin),
        _ => gate.nat.inbound(now, transport, external, to)?,
    };
    if gate.nat.hairpin() == Hairpin::ExternalSource {
        placed.parcel.from = external;
    }
    placed.parcel.to = internal;
    Ok(placed)
}

impl Parcel {
    pub(crate) const fn transport(&self) -> Transport {
        match self.kind {
            Kind::Datagram(_) | Kind::Unreachable(_) => Transport::Udp,
            Kind::Stream(..) => Transport::Tcp,
        }
    }
}
