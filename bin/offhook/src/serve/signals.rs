//! SIGTERM and SIGINT: the first drains, the second ends at once.

use std::io;
use std::thread;
use std::time::Duration;

use net::Handle;
use server::Node;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle as Ear, Signals};

use crate::log::Log;

/// Obeys signals on a thread of its own, until the ear is closed.
pub(super) fn obey(server: Handle<Node>, log: Log) -> io::Result<Ear> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let ear = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_none() {
            return;
        }
        let seconds = u32::try_from(DRAIN.as_secs()).unwrap_or(u32::MAX);
        log.info("draining", &[("seconds", seconds.into())]);
        drain(&server);
        if signals.next().is_some() {
            log.warning("stopping_now", &[]);
            server.stop();
        }
    })?;
    Ok(ear)
}

/// New calls are refused; what has begun is finished.
fn drain(server: &Handle<Node>) {
    for shard in 0..server.shards() {
        // A shard that has ended needs no telling.
        let _ = server.tell(shard, |node, _, _| node.drain());
    }
    server.drain(DRAIN);
}

/// How long transactions are given to finish: timer B and a bit (RFC 3261 §17.1.1.2).
const DRAIN: Duration = Duration::from_secs(35);
