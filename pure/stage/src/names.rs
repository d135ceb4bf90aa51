//! `Names`: what the DNS knows, and how fast it is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use machine::Dice;
use protocol::Answer;
use protocol::locate::{
    Data, Domain, Found, Hop, Kind, Lookup, Means, Record, Search, Services, Step,
};

/// Records by name. Servers are located among them by the same rules as in production.
#[derive(Clone, Debug)]
pub struct Names {
    /// How long an answer takes.
    pub speed: Speed,
    table: BTreeMap<Lookup, Vec<Record>>,
    dice: Dice,
}

/// How long an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// This long.
    After(Duration),
    /// For ever: the resolver is dead, and so is the driver's patience.
    Never,
}

impl Default for Names {
    /// Nobody has a name, and that is said at once.
    fn default() -> Self {
        Self { speed: Speed::After(Duration::ZERO), table: BTreeMap::new(), dice: Dice::new(53) }
    }
}

impl Names {
    /// Gives a name its addresses.
    #[must_use]
    pub fn with(self, name: &str, addresses: &[IpAddr]) -> Self {
        addresses.iter().fold(self, |names, ip| {
            let data = match ip {
                IpAddr::V4(ip) => Data::A(*ip),
                IpAddr::V6(ip) => Data::Aaaa(*ip),
            };
            names.with_record(name, &data)
        })
    }

    /// Gives a name a record: an address, a server of a service, a service of a domain. What is no name gets none.
    #[must_use]
    pub fn with_record(mut self, name: &str, data: &Data) -> Self {
        let kinds: &[Kind] = match data {
            Data::A(_) => &[Kind::A],
            Data::Aaaa(_) => &[Kind::Aaaa],
            Data::Srv(_) => &[Kind::Srv],
            Data::Naptr(_) => &[Kind::Naptr],
            Data::Alias(_) => &[Kind::A, Kind::Aaaa, Kind::Srv, Kind::Naptr],
        };
        let Some(name) = Domain::of(name) else { return self };
        for kind in kinds {
            let record = Record { owner: name.clone(), data: data.clone() };
            let lookup = Lookup { name: name.clone(), kind: *kind };
            self.table.entry(lookup).or_default().push(record);
        }
        self
    }

    /// The same names, answered at another speed.
    #[must_use]
    pub fn at(self, speed: Speed) -> Self {
        Self { speed, ..self }
    }

    /// The records of a name; `None` without any.
    pub fn find(&self, lookup: &Lookup) -> Option<Found> {
        self.table.get(lookup).cloned().map(Found::Records)
    }

    /// The services of a name.
    pub fn services(&self, name: Domain) -> Answer {
        let mut search = Services::of(name);
        while let Step::Ask(lookups) = search.step() {
            for lookup in lookups {
                search.answer(&lookup, self.find(&lookup).unwrap_or(Found::Nothing));
            }
        }
        search.so_far().into()
    }

    /// Locates a next hop, with what somebody can send by.
    pub fn resolve(&mut self, hop: Hop, means: Means) -> Answer {
        let mut search = Search::new(hop, means);
        while let Step::Ask(lookups) = search.step() {
            for lookup in lookups {
                let found = self.find(&lookup).unwrap_or(Found::Nothing);
                search.answer(&lookup, found, &mut self.dice);
            }
        }
        search.so_far().into()
    }
}
