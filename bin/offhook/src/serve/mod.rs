//! `offhook serve`: the server. Reads the config, binds, starts a node on every shard, and writes the log until it is told to stop.

mod asked;
mod console;
mod drain;
mod drawer;
pub(crate) mod house;
mod memory;
pub(crate) mod secret;
mod shared;
pub(crate) mod signals;
mod steward;
mod supervisor;
mod waker;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ::console::Hub;
use console::{Asked, Knocks, Plug, Reporter};
pub(crate) use drain::Drain;
use drawer::Drawer;
use house::Fixed;
use machine::Dice;
use net::tls::Tls;
use net::{Bound, Clock, Heard, Losses, Program, Running, Sink, Wire};
use protocol::Listener;
use protocol::doors::Question;
use server::settings::{Bindings, Shard};
use server::{Node, Steering};
use shared::Shared;
use signal_hook::iterator::Signals;
use steward::{Staff, Steward};
use store::Restored;
use supervisor::Supervisor;
use waker::Waker;

use crate::config::{Config, Credential, Durability, StoreUrl};
use crate::log::{Format, Log};
use crate::names::Names;
use crate::outcome::Outcome;
use crate::records::{self, Registry};
use crate::seed::throw;
use crate::{certificates, check, ink, journal, limits};

/// What `offhook serve` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The config file; without it, a server on loopback with two extensions
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder in which the server keeps things (instead of `[store] url`)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only say what is wrong with the config file, or what the server would do: the same as `offhook check FILE`
    #[arg(long, requires = "config")]
    check: bool,
}

/// Serves until SIGTERM or SIGINT; SIGHUP has it read its config again.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    if let (true, Some(file)) = (arguments.check, &arguments.config) {
        return check::run(&check::Arguments { file: file.clone() }, log);
    }
    let config = match &arguments.config {
        Some(file) => match Config::load(file) {
            Ok(config) => config,
            Err(mistakes) => return check::refuse(&mistakes, log),
        },
        None => match throw() {
            Ok(seed) => Config::starter(&mut Dice::new(seed)),
            Err(error) => return fail(log, &format!("/dev/urandom: {error}")),
        },
    };
    for warning in &config.warnings {
        check::report(log, "config_warning", warning);
    }
    if !config.server.core_dumps && !net::forbid_core_dumps() {
        log.warning("core_dumps", &[("what", "they cannot be forbidden".into())]);
    }
    net::forbid_huge_pages();
    let begun = ink::begin().map_err(|error| error.to_string());
    let outcome = match begun.and_then(|()| serve(config, arguments, log)) {
        Ok(()) => Outcome::Fine,
        Err(error) => fail(log, &error),
    };
    ink::settle(limits::LAST_LINES);
    outcome
}

fn fail(log: Log, what: &str) -> Outcome {
    log.error("cannot_serve", &[("what", what.into())]);
    Outcome::Failed
}

fn serve(config: Config, arguments: &Arguments, log: Log) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let signals = signals::hear().map_err(words)?;
    let bound = bind(&config)?;
    let watching = bound.tls().map(|tls| guard(&config, tls, log)).transpose().map_err(words)?;
    let nodes = bound.nodes_tls().and_then(Tls::keyring).map(Arc::clone);
    let nodes = nodes.map(|ring| certificates::watch(ring, log)).transpose().map_err(words)?;
    let secret = secret(&config, arguments, log).map_err(words)?;
    let keeps = match folder(&config, arguments) {
        Some(folder) => Drawer::open(folder, config.store.durability, log)?.map(Keeps::Here),
        None => Shared::open(&config, log)?.map(Keeps::Shared),
    };
    let asked_for = if arguments.config.is_some() { Asked::ByConfig } else { Asked::ByNobody };
    let console = console::bind(&config, asked_for, log)?;
    let (sink, heard) = Wire::new(limits::LOG_LINES);
    let losses = sink.losses();
    let hub = Hub::new();
    let (reporter, told) = Reporter::new(journal::Terse { sink, log }, hub.clone());
    console::report(told).map_err(words)?;
    let (pen, writer) = records::begin(&config.records, log).map_err(words)?;
    let reporter = Registry { sink: reporter, pen: pen.clone() };
    let waker = Waker::start(config.push.as_ref(), log).map_err(words)?;
    let store = keeps.as_ref().and_then(Keeps::counts);
    let (running, staff) =
        start(&config, bound, secret, (reporter, keeps, waker)).map_err(words)?;
    let drain = Drain::new(running.handle(), &config.server, log);
    let listeners = running.handle().listeners();
    announce("listening", &listeners, log);
    if arguments.config.is_none() {
        introduce(&config, &listeners);
    }
    let gate = console.as_ref().map(::console::Bound::gate);
    let records = pen.counts();
    let kept = (watching.flatten(), pen, drain.clone(), gate);
    let steward = Arc::new(Steward::new((config, arguments.config.clone(), log), staff, kept));
    let console = console.map(|bound| {
        let plug = Plug {
            server: running.handle(),
            drain: drain.clone(),
            steward: Arc::clone(&steward),
            store,
            records,
            losses: losses.clone(),
            knocks: Knocks::new(log),
            started: running.handle().now(),
            console: bound.address(),
        };
        console::start(bound, plug, hub, log)
    });
    let console = console.transpose().map_err(words)?;
    let supervisor = Supervisor::new(log);
    let watchdog = supervisor.feed(running.handle()).map_err(words)?;
    let memory = memory::give_back().map_err(words)?;
    supervisor.ready(&steward.status());
    let result =
        wait(running, (signals, drain, Some(steward)), log, (heard, losses, |heard| heard));
    writer.close();
    drop((console, watchdog, memory, nodes));
    result
}

/// Where bindings are kept.
pub(crate) enum Keeps {
    /// On this machine.
    Here(Drawer),
    /// Where all nodes of a cluster have them.
    Shared(Shared),
}

impl Keeps {
    /// What this machine's disk has done.
    fn counts(&self) -> Option<Arc<store::Counts>> {
        match self {
            Self::Here(drawer) => Some(Arc::clone(drawer.counts())),
            Self::Shared(_) => None,
        }
    }
}

/// Says what is to be said of our certificates, and watches their files until what it gives back is dropped.
fn guard(config: &Config, tls: &Tls, log: Log) -> std::io::Result<Option<Sender<()>>> {
    for remark in certificates::judge(config, tls, certificates::now()) {
        log.warning("certificate", &[("what", remark.words().into())]);
    }
    tls.keyring().map(|keyring| certificates::watch(Arc::clone(keyring), log)).transpose()
}

/// Takes the sockets that a config names.
pub(crate) fn bind(config: &Config) -> Result<Bound, String> {
    house::plan(config)?.bind().map_err(|error| error.to_string())
}

/// Writes the log until SIGTERM or SIGINT has ended the server. The last of it finds in what is heard what the driver said.
pub(crate) fn wait<T: Send + 'static>(
    running: Running<Node>,
    (signals, drain, steward): (Signals, Drain, Option<Arc<Steward>>),
    log: Log,
    (heard, losses, words): (Receiver<T>, Losses, fn(&T) -> &Heard),
) -> Result<(), String> {
    let in_words = |error: std::io::Error| error.to_string();
    let signals = signals::obey(signals, drain, steward).map_err(in_words)?;
    let (done, written) = channel::<()>();
    // Ends when the last shard has ended, and all is written.
    let keep = move || {
        journal::keep(log, (&heard, &losses), words);
        drop(done);
    };
    thread::Builder::new().name("journal".into()).spawn(keep).map_err(in_words)?;
    running.join().map_err(|error| error.to_string())?;
    // Whoever reads the log and has stopped holds up no end.
    let _ = written.recv_timeout(limits::LAST_LINES);
    signals.close();
    log.info("stopped", &[]);
    Ok(())
}

/// The secret of this server: kept in its folder, unless nothing is to be kept.
fn secret(config: &Config, arguments: &Arguments, log: Log) -> std::io::Result<u128> {
    if let Some(cluster) = &config.cluster {
        return secret::common(&cluster.secret_file);
    }
    let Some(folder) = folder(config, arguments) else { return throw() };
    secret::kept(folder).or_else(|error| {
        let what = format!(
            "{}: {error}: calls that are up now cannot be hung up after a restart",
            folder.display()
        );
        log.warning("not_kept", &[("what", (&what).into())]);
        throw()
    })
}

/// The folder in which things are kept, when they are to be kept here.
fn folder<'a>(config: &'a Config, arguments: &'a Arguments) -> Option<&'a Path> {
    let folder = match (&arguments.data, &config.store.url) {
        (_, StoreUrl::Redis(_)) => return None,
        (Some(folder), _) | (None, StoreUrl::File(folder)) => folder,
    };
    (config.store.durability != Durability::Memory).then_some(folder)
}

/// The same, where nothing is kept, nobody is woken, and nothing changes.
pub(crate) fn start_alone(
    config: &Config,
    bound: Bound,
    secret: u128,
    sink: impl Sink + 'static,
) -> std::io::Result<Running<Node>> {
    let waker = Waker::start(None, Log::new(Format::Text))?;
    start(config, bound, secret, (sink, None, waker)).map(|(running, _)| running)
}

/// A node on every shard, with what was kept; without a place to keep it nothing is.
fn start(
    config: &Config,
    bound: Bound,
    secret: u128,
    (sink, keeps, waker): (impl Sink + 'static, Option<Keeps>, Waker),
) -> std::io::Result<(Running<Node>, Staff)> {
    let count = bound.shards();
    let steering = Steering::new(secret, count);
    let place = move |question: &Question| match question {
        Question::Locate(aor) => Some(steering.home_of(aor)),
        Question::Wake(sleeper) => Some(steering.home_of(&sleeper.aor)),
        Question::Spend { keeper, .. } => Some(*keeper),
        _ => None,
    };
    let sink = Arc::new(sink);
    let names = Names::start(&config.dns, &sink)?;
    let mut program = Program::new()
        .resolver(names.clone())
        .pusher(waker.clone())
        .steer(move |message| steering.home(message))
        .place(place)
        .pending(Node::pending)
        .farewell(Node::close)
        .sink(sink);
    let (mut bindings, mut restored, mut told) = (Bindings::InMemory, Vec::new(), None);
    match keeps {
        Some(Keeps::Here(mut drawer)) => {
            (bindings, restored) = (Bindings::Kept, std::mem::take(&mut drawer.restored));
            program = program.keeper(drawer.keeper());
        }
        Some(Keeps::Shared(shared)) => {
            let (keeper, nodes) = shared.keeper();
            (bindings, told) = (Bindings::Shared, Some(nodes));
            program = program.keeper(keeper);
        }
        None => {}
    }
    let (mut dice, now) = (Dice::new(throw()?), Clock::start().now());
    let fixed = Fixed { secret, nonces: dice.seed(), bindings, cluster: None };
    let life = dice.roll() as u32;
    let place = |listeners: &[Listener]| house::cluster(config, listeners, life);
    let running = bound.start(program, |number, listeners| {
        let shard = Shard { number, count };
        let fixed = Fixed { cluster: place(listeners), ..fixed };
        let settings = house::settings(config, (listeners, &[]), fixed, shard);
        let mut node = Node::new(settings, Dice::new(dice.seed()));
        for Restored { key, value, shift } in &restored {
            node.restore(now, (key, value), *shift);
        }
        node
    })?;
    if let Some(told) = told {
        // It is set once.
        let _ = told.set((running.handle(), steering));
    }
    let fixed = Fixed { cluster: place(&running.handle().listeners()), ..fixed };
    let staff = Staff { server: running.handle(), fixed, names, waker };
    Ok((running, staff))
}

/// Says what a reload has opened and closed.
fn announce_changes((before, now): (&[Listener], &[Listener]), log: Log) {
    let not_in = |all: &[Listener], one: &Listener| all.iter().all(|it| it.number != one.number);
    let opened: Vec<_> = now.iter().filter(|one| not_in(before, one)).cloned().collect();
    let closed: Vec<_> = before.iter().filter(|one| not_in(now, one)).cloned().collect();
    announce("listening", &opened, log);
    announce("listening_no_more", &closed, log);
}

fn announce(event: &str, listeners: &[Listener], log: Log) {
    for listener in listeners {
        let transport = listener.transport.token().to_ascii_lowercase();
        let address = listener.bound.to_string();
        log.info(event, &[("transport", (&transport).into()), ("address", (&address).into())]);
    }
}

/// What somebody who starts the server without a config must know: the passwords are shown this once.
pub(crate) fn introduce(config: &Config, listeners: &[Listener]) {
    let Some(listener) = listeners.first() else { return };
    let mut text = String::from("Phones on this machine can register as\n");
    for extension in &config.extensions {
        if let Credential::Password(password) = &extension.credential {
            let (number, address) = (&extension.number, listener.bound);
            text += &format!("  sip:{number}@{address}  password {}\n", password.reveal());
        }
    }
    text +=
        "The passwords are new at every start. A config keeps them: docs/examples/offhook.toml\n";
    // Whoever closed stdout does not want to know.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
