//! `Question`: one question to the DNS on its way through the servers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;
use protocol::Transport;
use protocol::locate::{Failure, Lookup, Risk, States, Target};

use crate::limits;
use crate::wire::Edns;

/// One question, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) lookup: Lookup,
    /// The searches that wait.
    pub(crate) waiting: BTreeSet<u64>,
    /// When nobody waits any longer.
    pub(crate) until: Time,
    /// When an outdated answer is used instead, if there is one.
    pub(crate) stale_after: Option<Time>,
    pub(crate) stage: Stage,
}

/// How far a question is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// It waits for a socket.
    Queued,
    /// It has been sent.
    Sent(Try),
}

/// A question at one server.
#[derive(Debug)]
pub(crate) struct Try {
    /// The socket.
    pub(crate) wire: u64,
    /// The number on the question: only who has seen it can answer.
    pub(crate) id: u16,
    pub(crate) server: SocketAddr,
    pub(crate) way: Way,
    pub(crate) edns: Edns,
    /// When the next server is asked.
    pub(crate) until: Time,
    /// Answers to something else.
    pub(crate) strange: u32,
    pub(crate) tour: Tour,
}

/// How a question travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Udp,
    Tcp,
}

/// Which servers have been asked, and which are left.
#[derive(Clone, Debug)]
pub(crate) struct Tour {
    left: Vec<Target>,
    round: u32,
    /// Somebody did not answer in this round, and might in the next.
    silent: Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silent {
    Nobody,
    Somebody,
}

impl Tour {
    pub(crate) fn new(servers: &[SocketAddr]) -> Self {
        Self { left: targets(servers), round: 0, silent: Silent::Nobody }
    }

    /// The next server: all in their order, those that have failed lately last; then once more, if somebody was silent.
    pub(crate) fn next(
        &mut self,
        now: Time,
        states: &mut States,
        servers: &[SocketAddr],
    ) -> Option<SocketAddr> {
        if self.left.is_empty()
            && self.round.saturating_add(1) < limits::ROUNDS
            && self.silent == Silent::Somebody
        {
            self.round = self.round.saturating_add(1);
            self.silent = Silent::Nobody;
            self.left = targets(servers);
        }
        states.next(now, &mut self.left, Risk::Take).map(|target| target.address)
    }

    /// How long a server has in this round.
    pub(crate) fn patience(&self, way: Way) -> Duration {
        match way {
            Way::Udp => limits::FIRST_PATIENCE.saturating_mul(1 << self.round.min(limits::ROUNDS)),
            Way::Tcp => limits::TCP_PATIENCE,
        }
    }

    /// A server did not answer.
    pub(crate) fn silence(
        &mut self,
        now: Time,
        states: &mut States,
        server: SocketAddr,
        failure: Failure,
    ) {
        self.silent = Silent::Somebody;
        states.failed(now, key(server), failure);
    }
}

/// What the state of a server is kept by.
pub(crate) const fn key(server: SocketAddr) -> (Transport, SocketAddr) {
    (Transport::Udp, server)
}

fn targets(servers: &[SocketAddr]) -> Vec<Target> {
    let target = |address: &SocketAddr| Target {
        transport: Transport::Udp,
        address: *address,
        domain: "".into(),
    };
    servers.iter().map(target).collect()
}
