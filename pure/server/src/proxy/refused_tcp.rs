//! `RefusedTcp`: peers that took no TCP when a request was too large for a datagram (RFC 3261 §18.1.1).

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;

use crate::limits;

/// Who refused, and until when we believe it.
#[derive(Debug, Default)]
pub(super) struct RefusedTcp {
    until: BTreeMap<SocketAddr, Time>,
    order: VecDeque<SocketAddr>,
}

/// How long a refusal is believed. A phone that learns TCP does so by a restart.
const BELIEVED: Duration = Duration::from_secs(3600);

impl RefusedTcp {
    /// True when a peer is known to take no TCP.
    pub(super) fn has(&self, now: Time, peer: SocketAddr) -> bool {
        self.until.get(&peer).is_some_and(|until| *until > now)
    }

    /// Notes a refusal.
    pub(super) fn note(&mut self, now: Time, peer: SocketAddr) {
        if self.until.insert(peer, now + BELIEVED).is_none() {
            self.order.push_back(peer);
        }
        if self.order.len() > limits::NO_TCP
            && let Some(oldest) = self.order.pop_front()
        {
            self.until.remove(&oldest);
        }
    }
}
