//! `Names`: what a resolver knows, and how fast it is.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use protocol::{Answer, Transport};

/// Names and their addresses, in the order to try.
#[derive(Clone, Debug)]
pub struct Names {
    /// How long an answer takes.
    pub speed: Speed,
    table: BTreeMap<Box<str>, Vec<IpAddr>>,
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
        Self { speed: Speed::After(Duration::ZERO), table: BTreeMap::new() }
    }
}

impl Names {
    /// Gives a name its addresses.
    #[must_use]
    pub fn with(mut self, name: &str, addresses: &[IpAddr]) -> Self {
        self.table.insert(name.to_ascii_lowercase().into(), addresses.to_vec());
        self
    }

    /// The same names, answered at another speed.
    #[must_use]
    pub fn at(self, speed: Speed) -> Self {
        Self { speed, ..self }
    }

    pub(crate) fn resolve(&self, host: &str, port: u16, transport: Transport) -> Answer {
        let known = self.table.get(host.to_ascii_lowercase().as_str());
        let addresses = known.into_iter().flatten();
        Answer::Targets(addresses.map(|ip| (transport, SocketAddr::new(*ip, port))).collect())
    }
}
