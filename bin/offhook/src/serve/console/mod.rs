//! The console of `io/console`, plugged in: how it reaches the shards, what it says of the server, and where its events come from.

mod knocks;
mod measure;
mod process;
mod reporter;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use console::{
    Bound, Command, Console, Draining, Exposition, Guests, House, Hub, Kind, Listening, Settings,
    Status, TellReloaded,
};
use machine::Time;
use net::{Handle, Losses};
use server::{Node, Steering};

pub(super) use knocks::Knocks;
pub(super) use reporter::{Reporter, report};

use super::drain::Drain;
use super::steward::Steward;
use crate::config::Config;
use crate::ink;
use crate::log::Log;
use crate::records;

/// What the console is told of the server.
pub(super) struct Plug {
    pub(super) server: Handle<Node>,
    pub(super) drain: Drain,
    pub(super) steward: Arc<Steward>,
    /// What the store has counted; nothing, when nothing is kept.
    pub(super) store: Option<Arc<store::Counts>>,
    pub(super) records: records::Counts,
    /// Events that found no room in the log.
    pub(super) losses: Losses,
    pub(super) knocks: Knocks,
    pub(super) started: Time,
    pub(super) console: Option<SocketAddr>,
}

/// Takes the console's sockets. A server that was started without a config serves without it, when its port is taken.
pub(super) fn bind(config: &Config, asked_for: Asked, log: Log) -> Result<Option<Bound>, String> {
    if config.listen.console.is_none() && config.listen.console_socket.is_none() {
        return Ok(None);
    }
    let settings = Settings {
        address: config.listen.console,
        socket: config.listen.console_socket.clone(),
        mode: config.console.socket_mode,
        guests: guests(config),
    };
    match (Bound::bind(settings), asked_for) {
        (Ok(bound), _) => Ok(Some(bound)),
        (Err(error), Asked::ByConfig) => Err(error.to_string()),
        (Err(error), Asked::ByNobody) => {
            log.warning("no_console", &[("what", (&error.to_string()).into())]);
            Ok(None)
        }
    }
}

/// Whom a config lets in by TCP.
pub(super) fn guests(config: &Config) -> Guests {
    let hosts = config.domains.iter().chain(&config.console.hosts);
    Guests {
        token: config.console.token.as_ref().map(|token| token.reveal().into()),
        hosts: hosts.map(|host| host.as_str().into()).collect(),
    }
}

/// Who wants a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The config says so.
    ByConfig,
    /// There is no config.
    ByNobody,
}

/// Serves, and says where.
pub(super) fn start(bound: Bound, plug: Plug, hub: Hub, log: Log) -> std::io::Result<Console> {
    let address = plug.console.map(|address| address.to_string());
    let console = bound.start(Arc::new(plug), hub)?;
    if let Some(address) = address {
        let fields = [("transport", "console".into()), ("address", (&address).into())];
        log.info("listening", &fields);
    }
    Ok(console)
}

impl House for Plug {
    fn shards(&self) -> u16 {
        self.server.shards()
    }

    fn home_of_call(&self, call_id: &[u8]) -> u16 {
        Steering::new(self.steward.fixed.secret, self.shards()).home_of_call(call_id)
    }

    fn tell(&self, shard: u16, command: Command) -> bool {
        self.server.tell(shard, command).is_ok()
    }

    fn status(&self) -> Status {
        let listeners = self.server.listeners();
        let listeners = listeners.iter().map(|listener| Listening {
            transport: listener.transport.token().to_ascii_lowercase(),
            address: listener.bound,
        });
        let console =
            self.console.map(|address| Listening { transport: "console".into(), address });
        Status {
            version: env!("CARGO_PKG_VERSION"),
            now: self.server.now(),
            started: self.started,
            generation: self.steward.generation().into(),
            listeners: listeners.chain(console).collect(),
            draining: self.drain.has_begun(),
            troubles: self.troubles(),
        }
    }

    fn reload(&self, tell: TellReloaded) {
        self.steward.reload_soon(Some(tell));
    }

    fn refused(&self, source: IpAddr, code: &'static str) {
        self.knocks.note(source, code);
    }

    fn drain(&self) -> Draining {
        Draining { seconds: self.drain.begin().as_secs() }
    }

    fn measure(&self, page: &mut Exposition) {
        measure::driver(page, self.server.counters());
        measure::dns(page, &self.steward.dns());
        measure::store(page, self.store.as_deref());
        measure::records(page, &self.records);
        let lost = self.losses.get().saturating_add(ink::lost());
        let help = "Lines of the log that are in no log: whoever reads it was too slow, or its disk was full.";
        page.single(Kind::Counter, "offhook_log_lines_lost_total", help, lost);
        let help = "Requests to the console that were not let in: without the token, or by a strange name.";
        page.single(Kind::Counter, "offhook_console_refused_total", help, self.knocks.count());
        process::measure(page, self.started);
    }
}

impl Plug {
    fn troubles(&self) -> Vec<String> {
        let store = self.store.as_ref();
        let refuses = store.is_some_and(|store| store.refusing.get() > 0);
        let store = refuses.then(|| {
            "the disk takes no records: phones that register are told to come back later".into()
        });
        let records = self.records.refused().then(|| {
            "a file takes no call records: they are lost until it does (`records_refused` in the log says why)".into()
        });
        store.into_iter().chain(records).collect()
    }
}
