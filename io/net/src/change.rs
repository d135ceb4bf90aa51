//! Changing what a living driver listens on: new sockets are bound before anything is touched, and old ones end when nobody needs them.
//!
//! A listener that stays keeps its number and its sockets. One that goes accepts nobody any more; its connections live on, and its
//! datagram sockets as long as a call may ring, so that what has begun can end. Numbers in use are never given to others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use machine::Time;
use protocol::{Listener, Output};
use socket2::Socket;

use crate::accept::Gate;
use crate::datagrams::Mouth;
use crate::limits;
use crate::listener::{BindError, Bound, Door};
use crate::nap::Found;
use crate::plan::{Listen, Naps, Plan};
use crate::program::Drivable;
use crate::running::{Handle, NotGiven, Order};
use crate::shard::Shard;
use crate::tap::Notice;
use crate::tls::Tls;
use crate::trains::Loading;
use crate::websocket::Origins;

/// What a driver listens on now.
#[derive(Debug)]
pub(crate) struct Standing {
    open: Vec<(Listen, Listener)>,
    /// What goes, and when its datagram sockets are closed.
    leaving: Vec<(Listen, Listener, Time)>,
    last: u16,
    /// Nobody is let in, and nobody else gets the address as long as these are there.
    shut: BTreeMap<u16, Socket>,
}

/// A change that can be carried out: everything new is bound.
pub struct Prepared {
    open: Vec<(Listen, Listener)>,
    leaving: Vec<(Listen, Listener, Time)>,
    last: u16,
    doors: Vec<(Listener, Door)>,
    notices: Vec<Notice>,
    tls: Option<Tls>,
    origins: Arc<Origins>,
    naps: Naps,
    loading: Loading,
}

/// What one shard is told.
pub(crate) struct Renewal {
    pub(crate) known: Known,
    mouths: Vec<(u16, Mouth)>,
    gates: Vec<Gate>,
    /// When the datagram sockets of a listener are closed.
    closing: BTreeMap<u16, Time>,
    tls: Option<Tls>,
    origins: Arc<Origins>,
    naps: Naps,
    loading: Loading,
}

/// The listeners, as a shard knows them.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Those that are open.
    pub(crate) open: Arc<[Listener]>,
    /// Those that are going.
    pub(crate) leaving: Arc<[Listener]>,
}

/// What came of a change on one shard.
#[derive(Debug)]
pub struct Renewed<R> {
    /// What the machine said.
    pub said: R,
    /// How long the shard did nothing else.
    pub took: Duration,
}

impl Known {
    /// The listener with this number.
    pub(crate) fn get(&self, number: u16) -> Option<&Listener> {
        self.open.iter().chain(&*self.leaving).find(|listener| listener.number == number)
    }
}

impl Standing {
    pub(crate) fn new(
        listen: Vec<Listen>,
        listeners: &[Listener],
        shut: BTreeMap<u16, Socket>,
    ) -> Self {
        let last = listeners.iter().map(|listener| listener.number).max().unwrap_or(0);
        let open = listen.into_iter().zip(listeners.iter().cloned()).collect();
        Self { open, leaving: Vec::new(), last, shut }
    }

    pub(crate) fn listeners(&self) -> Arc<[Listener]> {
        self.open.iter().map(|(_, listener)| listener.clone()).collect()
    }

    /// Binds what is new in a plan.
    fn prepare(&self, plan: Plan, now: Time) -> Result<Prepared, BindError> {
        if plan.listen.len() > limits::LISTENERS {
            return Err(BindError::Listeners(plan.listen.len()));
        }
        let mut before = self.open.clone();
        let mut leaving = self.leaving.clone();
        let mut last = self.last;
        let mut open = Vec::new();
        let mut bound = Bound::of(plan);
        for listen in bound.plan.listen.clone() {
            let is_it = |known: &Listen, listener: &Listener| {
                let at = [known.address, listener.bound];
                known.transport == listen.transport && at.contains(&listen.address)
            };
            let stays = before.iter().position(|(known, it)| is_it(known, it));
            let stays = stays.map(|at| before.remove(at).1);
            // Its sockets are there still: they stay.
            let returns = || {
                let still = |(known, it, until): &(Listen, Listener, Time)| {
                    is_it(known, it) && *until != Time::NEVER && *until > now + limits::CLOSING
                };
                leaving.iter().position(still).map(|at| leaving.remove(at).1)
            };
            let listener = match stays.or_else(returns) {
                Some(listener) => bound.again(&listen, listener),
                None => {
                    last = self.free_number(last).ok_or(BindError::Listeners(usize::from(last)))?;
                    bound.open(last, &listen)?
                }
            };
            open.push((listen, listener));
        }
        let until = |listener: &Listener| match listener.transport.is_reliable() {
            true => Time::NEVER,
            false => now + limits::LEAVING,
        };
        leaving.extend(before.into_iter().map(|(listen, listener)| {
            let until = until(&listener);
            (listen, listener, until)
        }));
        let Bound { plan, listeners, doors, notices } = bound;
        let doors = listeners.into_iter().zip(doors).collect();
        let Plan { tls, origins, naps, loading, .. } = plan;
        Ok(Prepared { open, leaving, last, doors, notices, tls, origins, naps, loading })
    }

    /// The next number that nobody has.
    fn free_number(&self, last: u16) -> Option<u16> {
        let used = |number: u16| {
            let open = self.open.iter().map(|(_, listener)| listener.number);
            open.chain(self.leaving.iter().map(|it| it.1.number)).any(|it| it == number)
        };
        (1..=u16::MAX).map(|step| last.wrapping_add(step)).find(|number| !used(*number))
    }

    /// A change has been carried out; these numbers have connections.
    fn settle(&mut self, prepared: Prepared, busy: &BTreeSet<u16>, now: Time) {
        let Prepared { open, mut leaving, last, doors, .. } = prepared;
        // Whoever waited at a gate that has just closed may still be on the way to its shard.
        let before: BTreeSet<u16> = self.leaving.iter().map(|(_, it, _)| it.number).collect();
        leaving.retain(|(_, listener, until)| match *until {
            Time::NEVER => busy.contains(&listener.number) || !before.contains(&listener.number),
            until => until > now,
        });
        self.shut.retain(|number, _| open.iter().any(|(_, listener)| listener.number == *number));
        for (listener, door) in doors {
            if let Door::Shut(socket) = door {
                self.shut.insert(listener.number, socket);
            }
        }
        (self.open, self.leaving, self.last) = (open, leaving, last);
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Prepared {
    /// The listeners that will be open.
    pub fn listeners(&self) -> Vec<Listener> {
        self.open.iter().map(|(_, listener)| listener.clone()).collect()
    }

    /// Those that go, as long as something may come by them.
    pub fn leaving(&self) -> Vec<Listener> {
        self.leaving.iter().map(|(_, listener, _)| listener.clone()).collect()
    }

    /// What could not be had as wished, though we can go on.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What each shard is told.
    fn deal(&mut self, shards: u16) -> Vec<Renewal> {
        let known = Known { open: self.listeners().into(), leaving: self.leaving().into() };
        let mut closing: BTreeMap<u16, Time> =
            self.leaving.iter().map(|(_, listener, until)| (listener.number, *until)).collect();
        closing.extend(self.open.iter().map(|(_, listener)| (listener.number, Time::NEVER)));
        let mut gates = Vec::new();
        let mut sockets: Vec<(u16, std::vec::IntoIter<UdpSocket>)> = Vec::new();
        for (listener, door) in std::mem::take(&mut self.doors) {
            match door {
                Door::Datagrams(bound) => sockets.push((listener.number, bound.into_iter())),
                Door::Stream(socket) => {
                    gates.push(Gate::new((listener.number, listener.transport), socket));
                }
                shut @ Door::Shut(_) => self.doors.push((listener, shut)),
            }
        }
        let mut deal = || Renewal {
            known: known.clone(),
            mouths: sockets
                .iter_mut()
                .filter_map(|(number, sockets)| Some((*number, Mouth::new(sockets.next()?))))
                .collect(),
            gates: std::mem::take(&mut gates),
            closing: closing.clone(),
            tls: self.tls.clone(),
            origins: Arc::clone(&self.origins),
            naps: self.naps,
            loading: self.loading,
        };
        (0..shards).map(|_| deal()).collect()
    }
}

impl<M: Drivable> Handle<M> {
    /// Binds what is new in a plan, and changes nothing yet. Of the plan counts where to listen, the certificates, the web sites, and the
    /// naps; a driver keeps its shards and limits.
    ///
    /// # Errors
    /// The first address that cannot be had.
    pub fn prepare(&self, plan: Plan) -> Result<Prepared, BindError> {
        let plan = plan.shards(self.shards());
        self.standing().prepare(plan, self.now())
    }

    /// Carries a change out on every shard, and does something with each machine in the same moment; `make` says what. Only when every
    /// shard knows the new listeners, they are opened. Waits for all of that: not for use on a shard's own thread.
    ///
    /// # Errors
    /// When a shard has ended: then the whole driver ends.
    pub fn renew<R, C>(
        &self,
        mut prepared: Prepared,
        mut make: impl FnMut(u16) -> C,
    ) -> Result<Vec<Renewed<R>>, NotGiven>
    where
        R: Send + 'static,
        C: FnOnce(&mut M, Time, &mut Vec<Output>) -> R + Send + 'static,
    {
        let mut answers = Vec::new();
        for (shard, renewal) in (0..).zip(prepared.deal(self.shards())) {
            let (give, take) = sync_channel(1);
            let clock = self.clock();
            let command = make(shard);
            let renew = move |shard: &mut Shard<M>, now: Time| {
                let began = clock.now();
                let busy = shard.renew(now, renewal);
                let mut said = None;
                shard.command(now, |machine, now, out| said = Some(command(machine, now, out)));
                let took = clock.now() - began;
                drop(give.send((busy, said.map(|said| Renewed { said, took }))));
                Ok(())
            };
            self.order(shard, Order::Change(Box::new(renew)))?;
            answers.push(take);
        }
        let (mut all, mut busy) = (Vec::new(), BTreeSet::new());
        for answer in answers {
            let (numbers, renewed) = answer.recv().map_err(|_| NotGiven)?;
            busy.extend(numbers);
            all.push(renewed.ok_or(NotGiven)?);
        }
        for shard in 0..self.shards() {
            self.order(shard, Order::Change(Box::new(|shard, _| shard.open_doors())))?;
        }
        self.standing().settle(prepared, &busy, self.now());
        Ok(all)
    }
}

impl<M: Drivable> Shard<M> {
    /// Knows other listeners from now on; says which of all have connections here.
    fn renew(&mut self, now: Time, renewal: Renewal) -> BTreeSet<u16> {
        let Renewal { known, mouths, gates, closing, tls, origins, naps, loading } = renewal;
        self.rhythm.naps = naps;
        self.loading = loading;
        let is_open = |number: u16| known.open.iter().any(|listener| listener.number == number);
        let (stay, go) = self.gates.drain(..).partition(|gate: &Gate| is_open(gate.number()));
        self.gates = go;
        self.empty_gates(now);
        self.gates = stay;
        self.gates.extend(gates);
        for (number, mouth) in &mut self.mouths {
            mouth.until = closing.get(number).copied().unwrap_or(mouth.until);
        }
        self.mouths.extend(mouths);
        self.here.listeners = known;
        self.streams.renew(tls, origins);
        self.streams.by_listener()
    }

    /// Accepts all who wait at gates that close: their connections are made, as far as they know.
    pub(crate) fn empty_gates(&mut self, now: Time) {
        let numbers: Vec<u16> = self.gates.iter().map(Gate::number).collect();
        for number in numbers {
            for _ in 0..limits::LAST_ACCEPTS {
                let mut found = Found::default();
                self.accept(now, number, &mut found);
                if !found.more {
                    break;
                }
            }
        }
        self.gates.clear();
    }

    /// Listens on everything that is not listened on yet.
    pub(crate) fn open_doors(&mut self) -> std::io::Result<()> {
        for (number, mouth) in &mut self.mouths {
            mouth.open(&self.epoll, *number)?;
        }
        self.gates.iter_mut().try_for_each(|gate| gate.open(&self.epoll))
    }

    /// Closes datagram sockets whose time has come.
    pub(crate) fn close_mouths(&mut self, now: Time) {
        self.mouths.retain(|_, mouth| mouth.until > now);
    }
}
