//! `Resolver`: the face of this crate. A search costs its caller nothing but a message to the resolver's thread.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, mem};

use machine::Dice;
use mio::{Poll, Waker};
use protocol::locate::{Domain, Hop, Means, Naptr, Target, Unlocated};

use crate::counts::Counts;
use crate::desk::{Finding, Wish};
use crate::limits;
use crate::office::{Errand, Office, WAKER};

/// Whom to tell what was found.
pub type Tell = Box<dyn FnOnce(Finding) + Send>;

/// Whom to ask, and what to do when something looks wrong.
pub struct Settings {
    /// The name servers, asked in this order.
    pub servers: Servers,
    /// The system's table of names: asked before any server. `None`: none.
    pub hosts: Option<PathBuf>,
    /// Told when a domain that offered TLS does so no more: somebody may be changing its answers (RFC 3263 §7).
    pub withdrawn: Box<dyn Fn(&Domain) + Send>,
}

/// Which name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Servers {
    /// These, at most [`limits::SERVERS`].
    These(Vec<SocketAddr>),
    /// Those that this file names (resolv.conf(5)); it is read again when it changes.
    Of(PathBuf),
}

impl Default for Settings {
    /// What the system says, in `/etc`.
    fn default() -> Self {
        Self {
            servers: Servers::Of("/etc/resolv.conf".into()),
            hosts: Some("/etc/hosts".into()),
            withdrawn: Box::new(|_| ()),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("servers", &self.servers)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// Locates SIP servers, on a thread of its own. The thread ends when this is dropped.
pub struct Resolver {
    inbox: Option<SyncSender<Errand>>,
    waker: Waker,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Resolver {
    /// Starts the thread. The seed comes from the system's random device: it makes the numbers and the choices of this resolver
    /// unforeseeable.
    ///
    /// # Errors
    /// When the system gives no thread or no poll.
    pub fn start(settings: Settings, seed: u128) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (inbox, errands) = sync_channel(limits::INBOX);
        let counts = Arc::new(Counts::default());
        let mut office = Office::new(poll, errands, settings, Dice::new(seed), Arc::clone(&counts));
        let thread = thread::Builder::new().name("dns".into()).spawn(move || office.run())?;
        Ok(Self { inbox: Some(inbox), waker, counts, thread: Some(thread) })
    }

    /// Locates the servers of a next hop, and returns at once. `tell` is called once, here and now when there is nothing to look up,
    /// else on the resolver's thread, where it must not wait: with the targets in the order to try, at the latest after
    /// [`limits::SEARCH`].
    pub fn locate(
        &self,
        hop: Hop,
        means: Means,
        tell: impl FnOnce(Result<Vec<Target>, Unlocated>) + Send + 'static,
    ) {
        if let Some(outcome) = hop.at_once(&means) {
            return tell(outcome);
        }
        self.send(Errand {
            wish: Wish::Servers(hop, means),
            tell: Box::new(|finding| match finding {
                Finding::Servers(found) => tell(found),
                Finding::Services(_) => tell(Err(Unlocated::NoAnswer)),
            }),
        });
    }

    /// Looks up the services of a name, its NAPTR records, in the same way.
    pub fn services(
        &self,
        name: Domain,
        tell: impl FnOnce(Result<Vec<Naptr>, Unlocated>) + Send + 'static,
    ) {
        self.send(Errand {
            wish: Wish::Services(name),
            tell: Box::new(|finding| match finding {
                Finding::Services(found) => tell(found),
                Finding::Servers(_) => tell(Err(Unlocated::NoAnswer)),
            }),
        });
    }

    fn send(&self, errand: Errand) {
        let Some(inbox) = &self.inbox else { return };
        match inbox.try_send(errand) {
            // Without the wake-up it would only be later.
            Ok(()) => drop(self.waker.wake()),
            Err(TrySendError::Full(errand) | TrySendError::Disconnected(errand)) => {
                self.counts.refused.up();
                let nothing = errand.wish.nothing();
                (errand.tell)(nothing);
            }
        }
    }

    /// What it has done so far.
    pub const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        drop(mem::take(&mut self.inbox));
        drop(self.waker.wake());
        if let Some(thread) = mem::take(&mut self.thread) {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("counts", &self.counts).finish_non_exhaustive()
    }
}
