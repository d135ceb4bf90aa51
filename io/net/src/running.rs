//! `Running`: shards that live, and the handle by which the program reaches them.

use std::collections::{BTreeMap, VecDeque};
use std::hash::RandomState;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use machine::Time;
use protocol::{Listener, Output};
use socket2::Socket;

use crate::accept::Gate;
use crate::bars::Bars;
use crate::census::Census;
use crate::change::{Known, Standing};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::datagrams::Mouth;
use crate::kernel::{Batch, Epoll};
use crate::limits;
use crate::listener::{Bound, Door, towards_the_world};
use crate::media::Media;
use crate::nap::Rhythm;
use crate::plan::Plan;
use crate::portion::Portion;
use crate::pressure::Pressure;
use crate::program::{Drivable, Program};
use crate::resolver::Resolver;
use crate::shard::{Here, Shard};
use crate::streams::Streams;
use crate::switchboard::{Inbox, Switchboard};
use crate::trust::Trust;
use crate::worth::Worth;

/// Something to be done with a machine, on its own thread.
pub(crate) type Command<M> = Box<dyn FnOnce(&mut M, Time, &mut Vec<Output>) + Send>;

/// What a shard is told by the program around it.
pub(crate) enum Order<M> {
    /// To do something with its machine.
    Command(Command<M>),
    /// To change itself.
    Change(Change<M>),
}

/// Something to be done with a shard, on its own thread.
pub(crate) type Change<M> = Box<dyn FnOnce(&mut Shard<M>, Time) -> io::Result<()> + Send>;

/// Shards that live.
pub struct Running<M> {
    handle: Handle<M>,
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
    orders: Arc<[SyncSender<Order<M>>]>,
    counters: Arc<[Arc<Counters>]>,
    standing: Arc<Mutex<Standing>>,
    clock: Clock,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            board: Arc::clone(&self.board),
            orders: Arc::clone(&self.orders),
            counters: Arc::clone(&self.counters),
            standing: Arc::clone(&self.standing),
            clock: self.clock,
        }
    }
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("shards", &self.orders.len()).finish_non_exhaustive()
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
    pub fn listeners(&self) -> Arc<[Listener]> {
        self.standing().listeners()
    }

    pub(crate) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
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
        let orders = self.orders.get(usize::from(shard)).ok_or(NotGiven)?;
        orders.try_send(Order::Command(Box::new(command))).map_err(|_| NotGiven)?;
        self.board.ring(shard);
        Ok(())
    }

    /// Gives an order, and waits until there is room for it.
    pub(crate) fn order(&self, shard: u16, order: Order<M>) -> Result<(), NotGiven> {
        let orders = self.orders.get(usize::from(shard)).ok_or(NotGiven)?;
        orders.send(order).map_err(|_| NotGiven)?;
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
        let Self { mut plan, listeners, doors, notices } = self;
        let shards = plan.shards;
        let (board, inboxes) = Switchboard::new(shards)?;
        let clock = Clock::start();
        let board = Arc::new(board);
        for notice in notices {
            program.sink.notice(clock.now(), 0, notice);
        }
        let resolver = Arc::clone(&program.resolver);
        let (mut mouths, mut gates, shut) = deal(doors, &listeners, shards);
        let census = Census::new(plan.crowd);
        let peers = RandomState::new();
        let counters: Arc<[Arc<Counters>]> = (0..shards).map(|_| Arc::default()).collect();
        let listen = std::mem::take(&mut plan.listen);
        let standing = Arc::new(Mutex::new(Standing::new(listen, &listeners, shut)));
        let known = Known { open: listeners.into(), leaving: Arc::new([]) };
        let (orders, obeys): (Vec<_>, Vec<Receiver<Order<M>>>) =
            (0..shards).map(|_| sync_channel(limits::LETTERS)).unzip();
        let handle = Handle {
            board: Arc::clone(&board),
            orders: orders.into(),
            counters: Arc::clone(&counters),
            standing,
            clock,
        };
        let mut threads = Vec::new();
        let shared = counters.iter().cloned().zip(inboxes).zip(obeys);
        for (shard, ((counters, inbox), orders)) in (0..).zip(shared) {
            let here = Here {
                shard,
                clock,
                listeners: known.clone(),
                board: Arc::clone(&board),
                counters,
                tapped: false,
                followed: true,
            };
            let seed = Seed {
                mouths: mouths.pop_front().unwrap_or_default(),
                gates: std::mem::take(&mut gates),
                census: census.clone(),
                peers: peers.clone(),
                inbox,
                orders,
                resolver: Arc::clone(&resolver),
            };
            let machine = make(shard, &known.open);
            threads.push(seed.grow(&plan, here, machine, program.clone())?);
        }
        Ok(Running { handle, threads })
    }
}

/// What one shard is made of.
struct Seed<M> {
    mouths: BTreeMap<u16, Mouth>,
    gates: Vec<Gate>,
    census: Census,
    peers: RandomState,
    inbox: Inbox,
    orders: Receiver<Order<M>>,
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
        let Self { mouths, gates, census, peers, inbox, orders, resolver } = self;
        let streams =
            Streams::new((here.board.shards(), peers), plan, census, Arc::clone(&here.counters));
        let media = Media::new(
            plan.media.clone(),
            plan.media.address.unwrap_or_else(|| media_address(&here.listeners.open)),
        );
        let (rhythm, loading) = (Rhythm::new(plan.naps), plan.loading);
        let epoll = Epoll::new(limits::READY)?;
        thread::Builder::new().name(format!("shard-{}", here.shard)).spawn(move || {
            let _together = Together(Arc::clone(&here.board));
            let mut shard = Shard {
                here,
                machine,
                program,
                resolver,
                inbox,
                orders,
                epoll,
                mouths,
                gates,
                streams,
                media,
                batch: Batch::new(limits::BATCH),
                rhythm,
                worth: Worth::default(),
                loading,
                trust: Trust::default(),
                bars: Bars::default(),
                woken: Time::default(),
                pressure: Pressure::default(),
                inputs: Vec::new(),
                out: Vec::new(),
                kept: VecDeque::new(),
                rings: 0,
                asked: 0,
                portion: Portion::default(),
            };
            shard.watch()?;
            shard.run()
        })
    }
}

/// What was dealt out: the datagram sockets of each shard, the gates of shard 0, and what only keeps its address.
type Dealt = (VecDeque<BTreeMap<u16, Mouth>>, Vec<Gate>, BTreeMap<u16, Socket>);

/// Deals the sockets out: one of each UDP listener to each shard, all that accept to shard 0.
fn deal(doors: Vec<Door>, listeners: &[Listener], shards: u16) -> Dealt {
    let mut mouths: VecDeque<BTreeMap<u16, Mouth>> = (0..shards).map(|_| BTreeMap::new()).collect();
    let (mut gates, mut shut) = (Vec::new(), BTreeMap::new());
    for (door, by) in doors.into_iter().zip(listeners) {
        match door {
            Door::Datagrams(sockets) => {
                for (mouths, socket) in mouths.iter_mut().zip(sockets) {
                    mouths.insert(by.number, Mouth::new(socket));
                }
            }
            Door::Shut(socket) => drop(shut.insert(by.number, socket)),
            Door::Stream(socket) => gates.push(Gate::new((by.number, by.transport), socket)),
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
