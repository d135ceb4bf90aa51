//! SIGTERM and SIGINT: the first drains, the second ends at once. SIGHUP: the config is read again.

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle as Ear, Signals};

use super::drain::Drain;
use super::steward::Steward;

/// Obeys signals on a thread of its own, until the ear is closed.
pub(super) fn obey(drain: Drain, steward: Option<Arc<Steward>>) -> io::Result<Ear> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let ear = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut signals = signals.forever();
        loop {
            match signals.next() {
                None => return,
                // What came of it, the steward has said.
                Some(SIGHUP) => drop(steward.as_ref().map(|steward| steward.reload())),
                Some(_) => break,
            }
        }
        drain.begin();
        if signals.any(|signal| signal != SIGHUP) {
            drain.stop();
        }
    })?;
    Ok(ear)
}
