//! `Names`: the resolver of `io/dns`, plugged into the driver of `io/net`.

use std::io;
use std::sync::Arc;

use net::{Clock, Reply, Sink};
use protocol::doors::Event;
use protocol::locate::{Domain, Hop, Means};

use crate::config::Dns;
use crate::seed::throw;

/// Locates servers for all shards, on a thread of its own.
pub(crate) struct Names(dns::Resolver);

impl Names {
    /// Asks the servers of the config, or the system's. What looks like an attack is told to `sink`.
    pub(crate) fn start(config: &Dns, sink: Arc<impl Sink + 'static>) -> io::Result<Self> {
        let mut settings = dns::Settings::default();
        if let Some(servers) = &config.servers {
            settings.servers = dns::Servers::These(servers.clone());
        }
        let clock = Clock::start();
        settings.withdrawn = Box::new(move |domain| {
            sink.event(clock.now(), 0, Event::TlsWithdrawn { domain: domain.as_str().into() });
        });
        dns::Resolver::start(settings, throw()?).map(Self)
    }

    /// What it has done so far.
    pub(crate) const fn counts(&self) -> &Arc<dns::Counts> {
        self.0.counts()
    }
}

impl net::Resolver for Names {
    fn resolve(&self, hop: Hop, means: Means, reply: Reply) {
        self.0.locate(hop, means, |found| reply.give(found.into()));
    }

    fn services(&self, name: Domain, reply: Reply) {
        self.0.services(name, |found| reply.give(found.into()));
    }
}
