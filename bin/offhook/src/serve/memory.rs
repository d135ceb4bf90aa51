//! Memory that a busy hour needed is the kernel's again soon after it, though nothing happens any more.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// How often it is looked for. What was used within the last second stays.
const PAUSE: Duration = Duration::from_secs(2);

/// Gives it back now and then, until what it returns is dropped.
pub(super) fn give_back() -> io::Result<Sender<()>> {
    let (stop, stopped) = channel::<()>();
    thread::Builder::new().name("memory".into()).spawn(move || {
        while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
            net::give_memory_back();
        }
    })?;
    Ok(stop)
}
