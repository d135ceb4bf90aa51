//! `Search`: from a next hop to the addresses to try, by asking the DNS (RFC 3263 §4, §5).
//!
//! The rules are one pure function of what is known so far: it either yields all targets or names what is missing. So there are
//! no states to be in, answers may come in any order, and at any moment there is a best answer so far.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use machine::Dice;

use super::alias::{Chased, chase};
use super::lookup::Data;
use super::{
    Domain, Found, Hop, Kind, Lookup, Means, Naptr, Offer, Place, Srv, Target, Unlocated,
    addresses, means, naptr, srv,
};
use crate::limits;
use crate::transport::Transport;

/// One search, from its hop to its targets.
#[derive(Clone, Debug)]
pub struct Search {
    hop: Hop,
    means: Means,
    known: BTreeMap<Lookup, Known>,
    asked: BTreeSet<Lookup>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T = Target> {
    /// Ask these, at once and in any order.
    Ask(Vec<Lookup>),
    /// Wait for what was asked.
    Wait,
    /// All is known: where to go, in the order to try, never empty; or why nowhere.
    Done(Result<Vec<T>, Unlocated>),
}

/// What the DNS said about a question.
#[derive(Clone, Debug)]
enum Known {
    Services(Vec<Naptr>),
    Servers(Vec<Srv>),
    Addresses(Vec<IpAddr>),
    Alias(Domain),
    Nothing,
    Failed,
}

impl Search {
    /// Begins to look for a hop, with what this side can send by.
    pub const fn new(hop: Hop, means: Means) -> Self {
        Self { hop, means, known: BTreeMap::new(), asked: BTreeSet::new() }
    }

    /// What is to be done next. Each question is asked once.
    pub fn step(&mut self) -> Step {
        loop {
            let draft = Draft::of(self);
            if draft.missing.is_empty() {
                return Step::Done(draft.done());
            }
            let fresh = draft.missing.into_iter().filter(|lookup| !self.asked.contains(lookup));
            let mut ask: Vec<Lookup> = fresh.collect();
            if ask.is_empty() {
                return Step::Wait;
            }
            let room = limits::LOOKUPS.saturating_sub(self.asked.len());
            let too_many = ask.split_off(room.min(ask.len()));
            self.known.extend(too_many.into_iter().map(|lookup| (lookup, Known::Failed)));
            if !ask.is_empty() {
                self.asked.extend(ask.iter().cloned());
                return Step::Ask(ask);
            }
        }
    }

    /// Takes the answer to a question. What was not asked, or is answered already, changes nothing. The dice choose among servers
    /// by their weights.
    pub fn answer(&mut self, lookup: &Lookup, found: Found, dice: &mut Dice) {
        if !self.asked.contains(lookup) || self.known.contains_key(lookup) {
            return;
        }
        let known = match found {
            Found::Failed => Known::Failed,
            Found::Nothing => Known::Nothing,
            Found::Records(records) => match chase(lookup, records) {
                Chased::Nothing => Known::Nothing,
                Chased::Elsewhere(name) => Known::Alias(name),
                Chased::Here(data) => Known::of(lookup.kind, data, dice),
            },
        };
        self.known.insert(lookup.clone(), known);
    }

    /// The best that can be said now, when nobody wants to wait longer: what is missing counts as not answered.
    ///
    /// # Errors
    /// When nothing is known yet that could be tried.
    pub fn so_far(&self) -> Result<Vec<Target>, Unlocated> {
        let mut draft = Draft::of(self);
        if !draft.missing.is_empty() {
            draft.note(Unlocated::NoAnswer);
        }
        draft.done()
    }

    /// True when the first of the targets [so far](Self::so_far) stays the first, whatever else is answered.
    pub fn knows_the_first(&self) -> bool {
        let draft = Draft::of(self);
        draft.first == First::Known && !draft.targets.is_empty()
    }

    /// What is known, through aliases; or what would have to be asked for that.
    fn follow(&self, mut lookup: Lookup) -> Result<&Known, Lookup> {
        for _ in 0..limits::DNS_ALIASES {
            match self.known.get(&lookup) {
                None => return Err(lookup),
                Some(Known::Alias(alias)) => lookup.name = alias.clone(),
                Some(known) => return Ok(known),
            }
        }
        Ok(&Known::Nothing)
    }

    /// Whether the domain said that it can be contacted by TLS, for [`Secured`](super::Secured); `None` when it was not asked, or
    /// did not answer.
    pub fn offer(&self) -> Option<(&Domain, Offer)> {
        let Place::Name(name) = &self.hop.place else { return None };
        let known = self.known.get(&Lookup { name: name.clone(), kind: Kind::Naptr })?;
        let offer = match known {
            Known::Services(services) if naptr::offers_tls(services) => Offer::Tls,
            Known::Services(_) | Known::Nothing => Offer::NoTls,
            _ => return None,
        };
        Some((name, offer))
    }
}

impl Known {
    fn of(kind: Kind, data: Vec<Data>, dice: &mut Dice) -> Self {
        let data = data.into_iter();
        let addresses = |found: &mut dyn Iterator<Item = IpAddr>| Self::Addresses(found.collect());
        match kind {
            Kind::A => addresses(&mut data.filter_map(|data| match data {
                Data::A(ip) => Some(ip.into()),
                _ => None,
            })),
            Kind::Aaaa => addresses(&mut data.filter_map(|data| match data {
                Data::Aaaa(ip) => Some(ip.into()),
                _ => None,
            })),
            Kind::Srv => {
                let servers = data.filter_map(|data| match data {
                    Data::Srv(server) => Some(server),
                    _ => None,
                });
                Self::Servers(srv::order(servers.collect(), dice))
            }
            Kind::Naptr => Self::Services(
                data.filter_map(|data| match data {
                    Data::Naptr(service) => Some(service),
                    _ => None,
                })
                .collect(),
            ),
        }
    }
}

/// The answer as far as it can be written down, and what is missing for the rest.
struct Draft<'a> {
    search: &'a Search,
    targets: Vec<Target>,
    missing: BTreeSet<Lookup>,
    why: Unlocated,
    first: First,
}

/// Whether something is missing that could come before the first target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Known,
    Open,
}

/// What a domain says about one of its services.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    /// Not known yet.
    Asked,
    /// These servers offer it.
    Offered,
    /// "Decidedly not available" (RFC 2782).
    Denied,
    /// Nothing.
    Silent,
}

impl<'a> Draft<'a> {
    fn of(search: &'a Search) -> Self {
        let (targets, missing) = (Vec::new(), BTreeSet::new());
        let mut draft =
            Self { search, targets, missing, why: Unlocated::NoName, first: First::Known };
        if let Err(why) = draft.locate() {
            draft.why = why;
        }
        draft
    }

    fn done(self) -> Result<Vec<Target>, Unlocated> {
        if self.targets.is_empty() { Err(self.why) } else { Ok(self.targets) }
    }

    /// §4.1 and §4.2, for requests; §5 is the same with the transport and perhaps the port of a Via.
    fn locate(&mut self) -> Result<(), Unlocated> {
        let Search { hop, means, .. } = self.search;
        let chosen = means.choose(hop.transport, hop.scheme);
        let name = match &hop.place {
            Place::Number(ip) => {
                self.targets.push(hop.number(*ip, means)?);
                return Ok(());
            }
            Place::Name(name) => name,
        };
        self.why = Unlocated::Unknown;
        if let Some(port) = hop.port {
            self.host(name, port, chosen?);
            return Ok(());
        }
        if hop.transport.is_some() {
            let transport = chosen?;
            let service = means::service(transport, name).ok_or(Unlocated::NoName)?;
            self.services(name, vec![(transport, service)]);
            return Ok(());
        }
        let services = match self.get(name, Kind::Naptr) {
            None => return Ok(()),
            Some(Known::Services(records)) => naptr::services(records, hop.scheme, means),
            Some(_) => Vec::new(),
        };
        if !services.is_empty() {
            self.services(name, services);
            return Ok(());
        }
        let services = means.services(hop.scheme, name);
        if services.is_empty() {
            let transport = chosen?;
            self.host(name, transport.default_port(), transport);
        } else {
            self.services(name, services);
        }
        Ok(())
    }

    /// The servers of these services in this order; without any, the addresses of the domain itself.
    fn services(&mut self, name: &Domain, services: Vec<(Transport, Domain)>) {
        let mut silent = None;
        let mut known = Vec::new();
        for (transport, service) in services {
            let said = self.servers(&service, transport);
            if said == Service::Silent {
                silent = silent.or(Some(transport));
            }
            known.push(said);
        }
        if known.iter().any(|said| matches!(said, Service::Asked | Service::Offered)) {
            return;
        }
        match silent {
            Some(transport) => self.host(name, transport.default_port(), transport),
            None => self.note(Unlocated::NotOffered),
        }
    }

    fn servers(&mut self, service: &Domain, transport: Transport) -> Service {
        let servers = match self.get(service, Kind::Srv) {
            None => return Service::Asked,
            Some(Known::Servers(servers)) => servers,
            Some(_) => return Service::Silent,
        };
        if matches!(servers.as_slice(), [Srv { target: None, .. }]) {
            return Service::Denied;
        }
        for server in servers.iter().filter(|server| server.port != 0) {
            if let Some(host) = &server.target {
                self.host(host, server.port, transport);
            }
        }
        Service::Offered
    }

    /// The addresses of a host, of all families that we have. Those of two hosts are never interleaved (RFC 7984 §4).
    fn host(&mut self, host: &Domain, port: u16, transport: Transport) {
        let families = self.search.means.families;
        let mut found = Vec::new();
        for kind in [Kind::Aaaa, Kind::A] {
            let wanted = if kind == Kind::A { families.v4() } else { families.v6() };
            if wanted && let Some(Known::Addresses(addresses)) = self.get(host, kind) {
                found.extend_from_slice(addresses);
            }
        }
        let any = !found.is_empty();
        let usable = addresses::usable(found.into_iter(), families);
        if any && usable.is_empty() {
            self.note(Unlocated::Unusable);
        }
        for ip in usable {
            self.add(ip, port, transport);
        }
    }

    fn add(&mut self, ip: IpAddr, port: u16, transport: Transport) {
        let domain = self.search.hop.domain.clone();
        let target = Target { transport, address: SocketAddr::new(ip, port), domain };
        let usable = self.search.means.families.has(ip) && port != 0;
        if usable && self.targets.len() < limits::TARGETS && !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }

    /// What is known; `None` when it has to be asked first.
    fn get(&mut self, name: &Domain, kind: Kind) -> Option<&'a Known> {
        match self.search.follow(Lookup { name: name.clone(), kind }) {
            Err(missing) => {
                self.missing.insert(missing);
                if self.targets.is_empty() {
                    self.first = First::Open;
                }
                None
            }
            Ok(known) => {
                if matches!(known, Known::Failed) {
                    self.note(Unlocated::NoAnswer);
                }
                Some(known)
            }
        }
    }

    /// Of several reasons the one that says most: what can pass by itself says more than what cannot.
    fn note(&mut self, why: Unlocated) {
        self.why = self.why.max(why);
    }
}
