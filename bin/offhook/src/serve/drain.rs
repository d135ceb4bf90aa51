//! `Drain`: the server begins nothing new, finishes what has begun, and ends: whoever asks for it, and however often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use net::Handle;
use server::Node;

use crate::log::Log;

/// A server that can be told to drain.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    server: Handle<Node>,
    log: Log,
    begun: Arc<AtomicBool>,
}

impl Drain {
    pub(crate) fn new(server: Handle<Node>, log: Log) -> Self {
        Self { server, log, begun: Arc::default() }
    }

    /// True once it has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Begins, unless it has: new calls are refused, what has begun is finished. After how long the server ends.
    pub(super) fn begin(&self) -> Duration {
        if !self.begun.swap(true, Ordering::AcqRel) {
            let seconds = u32::try_from(DRAIN.as_secs()).unwrap_or(u32::MAX);
            self.log.info("draining", &[("seconds", seconds.into())]);
            for shard in 0..self.server.shards() {
                // A shard that has ended needs no telling.
                let _ = self.server.tell(shard, |node, _, _| node.drain());
            }
            self.server.drain(DRAIN);
        }
        DRAIN
    }

    /// Ends now.
    pub(super) fn stop(&self) {
        self.log.warning("stopping_now", &[]);
        self.server.stop();
    }
}

/// How long transactions are given to finish: timer B and a bit (RFC 3261 §17.1.1.2).
const DRAIN: Duration = Duration::from_secs(35);
