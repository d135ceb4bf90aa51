//! `Steward`: what the server runs by, and how that changes while it runs: all of it or nothing, and never for long.
//!
//! A file is read and judged first, by the same code as `offhook check`; certificates are read, sockets bound, settings made ready (every
//! password hashed) beside the shards. Only then they are told, each within one turn.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::console::Gate;
use machine::Dice;
use net::{BindError, Handle, Prepared};
use server::settings::Shard;
use server::{House, Node};

use super::asked::Asked;
use super::console;
use super::drain::Drain;
use super::house::{self, Fixed};
use super::supervisor::Supervisor;
use super::waker::{self, Waker};
use crate::check;
use crate::config::{Again, Config, Mistakes};
use crate::log::Log;
use crate::names::Names;
use crate::records::Pen;
use crate::seed::throw;

/// Which config the server runs by: 1 is that of the start, and each reload makes one more.
pub(crate) type Generation = u32;

/// Changes what the server runs by.
pub(crate) struct Steward {
    pub(super) log: Log,
    /// Where the config was read; nowhere, when the server was started without one.
    pub(super) file: Option<PathBuf>,
    pub(super) server: Handle<Node>,
    pub(super) fixed: Fixed,
    pub(super) names: Names,
    pub(super) waker: Waker,
    pen: Pen,
    drain: Drain,
    /// Nothing, when there is no console.
    gate: Option<Gate>,
    now: Mutex<Now>,
    pub(super) asked: Asked,
    /// Beside the lock, so that nobody who only wants to know it waits for a reload.
    generation: AtomicU32,
}

/// What it runs by now.
struct Now {
    config: Config,
    /// Ends the watch over its certificates when it is dropped.
    _watching: Option<Sender<()>>,
}

/// What the steward is made of that others start.
pub(super) struct Staff {
    pub(super) server: Handle<Node>,
    pub(super) fixed: Fixed,
    pub(super) names: Names,
    pub(super) waker: Waker,
}

/// What has been got ready beside the shards.
struct Ready {
    prepared: Prepared,
    houses: Vec<House>,
    watching: Option<Sender<()>>,
    resolver: Option<Arc<dns::Resolver>>,
    hook: Option<Option<hook::Hook>>,
}

impl Steward {
    pub(super) fn new(
        (config, file, log): (Config, Option<PathBuf>, Log),
        staff: Staff,
        (watching, pen, drain, gate): (Option<Sender<()>>, Pen, Drain, Option<Gate>),
    ) -> Self {
        let Staff { server, fixed, names, waker } = staff;
        let now = Mutex::new(Now { config, _watching: watching });
        let generation = AtomicU32::new(1);
        let asked = Asked::default();
        Self { log, file, server, fixed, names, waker, pen, drain, gate, now, asked, generation }
    }

    /// Which config the server runs by.
    pub(super) fn generation(&self) -> Generation {
        self.generation.load(Ordering::Acquire)
    }

    /// What there is to say of the server in a line.
    pub(super) fn status(&self) -> String {
        format!("config {}, {} listeners", self.generation(), self.server.listeners().len())
    }

    /// What its resolver has done so far.
    pub(super) fn dns(&self) -> Arc<dns::Counts> {
        self.names.counts()
    }

    /// Reads the config again and runs by it; says which generation that is. What is wrong with it is logged too, and then nothing has
    /// changed.
    ///
    /// # Errors
    /// What is wrong with the file, or what the machine does not give.
    pub(super) fn reload(&self) -> Result<Generation, Mistakes> {
        // Two at once would be two changes of the same.
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let supervisor = Supervisor::new(self.log);
        supervisor.reloading();
        let result = self.change(&mut now);
        let generation = self.generation();
        match &result {
            Ok(longest) => {
                let micros = u32::try_from(longest.as_micros()).unwrap_or(u32::MAX);
                let fields = [("generation", generation.into()), ("longest_us", micros.into())];
                self.log.info("reloaded", &fields);
                supervisor.ready(&self.status());
            }
            Err(mistakes) => {
                for mistake in &mistakes.notices {
                    mistake.log(self.log, "config_refused");
                }
                self.log.error("not_reloaded", &[("generation", generation.into())]);
                let why =
                    mistakes.notices.first().map(|it| format!("{}: {}", it.location(), it.what));
                let (why, stays) = (why.unwrap_or_default(), self.status());
                supervisor.ready(&format!("not reloaded: {why}; {stays}"));
            }
        }
        result.map(|_| generation)
    }

    /// The longest that a shard did nothing else.
    fn change(&self, now: &mut Now) -> Result<Duration, Mistakes> {
        let Some(file) = &self.file else {
            let what =
                "the server was started without a config file: there is nothing to read again";
            return Err(Mistakes::of_nothing(what.to_owned()));
        };
        if self.drain.has_begun() {
            return Err(Mistakes::of_nothing("the server is about to end".into()));
        }
        let again = Again::load(file, &now.config)?;
        let Ready { prepared, houses, watching, resolver, hook } = self.get_ready(&again, now)?;
        let (listeners, notices) = (prepared.listeners(), prepared.notices().to_vec());
        let before = self.server.listeners();
        let mut houses = houses.into_iter();
        let renewed = self.server.renew(prepared, |_| {
            let house = houses.next();
            move |node: &mut Node, _, _: &mut Vec<_>| house.map(|house| node.renew(house))
        });
        let renewed = renewed.map_err(|_| Mistakes::of_nothing("the server is ending".into()))?;
        let longest = renewed.iter().map(|renewed| renewed.took).max().unwrap_or_default();
        if let Some(resolver) = resolver {
            self.names.take(resolver);
        }
        if let Some(hook) = hook {
            self.waker.take(hook);
        }
        self.drain.take(&again.config.server);
        if again.config.records != now.config.records {
            self.pen.take(&again.config.records);
        }
        for notice in notices {
            self.log.warning("driver", &[("what", (&notice.to_string()).into())]);
        }
        super::announce_changes((&before, &listeners), self.log);
        if let Some(gate) = &self.gate {
            gate.renew(console::guests(&again.config));
        }
        *now = Now { config: again.config, _watching: watching };
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(longest)
    }

    /// Everything that can go wrong, while nothing has changed yet.
    fn get_ready(&self, again: &Again, now: &Now) -> Result<Ready, Mistakes> {
        let config = &again.config;
        for warning in &config.warnings {
            check::report(self.log, "config_warning", warning);
        }
        let blame = |key: [&str; 2], what: String| again.blame([(key, (what, String::new()))]);
        let plan = house::plan(config).map_err(|what| blame(["tls", "certificate"], what))?;
        let tls = plan.tls.clone();
        let prepared = self.server.prepare(plan).map_err(|error| {
            let key = match &error {
                BindError::Socket { transport, .. } => transport.token().to_ascii_lowercase(),
                _ => String::new(),
            };
            blame(["listen", &key], error.to_string())
        })?;
        let system = |error: std::io::Error| Mistakes::of_nothing(error.to_string());
        let mut dice = Dice::new(throw().map_err(system)?);
        let (open, leaving) = (prepared.listeners(), prepared.leaving());
        let count = self.server.shards();
        let house = |number| {
            let shard = Shard { number, count };
            House::new(house::settings(config, (&open, &leaving), self.fixed, shard), &mut dice)
        };
        let resolver = (config.dns != now.config.dns).then(|| self.names.another(&config.dns));
        let hook = (config.push != now.config.push).then(|| waker::hook(config.push.as_ref()));
        let watching = tls.map(|tls| super::guard(config, &tls, self.log)).transpose();
        Ok(Ready {
            houses: (0..count).map(house).collect(),
            prepared,
            watching: watching.map_err(system)?.flatten(),
            resolver: resolver.transpose().map_err(system)?,
            hook: hook.transpose().map_err(system)?,
        })
    }
}
