//! `Switchboard`: letters between shards. Each shard has one bounded inbox and a bell.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use machine::Time;
use protocol::doors::{Answer, Ticket};
use protocol::{Flow, Input, Transport};
use sip::Bytes;

use crate::census::Seat;
use crate::kernel::Bell;
use crate::limits;

/// What one shard sends another.
#[derive(Debug)]
pub(crate) enum Letter {
    /// Something for the machine. For datagrams on a wildcard listener: which of our addresses it came to.
    Input(Input, Option<IpAddr>),
    /// A message for a connection that lives with the addressee; the last is who sends it.
    Send(Flow, Bytes, u16),
    /// A domain that the flows of what follows name.
    Introduce(Box<str>),
    /// What goes to this address goes over the connection of this flow: told to whom the address belongs, and to whom the connection does.
    Alias(Flow, SocketAddr),
    /// A message for that connection of the addressee's, the flow that it was for, and who sends it.
    Detour(Flow, (Flow, Bytes), u16),
    /// That connection is gone: the message goes as if there had been none.
    Return(Flow, Bytes, u16),
    /// A connection that was just accepted, and belongs to the addressee.
    Adopt(Accepted),
    /// A connection of the addressee's must go, to make room.
    Evict(u32),
    /// A connection of the addressee's is wanted no more.
    Leave(Flow),
    /// The peer of a connection of the addressee's has proven who it is.
    Vouch(Flow),
}

/// A connection that was just accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub stream: TcpStream,
    /// By which listener, and what is spoken there.
    pub listener: (u16, Transport),
    pub peer: SocketAddr,
    pub seat: Seat,
}

/// Everybody's inbox, as seen from outside, and what all are told to do.
pub(crate) struct Switchboard {
    slots: Box<[Slot]>,
    /// Finish by this moment (in nanoseconds); [`Time::NEVER`]: nobody has said so.
    finish: AtomicU64,
    stopped: AtomicBool,
}

struct Slot {
    letters: SyncSender<Letter>,
    answers: Sender<(Ticket, Answer)>,
    bell: Bell,
    rung: AtomicBool,
    /// Letters, and things that the machine still has to finish: for draining.
    waiting: AtomicUsize,
    pending: AtomicUsize,
}

/// A shard's own end of its inbox.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub letters: Receiver<Letter>,
    /// What it has asked the resolver. Without a limit of its own: the shard counts what it has asked.
    pub answers: Receiver<(Ticket, Answer)>,
}

impl fmt::Debug for Switchboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Switchboard").field("shards", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Switchboard {
    pub(crate) fn new(shards: u16) -> io::Result<(Self, Vec<Inbox>)> {
        let mut slots = Vec::new();
        let mut inboxes = Vec::new();
        for _ in 0..shards {
            let ((letters, reads), (answers, hears)) = (sync_channel(limits::LETTERS), channel());
            slots.push(Slot {
                letters,
                answers,
                bell: Bell::new()?,
                rung: AtomicBool::new(false),
                waiting: AtomicUsize::new(0),
                pending: AtomicUsize::new(0),
            });
            inboxes.push(Inbox { letters: reads, answers: hears });
        }
        let finish = AtomicU64::new(Time::NEVER.0);
        let stopped = AtomicBool::new(false);
        Ok((Self { slots: slots.into(), finish, stopped }, inboxes))
    }

    /// How many shards there are.
    pub(crate) fn shards(&self) -> u16 {
        u16::try_from(self.slots.len()).unwrap_or(u16::MAX)
    }

    /// The bell that a shard listens to.
    pub(crate) fn bell(&self, shard: u16) -> Option<&Bell> {
        self.slots.get(usize::from(shard)).map(|slot| &slot.bell)
    }

    /// Puts a letter into an inbox; gives it back when that is full. [`ring`](Self::ring) must follow.
    #[allow(
        clippy::result_large_err,
        reason = "a box for each letter would cost more than the few that come back"
    )]
    pub(crate) fn post(&self, shard: u16, letter: Letter) -> Result<(), Letter> {
        let Some(slot) = self.slots.get(usize::from(shard)) else { return Err(letter) };
        slot.waiting.fetch_add(1, Ordering::AcqRel);
        slot.letters.try_send(letter).map_err(|refused| {
            slot.waiting.fetch_sub(1, Ordering::AcqRel);
            match refused {
                std::sync::mpsc::TrySendError::Full(letter)
                | std::sync::mpsc::TrySendError::Disconnected(letter) => letter,
            }
        })
    }

    /// Gives a shard the answer to something that it has asked. Never waits, so any thread may do it, the shard's own too.
    pub(crate) fn answer(&self, shard: u16, ticket: Ticket, answer: Answer) {
        let Some(slot) = self.slots.get(usize::from(shard)) else { return };
        // A shard that has ended asks nothing any more.
        drop(slot.answers.send((ticket, answer)));
        self.ring(shard);
    }

    /// Tells all to finish what has begun, by a moment.
    pub(crate) fn drain(&self, until: Time) {
        // Whoever has not heard of it yet has not finished.
        self.slots.iter().for_each(|slot| slot.pending.store(1, Ordering::Release));
        self.finish.fetch_min(until.0, Ordering::AcqRel);
        self.ring_all();
    }

    /// The moment by which all are to finish, when they are told to.
    pub(crate) fn finish(&self) -> Option<Time> {
        Some(Time(self.finish.load(Ordering::Acquire))).filter(|until| *until != Time::NEVER)
    }

    /// Tells all to end now.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.ring_all();
    }

    /// Whether all are told to end now.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn ring_all(&self) {
        (0..self.shards()).for_each(|shard| self.ring(shard));
    }

    /// Wakes a shard, unless it has been woken already.
    pub(crate) fn ring(&self, shard: u16) {
        let Some(slot) = self.slots.get(usize::from(shard)) else { return };
        if !slot.rung.swap(true, Ordering::AcqRel) {
            slot.bell.ring();
        }
    }

    /// What a shard does when it has heard its bell, before it reads its inbox.
    pub(crate) fn hush(&self, shard: u16) {
        let Some(slot) = self.slots.get(usize::from(shard)) else { return };
        slot.bell.hush();
        // A swap, not a store: it lets us see the letters of whoever found that it had been rung already.
        slot.rung.swap(false, Ordering::AcqRel);
    }

    /// So many letters have been read.
    pub(crate) fn took(&self, shard: u16, letters: usize) {
        if let Some(slot) = self.slots.get(usize::from(shard)) {
            slot.waiting.fetch_sub(letters, Ordering::AcqRel);
        }
    }

    /// How much a shard still has to finish.
    pub(crate) fn pending(&self, shard: u16, pending: usize) {
        if let Some(slot) = self.slots.get(usize::from(shard)) {
            slot.pending.store(pending, Ordering::Release);
        }
    }

    /// True when nobody has anything left to finish, and no letter is on its way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.slots.iter().all(|slot| {
            slot.pending.load(Ordering::Acquire) == 0 && slot.waiting.load(Ordering::Acquire) == 0
        })
    }
}
