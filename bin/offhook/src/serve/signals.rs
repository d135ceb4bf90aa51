//! SIGTERM and SIGINT: the first drains, the second ends at once. SIGHUP: the config is read again.

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle as Ear, Signals};

use super::drain::Drain;
use super::steward::Steward;

/// From now on a signal waits until it is obeyed. To be called before anybody is told that we are there: a SIGHUP that comes sooner would end us.
pub(crate) fn hear() -> io::Result<Signals> {
    Signals::new([SIGTERM, SIGINT, SIGHUP])
}

/// Obeys signals on a thread of its own, until the ear is closed.
pub(super) fn obey(
    mut signals: Signals,
    drain: Drain,
    steward: Option<Arc<Steward>>,
) -> io::Result<Ear> {
    let ear = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut signals = signals.forever();
        loop {
            match signals.next() {
                None => return,
                // What comes of it, the steward says. Nobody waits for it here: the next signal may be that to end.
                Some(SIGHUP) => steward.iter().for_each(|steward| steward.reload_soon(None)),
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
