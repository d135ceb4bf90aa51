//! `Ear`: hears which records other nodes have changed. What is said while it is deaf is lost: whoever needs to be sure asks the store.

use std::io;
use std::sync::Arc;
use std::thread;

use crate::clerk::channel;
use crate::cluster::Office;
use crate::limits;
use crate::resp::Said;
use crate::wire::Wire;

/// Listens until the cluster is closed.
pub(crate) fn listen(office: &Arc<Office>, changed: &dyn Fn(&[u8])) {
    while !office.is_over() {
        for place in office.known() {
            if let Ok(wire) = office.open_wire(&place) {
                // However it ends, the next server is asked.
                let _ = hear(office, wire, changed);
            }
            if office.is_over() {
                return;
            }
        }
        thread::sleep(limits::REST);
    }
}

fn hear(office: &Office, mut wire: Wire, changed: &dyn Fn(&[u8])) -> io::Result<()> {
    let prefix = &office.url.prefix;
    let channel = channel(prefix);
    wire.ask(&[b"SUBSCRIBE", channel.as_bytes()])?;
    wire.patience(Some(limits::PULSE))?;
    let key = [prefix.as_bytes(), b":aor:"].concat();
    let mut silent = false;
    while !office.is_over() {
        match wire.read() {
            Ok(Said::Row(parts)) => {
                silent = false;
                if let [_, _, Said::Octets(Some(name))] = &parts[..]
                    && let Some(name) = name.strip_prefix(&key[..])
                {
                    changed(name);
                }
            }
            Ok(_) => silent = false,
            // Nothing was said for a while: is somebody there? Whoever does not answer that either is not.
            Err(error) if is_pause(&error) && !silent => {
                silent = true;
                let mut ping = Vec::new();
                crate::resp::put(&mut ping, &[b"PING"]);
                wire.send(&ping)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
