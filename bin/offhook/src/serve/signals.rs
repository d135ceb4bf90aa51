//! SIGTERM and SIGINT: the first drains, the second ends at once.

use std::io;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle as Ear, Signals};

use super::drain::Drain;

/// Obeys signals on a thread of its own, until the ear is closed.
pub(super) fn obey(drain: Drain) -> io::Result<Ear> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let ear = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_none() {
            return;
        }
        drain.begin();
        if signals.next().is_some() {
            drain.stop();
        }
    })?;
    Ok(ear)
}
