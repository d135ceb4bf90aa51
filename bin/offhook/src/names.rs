//! `Names`: the resolver of `io/dns`, plugged into the driver of `io/net`.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use net::{Clock, Reply, Sink};
use protocol::doors::Event;
use protocol::locate::{Domain, Hop, Means};

use crate::config::Dns;
use crate::seed::throw;

/// Locates servers for all shards, on a thread of its own. Clones are the same.
#[derive(Clone)]
pub(crate) struct Names(Arc<Shared>);

struct Shared {
    resolver: RwLock<Arc<dns::Resolver>>,
    withdrawn: Arc<dyn Fn(&Domain) + Send + Sync>,
}

impl Names {
    /// Asks the servers of the config, or the system's. What looks like an attack is told to `sink`.
    pub(crate) fn start(config: &Dns, sink: &Arc<impl Sink + 'static>) -> io::Result<Self> {
        let clock = Clock::start();
        // Whoever listens knows that the server has ended when nobody can tell it anything any more: not we, who may outlive it.
        let sink = Arc::downgrade(sink);
        let withdrawn: Arc<dyn Fn(&Domain) + Send + Sync> = Arc::new(move |domain: &Domain| {
            let Some(sink) = sink.upgrade() else { return };
            sink.event(clock.now(), 0, Event::TlsWithdrawn { domain: domain.as_str().into() });
        });
        let resolver = RwLock::new(resolver(config, &withdrawn)?);
        Ok(Self(Arc::new(Shared { resolver, withdrawn })))
    }

    /// What its resolver has done so far.
    pub(crate) fn counts(&self) -> Arc<dns::Counts> {
        Arc::clone(self.resolver().counts())
    }

    /// A resolver for another config, to be [taken](Self::take) when all else is ready too.
    pub(crate) fn another(&self, config: &Dns) -> io::Result<Arc<dns::Resolver>> {
        resolver(config, &self.0.withdrawn)
    }

    /// Asks by this one from now on. The earlier one first ends its searches.
    pub(crate) fn take(&self, resolver: Arc<dns::Resolver>) {
        let mut now = self.0.resolver.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = std::mem::replace(&mut *now, resolver);
        // Without a thread to wait on, those who have asked hear that nobody knows.
        let _ = thread::Builder::new().name("dns-ends".into()).spawn(move || {
            thread::sleep(dns::limits::SEARCH);
            drop(earlier);
        });
    }

    fn resolver(&self) -> Arc<dns::Resolver> {
        Arc::clone(&self.0.resolver.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn resolver(
    config: &Dns,
    withdrawn: &Arc<dyn Fn(&Domain) + Send + Sync>,
) -> io::Result<Arc<dns::Resolver>> {
    let mut settings = dns::Settings::default();
    if let Some(servers) = &config.servers {
        settings.servers = dns::Servers::These(servers.clone());
    }
    let withdrawn = Arc::clone(withdrawn);
    settings.withdrawn = Box::new(move |domain| withdrawn(domain));
    dns::Resolver::start(settings, throw()?).map(Arc::new)
}

impl net::Resolver for Names {
    fn resolve(&self, hop: Hop, means: Means, reply: Reply) {
        self.resolver().locate(hop, means, |found| reply.give(found.into()));
    }

    fn services(&self, name: Domain, reply: Reply) {
        self.resolver().services(name, |found| reply.give(found.into()));
    }
}
