//! `Drain`: the server begins nothing new, finishes what has begun, and ends: whoever asks for it, and however often.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use net::Handle;
use server::Node;

use super::supervisor::Supervisor;
use crate::config::Server;
use crate::log::Log;

/// A server that can be told to drain. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    server: Handle<Node>,
    log: Log,
    begun: Arc<AtomicBool>,
    rules: Arc<Mutex<Server>>,
}

impl Drain {
    pub(crate) fn new(server: Handle<Node>, rules: &Server, log: Log) -> Self {
        let rules = Arc::new(Mutex::new(rules.clone()));
        Self { server, log, begun: Arc::default(), rules }
    }

    /// It goes by these rules when it begins.
    pub(super) fn take(&self, rules: &Server) {
        rules.clone_into(&mut self.rules.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// True once it has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Begins, unless it has: new calls are refused, what has begun is finished. After how long the server ends.
    pub(super) fn begin(&self) -> Duration {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !self.begun.swap(true, Ordering::AcqRel) {
            let seconds = u32::try_from(rules.drain.as_secs()).unwrap_or(u32::MAX);
            for shard in 0..self.server.shards() {
                let farewell = rules.drain_until;
                // A shard that has ended needs no telling.
                let _ = self.server.tell(shard, move |node, _, _| node.drain(farewell));
            }
            // Whoever reads this and calls is refused.
            self.log.info("draining", &[("seconds", seconds.into())]);
            Supervisor::new(self.log).stopping();
            self.server.drain(rules.drain);
        }
        rules.drain
    }

    /// Ends now.
    pub(super) fn stop(&self) {
        self.log.warning("stopping_now", &[]);
        self.server.stop();
    }
}
