//! `Sink`: where events, notices and a copy of every message go. Logs, metrics and ladders are its readers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use machine::Time;
use protocol::Flow;
use protocol::doors::Event;
use sip::Bytes;

/// Takes what a shard has to tell. It is called on the shard's thread: it must be quick, and must not wait.
pub trait Sink: Send + Sync {
    /// Something happened that a machine reports.
    fn event(&self, now: Time, shard: u16, event: Event);

    /// Something happened that the driver reports.
    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        let _ = (now, shard, notice);
    }

    /// Whether somebody follows what happens every day ([`Event::is_daily`]). Asked once a turn; while it is false, such events are not
    /// told, and hardly made.
    fn wants_daily(&self) -> bool {
        true
    }

    /// Whether somebody wants the messages. Asked once a turn; while it is false, messages cost nothing here.
    fn wants_messages(&self) -> bool {
        false
    }

    /// A message came in or goes out.
    fn message(&self, passed: Passed) {
        let _ = passed;
    }
}

impl<T: Sink + ?Sized> Sink for Arc<T> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        (**self).event(now, shard, event);
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        (**self).notice(now, shard, notice);
    }

    fn wants_daily(&self) -> bool {
        (**self).wants_daily()
    }

    fn wants_messages(&self) -> bool {
        (**self).wants_messages()
    }

    fn message(&self, passed: Passed) {
        (**self).message(passed);
    }
}

/// A message that came in or goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// When.
    pub at: Time,
    /// By which shard: for what comes in, the one that read it.
    pub shard: u16,
    /// In or out.
    pub way: Way,
    /// With whom, and by which listener.
    pub flow: Flow,
    /// The octets.
    pub wire: Bytes,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the world to us.
    In,
    /// From us to the world.
    Out,
}

/// Something that the driver reports of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The system gave a smaller receive buffer than we asked for.
    ReceiveBuffer {
        /// Of which listener.
        listener: u16,
        /// Octets that we got.
        got: usize,
    },
    /// There is too much to do, and the kernel does not drop for us what need not be read.
    Unfiltered {
        /// What it said.
        why: Box<str>,
    },
    /// No more files can be opened: a listener rests.
    NoMoreFiles,
    /// There are as many connections as there may be, in total or from one source: one was refused.
    TooManyConnections {
        /// From where.
        source: std::net::SocketAddr,
    },
    /// A connection was refused before it came to messages.
    Refused {
        /// From where.
        source: std::net::SocketAddr,
        /// What it was told.
        why: Box<str>,
    },
    /// A machine panicked. What it was about to say is lost; it goes on as it stands.
    Panicked {
        /// What it said.
        message: Box<str>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReceiveBuffer { listener, got } => write!(
                f,
                "listener {listener} has a receive buffer of {got} octets and wants {}: a short pause may lose datagrams; `sysctl \
                 -w net.core.rmem_max={}` allows it",
                crate::limits::RECEIVE_BUFFER,
                crate::limits::RECEIVE_BUFFER
            ),
            Self::Unfiltered { why } => write!(
                f,
                "the kernel takes no filter for this flood ({why}): each datagram is read, which costs calls; `sysctl -w \
                 net.core.optmem_max={}` allows it",
                crate::limits::FILTER_MEMORY
            ),
            Self::NoMoreFiles => f.write_str(
                "no more files can be opened: new connections wait; raise the limit (`ulimit -n`)",
            ),
            Self::TooManyConnections { source } => {
                write!(
                    f,
                    "a connection from {source} was refused: there are as many as there may be"
                )
            }
            Self::Refused { source, why } => {
                write!(f, "a connection from {source} was refused: {why}")
            }
            Self::Panicked { message } => {
                write!(f, "a machine panicked, please report it: {message}")
            }
        }
    }
}

/// A sink that hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deaf;

impl Sink for Deaf {
    fn event(&self, _: Time, _: u16, _: Event) {}

    fn wants_daily(&self) -> bool {
        false
    }
}

/// What a [`Wire`] carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A machine's event.
    Event(Time, u16, Event),
    /// The driver's notice.
    Notice(Time, u16, Notice),
    /// A message.
    Message(Passed),
}

/// A sink that passes everything to another thread. When that one is slow, what is too much is dropped and counted: calls do not wait
/// for those who watch them.
#[derive(Clone, Debug)]
pub struct Wire {
    to: SyncSender<Heard>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    wants_messages: AtomicBool,
    lost: AtomicU64,
}

impl Wire {
    /// A sink, and where its reader reads. At most `room` things wait.
    pub fn new(room: usize) -> (Self, Receiver<Heard>) {
        let (to, from) = sync_channel(room);
        (Self { to, state: Arc::default() }, from)
    }

    /// Begins or stops to carry messages too.
    pub fn carry(&self, messages: Carry) {
        self.state.wants_messages.store(messages == Carry::Messages, Ordering::Relaxed);
    }

    /// How many things were dropped because the reader was slow.
    pub fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// The same for whoever holds no end of it.
    pub fn losses(&self) -> Losses {
        Losses(Arc::clone(&self.state))
    }

    fn pass(&self, heard: Heard) {
        if self.to.try_send(heard).is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a [`Wire`] has dropped.
#[derive(Clone, Debug, Default)]
pub struct Losses(Arc<State>);

impl Losses {
    /// How many things, so far.
    pub fn get(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

/// Whether a [`Wire`] carries messages too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// Events and notices.
    Events,
    /// Messages too.
    Messages,
}

impl Sink for Wire {
    fn event(&self, now: Time, shard: u16, event: Event) {
        self.pass(Heard::Event(now, shard, event));
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.pass(Heard::Notice(now, shard, notice));
    }

    fn wants_messages(&self) -> bool {
        self.state.wants_messages.load(Ordering::Relaxed)
    }

    fn message(&self, passed: Passed) {
        self.pass(Heard::Message(passed));
    }
}
