//! A shard's UDP sockets for signalling: batches in, batches out, and peers that cannot be reached (RFC 3261 §18).

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use machine::Time;
use protocol::doors::Deafness;
use sip::Bytes;

use crate::counters::Counters;
use crate::filter::Filter;
use crate::kernel::{self, Batch, Epoll, Parcel, Watch};
use crate::limits;
use crate::recent::Recent;
use crate::token::Token;
use crate::trains::{self, Loading, Narrow, Ways};

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
    /// What of it need not be read.
    deafness: Deafness,
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
            queue: Queue::of(&socket),
            socket,
            watch: Watch::Reading,
            ways,
            dropped: Dropped::default(),
            deafness: Deafness::default(),
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

    /// Has the kernel drop what the filter of that deafness wants, and what there is to be no room for; where it does not, everything is read as before.
    ///
    /// # Errors
    /// What the kernel has against the filter.
    pub(crate) fn deafen(&mut self, deafness: &Deafness, filter: &Filter) -> io::Result<()> {
        let before = std::mem::replace(&mut self.deafness, deafness.clone());
        if before.room != deafness.room {
            self.make_room(deafness.room);
        }
        // To take a filter costs the kernel a millisecond.
        if before == (Deafness { room: before.room, ..deafness.clone() }) {
            return Ok(());
        }
        let attached = filter.attach(&self.socket);
        if attached.is_err() {
            // The next time it may.
            self.deafness.share = 0;
        }
        let deaf = attached.is_ok() && !filter.is_empty();
        self.dropped.on_our_behalf |= deaf;
        self.overflow();
        self.dropped.on_our_behalf = deaf;
        attached
    }

    /// Lets so many datagrams wait, or as many as usual. The kernel has never said no, and if it did as many would wait as before.
    fn make_room(&self, datagrams: Option<u32>) {
        let octets = datagrams.map(|many| limits::DATAGRAM_WAITING.saturating_mul(many as usize));
        let octets = octets.unwrap_or(limits::RECEIVE_BUFFER).min(limits::RECEIVE_BUFFER);
        kernel::ask_buffer(&self.socket, octets).ok();
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self, counters: &Counters, loading: Loading) -> Sent {
        let sent = self.queue.flush(&self.socket, loading);
        counters.datagrams_out.add(sent.sent);
        counters.datagrams_unsent.add(sent.unsent);
        sent
    }
}

/// Datagrams that wait to be sent from one socket.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    parcels: VecDeque<Parcel>,
    /// The way out of this socket cuts no trains.
    singly: bool,
    narrow: Narrow,
}

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
    /// That of a socket. A kernel that has never heard of trains would send one as a single datagram, without a word: so it is asked.
    fn of(socket: &impl AsRawFd) -> Self {
        let knows = kernel::set(socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok();
        Self { parcels: VecDeque::new(), singly: !knows, narrow: Narrow::default() }
    }

    /// False when it is full.
    pub(crate) fn put(&mut self, parcel: Parcel) -> bool {
        let room = self.parcels.len() < limits::DATAGRAMS_WAITING;
        if room {
            self.parcels.push_back(parcel);
        }
        room
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Drops what waits; says how much that was.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.parcels).len()
    }

    /// Sends what waits, in order, as far as the kernel takes it. Where much waits, what can go in one [train](trains) may overtake the rest.
    pub(crate) fn flush(&mut self, socket: &UdpSocket, loading: Loading) -> Sent {
        let mut result = Sent::default();
        let mut refused = 0;
        let few = self.parcels.len() < limits::TRAINS_FROM;
        let mut loading = if self.singly || few { Loading::Singly } else { loading };
        if loading == Loading::Trains {
            self.parcels.make_contiguous().chunks_mut(limits::CARGO).for_each(trains::couple);
        }
        while !self.parcels.is_empty() {
            let (first, second) = self.parcels.as_slices();
            let parcels = if first.is_empty() { second } else { first };
            let ways = match loading {
                Loading::Singly => Ways::Singly,
                Loading::Trains => Ways::Trains(&self.narrow),
            };
            match kernel::send(socket, parcels, ways) {
                Ok(sent) => {
                    drop(self.parcels.drain(..sent.min(self.parcels.len())));
                    result.sent += sent;
                    refused = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    result.blocked = true;
                    break;
                }
                // Mostly news of an earlier datagram (an ICMP message came), told once: try again. Else this one cannot be sent.
                Err(_) if refused < 2 => refused += 1,
                // Perhaps each can go by itself. An interface that leaves checksums to us never takes a train.
                Err(error) if loading == Loading::Trains => {
                    self.singly = error.raw_os_error() == Some(libc::EIO);
                    match self.parcels.front().filter(|_| !self.singly) {
                        Some(first) if self.is_train() => {
                            self.narrow.note(first.to.ip(), first.octets.len());
                        }
                        _ => loading = Loading::Singly,
                    }
                    refused = 0;
                }
                // It was to leave from an address that this machine may not have any more: from whichever it has now.
                Err(_) if self.parcels.front().is_some_and(|first| first.from.is_some()) => {
                    self.parcels.iter_mut().take(1).for_each(|first| first.from = None);
                    refused = 0;
                }
                Err(_) => {
                    result.unsent += 1;
                    result.lost.extend(self.parcels.pop_front().map(|parcel| parcel.to));
                    refused = 0;
                }
            }
        }
        result
    }

    /// Does what waits begin with a train?
    fn is_train(&self) -> bool {
        let (first, second) = self.parcels.as_slices();
        let parcels = if first.is_empty() { second } else { first };
        let mut trains = trains::cut(parcels, Ways::Trains(&self.narrow));
        trains.next().is_some_and(|train| train.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::apart;

    fn socket() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    /// Two hundred datagrams of four lengths for two peers, numbered.
    fn filled(peers: [SocketAddr; 2]) -> Queue {
        let mut queue = Queue::default();
        for n in 0..200 {
            let text = format!("{n:03}{}", "x".repeat(n % 4));
            let put = queue.put(Parcel { to: peers[n / 2 % 2], from: None, octets: text.into() });
            assert!(put);
        }
        queue
    }

    /// What has come, by length.
    fn received(socket: &UdpSocket) -> [Vec<usize>; 4] {
        let mut by_length: [Vec<usize>; 4] = Default::default();
        for _ in 0..100 {
            let mut room = [0; 64];
            let length = socket.recv(&mut room).unwrap();
            let text = str::from_utf8(&room[..length]).unwrap();
            by_length[length - 3].push(text[..3].parse().unwrap());
        }
        by_length
    }

    fn all_come(sender: &UdpSocket, queue: &mut Queue, peers: [(UdpSocket, SocketAddr); 2]) {
        let sent = queue.flush(sender, Loading::Trains);
        assert_eq!(sent, Sent { sent: 200, ..Sent::default() });
        assert!(queue.is_empty());
        for (mine, (socket, _)) in peers.iter().enumerate() {
            for (length, numbers) in received(socket).into_iter().enumerate() {
                let meant = (0..200).filter(|n| n / 2 % 2 == mine && n % 4 == length);
                assert_eq!(numbers, meant.collect::<Vec<usize>>(), "{mine} {length}");
            }
        }
    }

    #[test]
    fn what_goes_in_trains_comes_as_it_was_sent() {
        let (sender, peers) = (socket().0, [socket(), socket()]);
        all_come(&sender, &mut filled([peers[0].1, peers[1].1]), peers);
    }

    /// How many of two hundred wait that come before any is read.
    fn waiting(mouth: &mut Mouth) -> usize {
        let (sender, to) = (socket().0, mouth.socket.local_addr().unwrap());
        (0..200).for_each(|_| assert_eq!(sender.send_to(&[b'x'; 400], to).unwrap(), 400));
        mouth.socket.set_nonblocking(true).unwrap();
        std::iter::from_fn(|| mouth.socket.recv(&mut [0; 400]).ok()).count()
    }

    #[test]
    fn as_many_wait_as_there_is_to_be_room_for() {
        let mut mouth = Mouth::new(socket().0);
        let mut told = |room| {
            let deafness = Deafness { room, ..Deafness::default() };
            mouth.deafen(&deafness, &Filter::of(&deafness)).unwrap();
            (waiting(&mut mouth), mouth.overflow())
        };
        assert_eq!(told(Some(1000)), (200, 0));
        let (few, lost) = told(Some(32));
        // A datagram takes from half of what is set aside for it to twice as much.
        assert!((16..=128).contains(&few), "{few}");
        assert_eq!(lost, 200 - few as u64, "those are known");
        assert_eq!(told(None), (200, 0), "as many as usual");
    }

    /// Who sends without checksums is refused trains (EINVAL), as by an interface that cannot cut them.
    #[test]
    fn where_no_train_can_go_each_goes_by_itself() {
        let (sender, peers) = (socket().0, [socket(), socket()]);
        kernel::set(&sender, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1).unwrap();
        let mut queue = filled([peers[0].1, peers[1].1]);
        let row = queue.parcels.make_contiguous();
        trains::couple(row);
        assert!(kernel::send(&sender, row, Ways::Trains(&Narrow::default())).is_err());
        all_come(&sender, &mut queue, peers);
    }

    /// In a network whose only way takes 576 octets, in a process of its own: true there.
    fn narrow_network(test: &str) -> bool {
        const MARK: &str = "OFFHOOK_TEST_NARROW";
        if std::env::var_os(MARK).is_some() {
            return true;
        }
        let script = "ip link set lo mtu 576 up";
        apart::runs_again(test, (MARK, "1".as_ref()), (&["--net"], script));
        false
    }

    /// Where a datagram has to be cut in parts on its way, no train is tried in vain each time: those that are short enough still go in some.
    #[test]
    fn where_the_way_is_narrow_long_trains_are_tried_once() {
        if !narrow_network("datagrams::tests::where_the_way_is_narrow_long_trains_are_tried_once") {
            return;
        }
        let (sender, peer) = (socket().0, socket());
        let mut queue = Queue::of(&sender);
        let trains = |queue: &Queue, length: usize| {
            let octets = vec![b'x'; length].into();
            let row = vec![Parcel { to: peer.1, from: None, octets }; 20];
            trains::cut(&row, Ways::Trains(&queue.narrow)).count()
        };
        assert_eq!((trains(&queue, 1000), trains(&queue, 400)), (1, 1));
        for length in [1000, 1000, 400] {
            for n in 0..30 {
                let octets = format!("{n:03}{}", "x".repeat(length)).into();
                assert!(queue.put(Parcel { to: peer.1, from: None, octets }));
            }
            let sent = queue.flush(&sender, Loading::Trains);
            assert_eq!(sent, Sent { sent: 30, ..Sent::default() });
            for n in 0..30 {
                let mut room = [0; 2000];
                assert_eq!(peer.0.recv(&mut room).unwrap(), length + 3);
                assert!(room.starts_with(format!("{n:03}x").as_bytes()));
            }
            assert_eq!((trains(&queue, 1003), trains(&queue, 400)), (20, 1), "{length}");
        }
    }

    /// A socket that knows no trains says so: here one for streams.
    #[test]
    fn who_knows_no_trains_is_given_none() {
        assert!(!Queue::of(&socket().0).singly);
        let stream = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(Queue::of(&stream).singly);
    }

    /// As few as a small office ever has at once leave in their order.
    #[test]
    fn few_keep_their_order() {
        let (sender, peer) = (socket().0, socket());
        let mut queue = filled([peer.1, peer.1]);
        queue.parcels.truncate(limits::TRAINS_FROM - 1);
        assert_eq!(queue.flush(&sender, Loading::Trains).sent, limits::TRAINS_FROM - 1);
        for n in 0..limits::TRAINS_FROM - 1 {
            let mut room = [0; 64];
            let length = peer.0.recv(&mut room).unwrap();
            assert!(room[..length].starts_with(format!("{n:03}").as_bytes()));
        }
    }
}
