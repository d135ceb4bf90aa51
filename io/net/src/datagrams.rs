//! A shard's UDP sockets for signalling: batches in, batches out, and peers that cannot be reached (RFC 3261 §18).

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use machine::Time;
use sip::Bytes;

use crate::counters::Counters;
use crate::filter::Filter;
use crate::kernel::{self, Batch, Epoll, Parcel, Watch};
use crate::limits;
use crate::recent::Recent;
use crate::token::Token;

/// One socket, what waits to be sent from it, and how its peers reach us.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub socket: UdpSocket,
    pub queue: Queue,
    /// What epoll was last told.
    watch: Watch,
    /// By which of our addresses peers reach us, so that answers come from there: only where the socket is bound to a wildcard.
    ways: Option<Recent<SocketAddr, IpAddr>>,
    dropped: Dropped,
    is_ipv4: bool,
    /// Whether epoll watches it.
    watched: bool,
    /// When it is closed.
    pub until: Time,
}

/// What the kernel has dropped of what came.
#[derive(Debug, Default)]
struct Dropped {
    so_far: u64,
    /// It drops some on our behalf, and counts them with those for which there was no room.
    on_our_behalf: bool,
}

impl Mouth {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        let local = socket.local_addr().ok();
        let wildcard = local.is_some_and(|address| address.ip().is_unspecified());
        let ways = wildcard.then(|| Recent::new(limits::WAYS));
        Self {
            is_ipv4: local.is_some_and(|address| address.is_ipv4()),
            socket,
            queue: Queue::default(),
            watch: Watch::Reading,
            ways,
            dropped: Dropped::default(),
            watched: false,
            until: Time::NEVER,
        }
    }

    /// Begins to listen, unless it does.
    pub(crate) fn open(&mut self, epoll: &Epoll, number: u16) -> io::Result<()> {
        if !self.watched {
            epoll.add(&self.socket, Token::Datagrams(number).bits(), self.watch)?;
            self.watched = true;
        }
        Ok(())
    }

    /// Tells epoll what to look for.
    pub(crate) fn watch(&mut self, epoll: &Epoll, number: u16, watch: Watch) -> io::Result<()> {
        if self.watch != watch {
            self.watch = watch;
            if self.watched {
                epoll.change(&self.socket, Token::Datagrams(number).bits(), watch)?;
            }
        }
        Ok(())
    }

    /// True when the peer is of the socket's family.
    pub(crate) fn is_for(&self, peer: SocketAddr) -> bool {
        self.is_ipv4 == peer.is_ipv4()
    }

    /// A peer reached us by one of our addresses.
    pub(crate) fn note(&mut self, peer: SocketAddr, local: Option<IpAddr>) {
        if let (Some(ways), Some(local)) = (&mut self.ways, local) {
            ways.note(peer, local);
        }
    }

    /// Puts a datagram into the queue. False when that is full.
    pub(crate) fn send(&mut self, to: SocketAddr, octets: Bytes) -> bool {
        let from = self.ways.as_ref().and_then(|ways| ways.of(&to).copied());
        self.queue.put(Parcel { to, from, octets })
    }

    /// Takes one batch. True when there may be more.
    pub(crate) fn receive(&mut self, batch: &mut Batch) -> bool {
        // What an ICMP message made of the last datagram is told to the next call; the error queue has it in full.
        let received = (0..limits::ERRORS_A_TURN).find_map(|_| batch.receive(&self.socket).ok());
        received == Some(batch.room())
    }

    /// Peers that cannot be reached, as far as the kernel was told; each once, however often it was tried.
    pub(crate) fn unreachable(&self) -> BTreeSet<SocketAddr> {
        (0..limits::ERRORS_A_TURN)
            .map_while(|_| kernel::next_error(&self.socket).ok().flatten())
            .flatten()
            .collect()
    }

    /// How many datagrams the kernel has dropped since the last call, because we were slow. Not known while it is deaf.
    pub(crate) fn overflow(&mut self) -> u64 {
        let all = kernel::overflowed(&self.socket);
        let new = all.saturating_sub(self.dropped.so_far);
        self.dropped.so_far = all;
        if self.dropped.on_our_behalf { 0 } else { new }
    }

    /// Has the kernel drop what the filter wants; where it does not, everything is read as before.
    ///
    /// # Errors
    /// What the kernel has against the filter.
    pub(crate) fn deafen(&mut self, filter: &Filter) -> io::Result<()> {
        let attached = filter.attach(&self.socket);
        let deaf = attached.is_ok() && !filter.is_empty();
        self.dropped.on_our_behalf |= deaf;
        self.overflow();
        self.dropped.on_our_behalf = deaf;
        attached
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self, counters: &Counters) -> Sent {
        let sent = self.queue.flush(&self.socket);
        counters.datagrams_out.add(sent.sent);
        counters.datagrams_unsent.add(sent.unsent);
        sent
    }
}

/// Datagrams that wait to be sent from one socket.
#[derive(Debug, Default)]
pub(crate) struct Queue(VecDeque<Parcel>);

/// What came of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub sent: usize,
    pub unsent: usize,
    /// To whom something could not be sent: no way there, too large, no such address.
    pub lost: BTreeSet<SocketAddr>,
    /// The kernel takes no more for now.
    pub blocked: bool,
}

impl Queue {
    /// False when it is full.
    pub(crate) fn put(&mut self, parcel: Parcel) -> bool {
        let room = self.0.len() < limits::DATAGRAMS_WAITING;
        if room {
            self.0.push_back(parcel);
        }
        room
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what waits; says how much that was.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }

    /// Sends what waits, in order, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, socket: &UdpSocket) -> Sent {
        let mut result = Sent::default();
        let mut refused = 0;
        while !self.0.is_empty() {
            let (first, second) = self.0.as_slices();
            let parcels = if first.is_empty() { second } else { first };
            match kernel::send(socket, parcels) {
                Ok(sent) => {
                    drop(self.0.drain(..sent.min(self.0.len())));
                    result.sent += sent;
                    refused = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    result.blocked = true;
                    break;
                }
                // Mostly news of an earlier datagram (an ICMP message came), told once: try again. Else this one cannot be sent.
                Err(_) if refused < 2 => refused += 1,
                // It was to leave from an address that this machine may not have any more: from whichever it has now.
                Err(_) if self.0.front().is_some_and(|first| first.from.is_some()) => {
                    self.0.iter_mut().take(1).for_each(|first| first.from = None);
                    refused = 0;
                }
                Err(_) => {
                    result.unsent += 1;
                    result.lost.extend(self.0.pop_front().map(|parcel| parcel.to));
                    refused = 0;
                }
            }
        }
        result
    }
}
