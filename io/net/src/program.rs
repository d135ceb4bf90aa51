//! `Program`: what the program around a driver decides for it.

use std::fmt;
use std::sync::Arc;

use machine::{Machine, Time};
use protocol::doors::Question;
use protocol::{Input, Output};
use sip::Message;

use crate::keeper::{Forgetful, Keeper};
use crate::pusher::{Pusher, Quiet};
use crate::resolver::{Nobody, Resolver};
use crate::tap::{Deaf, Sink};

/// A machine that a shard can drive: the server's node, a phone.
pub trait Drivable: Machine<Input = Input, Output = Output> + Send + 'static {}

impl<M: Machine<Input = Input, Output = Output> + Send + 'static> Drivable for M {}

type Steer = dyn Fn(&Message) -> u16 + Send + Sync;
type Place = dyn Fn(&Question) -> Option<u16> + Send + Sync;
type Pending<M> = dyn Fn(&M, Time) -> usize + Send + Sync;
type Farewell<M> = dyn Fn(&mut M, Time, &mut Vec<Output>) + Send + Sync;

/// What the program around a driver decides for it.
pub struct Program<M> {
    pub(crate) steer: Arc<Steer>,
    pub(crate) place: Arc<Place>,
    pub(crate) pending: Arc<Pending<M>>,
    pub(crate) farewell: Arc<Farewell<M>>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) pusher: Arc<dyn Pusher>,
    pub(crate) sink: Arc<dyn Sink>,
}

impl<M> fmt::Debug for Program<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

impl<M> Clone for Program<M> {
    fn clone(&self) -> Self {
        Self {
            steer: Arc::clone(&self.steer),
            place: Arc::clone(&self.place),
            pending: Arc::clone(&self.pending),
            farewell: Arc::clone(&self.farewell),
            resolver: Arc::clone(&self.resolver),
            keeper: Arc::clone(&self.keeper),
            pusher: Arc::clone(&self.pusher),
            sink: Arc::clone(&self.sink),
        }
    }
}

impl<M> Default for Program<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Program<M> {
    /// Everything happens on shard 0, nobody knows a name, nothing is kept, nobody listens.
    pub fn new() -> Self {
        Self {
            steer: Arc::new(|_| 0),
            place: Arc::new(|_| None),
            pending: Arc::new(|_, _| 0),
            farewell: Arc::new(|_, _, _| {}),
            resolver: Arc::new(Nobody),
            keeper: Arc::new(Forgetful),
            pusher: Arc::new(Quiet),
            sink: Arc::new(Deaf),
        }
    }

    /// On which shard a message is at home. What is not below the number of shards is taken modulo it.
    #[must_use]
    pub fn steer(mut self, steer: impl Fn(&Message) -> u16 + Send + Sync + 'static) -> Self {
        self.steer = Arc::new(steer);
        self
    }

    /// Which shard can answer a question; `None`: nobody.
    #[must_use]
    pub fn place(
        mut self,
        place: impl Fn(&Question) -> Option<u16> + Send + Sync + 'static,
    ) -> Self {
        self.place = Arc::new(place);
        self
    }

    /// How many things a machine still has to finish at a moment: draining waits until there are none.
    #[must_use]
    pub fn pending(mut self, pending: impl Fn(&M, Time) -> usize + Send + Sync + 'static) -> Self {
        self.pending = Arc::new(pending);
        self
    }

    /// What a machine has to report when its shard ends. Nothing can be sent any more.
    #[must_use]
    pub fn farewell(
        mut self,
        farewell: impl Fn(&mut M, Time, &mut Vec<Output>) + Send + Sync + 'static,
    ) -> Self {
        self.farewell = Arc::new(farewell);
        self
    }

    /// Who looks up names.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Who keeps records.
    #[must_use]
    pub fn keeper(mut self, keeper: impl Keeper + 'static) -> Self {
        self.keeper = Arc::new(keeper);
        self
    }

    /// Who has phones woken.
    #[must_use]
    pub fn pusher(mut self, pusher: impl Pusher + 'static) -> Self {
        self.pusher = Arc::new(pusher);
        self
    }

    /// Where events, notices and copies of messages go.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Arc::new(sink);
        self
    }
}
