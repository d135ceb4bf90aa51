//! `Running`: shards that live, and the handle by which the program reaches them.

use std::collections::VecDeque;
use std::hash::RandomState;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use machine::Time;
use protocol::{Listener, Output};
use socket2::Socket;

use crate::accept::Gate;
use crate::bars::Bars;
use crate::census::Census;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::datagrams::Mouth;
use crate::kernel::{Batch, Epoll};
use crate::limits;
use crate::listener::{Bound, Door, towards_the_world};
use crate::media::Media;
use crate::nap::Rhythm;
use crate::plan::Plan;
use crate::program::{Drivable, Program};
use crate::resolver::Resolver;
use crate::shard::{Here, Shard};
use crate::streams::Streams;
use crate::switchboard::{Inbox, Switchboard};
use crate::trust::Trust;

/// Something to be done with a machine, on its own thread.
pub(crate) type Command<M> = Box<dyn FnOnce(&mut M, Time, &mut Vec<Output>) + Send>;

/// Shards that live.
pub struct Running<M> {
    handle: Handle<M>,
    /// Nobody is let in, and nobody else gets the address as long as these are there.
    _shut: Vec<Socket>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl<M> fmt::Debug for Running<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("shards", &self.threads.len()).finish_non_exhaustive()
    }
}

/// Reaches the shards from any thread.
pub struct Handle<M> {
    board: Arc<Switchboard>,
    commands: Arc<[SyncSender<Command<M>>]>,
    counters: Arc<[Arc<Counters>]>,
    listeners: Arc<[Listener]>,
    clock: Clock,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            board: Arc::clone(&self.board),
            commands: Arc::clone(&self.commands),
            counters: Arc::clone(&self.counters),
            listeners: Arc::clone(&self.listeners),
            clock: self.clock,
        }
    }
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("shards", &self.commands.len()).finish_non_exhaustive()
    }
}

/// A command that could not be given: there is no such shard, it has ended, or it has too many commands to obey already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotGiven;

impl fmt::Display for NotGiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shard has ended, or is too busy to take a command")
    }
}

impl std::error::Error for NotGiven {}

impl<M> Handle<M> {
    /// How many shards there are.
    pub fn shards(&self) -> u16 {
        self.board.shards()
    }

    /// The driver's time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The listeners, with the addresses that they really have.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// What each shard has done.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Does something with a shard's machine, on its thread, soon. What it puts into the outbox is sent.
    pub fn tell(
        &self,
        shard: u16,
        command: impl FnOnce(&mut M, Time, &mut Vec<Output>) + Send + 'static,
    ) -> Result<(), NotGiven> {
        let commands = self.commands.get(usize::from(shard)).ok_or(NotGiven)?;
        commands.try_send(Box::new(command)).map_err(|_| NotGiven)?;
        self.board.ring(shard);
        Ok(())
    }

    /// As [`tell`](Self::tell), and waits for what it returns. Not for use on a shard's own thread.
    pub fn ask<R: Send + 'static>(
        &self,
        shard: u16,
        command: impl FnOnce(&mut M, Time, &mut Vec<Output>) -> R + Send + 'static,
    ) -> Result<R, NotGiven> {
        let (give, take) = sync_channel(1);
        self.tell(shard, move |machine, now, out| drop(give.send(command(machine, now, out))))?;
        take.recv().map_err(|_| NotGiven)
    }

    /// Stops accepting connections, waits until no machine has anything left to finish, and ends; at the latest after `time`.
    /// Refusing new calls meanwhile is the machines' own business: [`tell`](Self::tell) them.
    pub fn drain(&self, time: Duration) {
        self.board.drain(self.clock.now() + time);
    }

    /// Ends now.
    pub fn stop(&self) {
        self.board.stop();
    }
}

impl<M> Running<M> {
    /// Reaches the shards from any thread.
    pub fn handle(&self) -> Handle<M> {
        self.handle.clone()
    }

    /// Waits until all shards have ended. An error when one ended otherwise than by [`Handle::drain`] or [`Handle::stop`].
    pub fn join(self) -> io::Result<()> {
        let mut result = Ok(());
        for thread in self.threads {
            let ended = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a shard of the driver panicked")));
            result = result.and(ended);
        }
        result
    }
}

/// Ends the other shards when one ends, however it does.
struct Together(Arc<Switchboard>);

impl Drop for Together {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Bound {
    /// Makes a machine for each shard and starts the shards' threads.
    pub fn start<M: Drivable>(
        self,
        program: Program<M>,
        mut make: impl FnMut(u16, &[Listener]) -> M,
    ) -> io::Result<Running<M>> {
        let Self { plan, listeners, doors, notices } = self;
        let shards = plan.shards;
        let (board, inboxes) = Switchboard::new(shards)?;
        let clock = Clock::start();
        let board = Arc::new(board);
        let listeners: Arc<[Listener]> = listeners.into();
        for notice in notices {
            program.sink.notice(clock.now(), 0, notice);
        }
        let resolver = Arc::clone(&program.resolver);
        let (mut mouths, mut gates, shut) = deal(doors, &listeners, shards);
        let census = Census::new(plan.crowd);
        let peers = RandomState::new();
        let counters: Arc<[Arc<Counters>]> = (0..shards).map(|_| Arc::default()).collect();
        let (commands, obeys): (Vec<_>, Vec<Receiver<Command<M>>>) =
            (0..shards).map(|_| sync_channel(limits::LETTERS)).unzip();
        let handle = Handle {
            board: Arc::clone(&board),
            commands: commands.into(),
            counters: Arc::clone(&counters),
            listeners: Arc::clone(&listeners),
            clock,
        };
        let mut threads = Vec::new();
        let shared = counters.iter().cloned().zip(inboxes).zip(obeys);
        for (shard, ((counters, inbox), commands)) in (0..).zip(shared) {
            let here = Here {
                shard,
                clock,
                listeners: Arc::clone(&listeners),
                board: Arc::clone(&board),
                counters,
                tapped: false,
            };
            let seed = Seed {
                mouths: mouths.pop_front().unwrap_or_default(),
                gates: std::mem::take(&mut gates),
                census: census.clone(),
                peers: peers.clone(),
                inbox,
                commands,
                resolver: Arc::clone(&resolver),
            };
            let machine = make(shard, &listeners);
            threads.push(seed.grow(&plan, here, machine, program.clone())?);
        }
        Ok(Running { handle, threads, _shut: shut })
    }
}

/// What one shard is made of.
struct Seed<M> {
    mouths: Vec<Option<Mouth>>,
    gates: Vec<Gate>,
    census: Census,
    peers: RandomState,
    inbox: Inbox,
    commands: Receiver<Command<M>>,
    resolver: Arc<dyn Resolver>,
}

impl<M: Drivable> Seed<M> {
    fn grow(
        self,
        plan: &Plan,
        here: Here,
        machine: M,
        program: Program<M>,
    ) -> io::Result<JoinHandle<io::Result<()>>> {
        let Self { mouths, gates, census, peers, inbox, commands, resolver } = self;
        let streams =
            Streams::new((here.board.shards(), peers), plan, census, Arc::clone(&here.counters));
        let media = Media::new(
            plan.media.clone(),
            plan.media.address.unwrap_or_else(|| media_address(&here.listeners)),
        );
        let rhythm = Rhythm::new(plan.naps);
        let epoll = Epoll::new(limits::READY)?;
        thread::Builder::new().name(format!("shard-{}", here.shard)).spawn(move || {
            let _together = Together(Arc::clone(&here.board));
            let shard = Shard {
                here,
                machine,
                program,
                resolver,
                inbox,
                commands,
                epoll,
                mouths,
                gates,
                streams,
                media,
                batch: Batch::new(limits::BATCH),
                rhythm,
                trust: Trust::default(),
                bars: Bars::default(),
                woken: Time::default(),
                inputs: Vec::new(),
                out: Vec::new(),
                kept: VecDeque::new(),
                rings: 0,
                asked: 0,
            };
            shard.watch()?;
            shard.run()
        })
    }
}

/// Deals the sockets out: one of each UDP listener to each shard, all that accept to shard 0.
fn deal(
    doors: Vec<Door>,
    listeners: &[Listener],
    shards: u16,
) -> (VecDeque<Vec<Option<Mouth>>>, Vec<Gate>, Vec<Socket>) {
    let mut mouths: VecDeque<Vec<Option<Mouth>>> = (0..shards).map(|_| Vec::new()).collect();
    let (mut gates, mut shut) = (Vec::new(), Vec::new());
    for (door, by) in doors.into_iter().zip(listeners) {
        let mut sockets = Vec::new();
        match door {
            Door::Datagrams(bound) => sockets = bound,
            Door::Shut(socket) => shut.push(socket),
            Door::Stream(socket) => gates.push(Gate::new((by.number, by.transport), socket)),
        }
        let mut sockets = sockets.into_iter();
        for mouths in &mut mouths {
            mouths.push(sockets.next().map(Mouth::new));
        }
    }
    (mouths, gates, shut)
}

/// The address of the first listener; for a wildcard the one that we use towards the world.
fn media_address(listeners: &[Listener]) -> IpAddr {
    match listeners.first().map(|listener| listener.bound) {
        Some(bound) if bound.ip().is_unspecified() => towards_the_world(bound),
        Some(bound) => bound.ip(),
        None => Ipv4Addr::LOCALHOST.into(),
    }
}
