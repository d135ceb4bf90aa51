//! Media sockets: pairs of UDP ports for RTP and RTCP (RFC 3550 §11), from a range, at ports that a stranger cannot guess.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use protocol::doors::Socket;
use sip::Bytes;

use crate::counters::Counters;
use crate::datagrams::Queue;
use crate::kernel::{Class, Parcel};
use crate::limits;
use crate::listener::udp_socket;
use crate::plan::MediaPlan;
use crate::trains::Loading;

/// The media sockets of one shard.
#[derive(Debug)]
pub(crate) struct Media {
    plan: MediaPlan,
    address: IpAddr,
    sockets: BTreeMap<Socket, Ear>,
    /// Those with something to send.
    loud: BTreeSet<Socket>,
    last: u32,
    dice: RandomState,
    thrown: u64,
}

#[derive(Debug)]
struct Ear {
    socket: UdpSocket,
    queue: Queue,
}

/// A pair: RTP, RTCP.
pub(crate) type Pair = [(Socket, SocketAddr); 2];

impl Media {
    /// None open yet; `address` is where they will be bound.
    pub(crate) fn new(plan: MediaPlan, address: IpAddr) -> Self {
        Self {
            plan,
            address,
            sockets: BTreeMap::new(),
            loud: BTreeSet::new(),
            last: 0,
            dice: RandomState::new(),
            thrown: 0,
        }
    }

    /// Opens a pair: an even port and the one above it.
    pub(crate) fn open(&mut self) -> io::Result<Pair> {
        if self.sockets.len() >= self.plan.pairs.saturating_mul(2) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        // Halves of even ports; port 0 would be any.
        let low = self.plan.ports.start().div_ceil(2).max(1);
        let high = self.plan.ports.end().saturating_sub(1) / 2;
        let count = u64::from(high).saturating_sub(u64::from(low)).saturating_add(1);
        if high < low {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..limits::PORT_TRIES {
            let half = u64::from(low).saturating_add(self.roll() % count.max(1));
            let port = u16::try_from(half.saturating_mul(2)).unwrap_or(u16::MAX);
            result = self.bind(port);
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        let [rtp, rtcp] = result?;
        Ok([self.keep(rtp), self.keep(rtcp)])
    }

    fn bind(&self, port: u16) -> io::Result<[(UdpSocket, SocketAddr); 2]> {
        let bind = |port: u16| {
            let address = SocketAddr::new(self.address, port);
            let socket = udp_socket(address, Class::Sound)?;
            socket.bind(&address.into())?;
            Ok::<_, io::Error>((UdpSocket::from(socket), address))
        };
        Ok([bind(port)?, bind(port.saturating_add(1))?])
    }

    fn keep(&mut self, (socket, address): (UdpSocket, SocketAddr)) -> (Socket, SocketAddr) {
        self.last = self.last.wrapping_add(1);
        let number = Socket(self.last);
        self.sockets.insert(number, Ear { socket, queue: Queue::default() });
        (number, address)
    }

    /// Random bits: a counter under a key from the system's random device.
    fn roll(&mut self) -> u64 {
        self.thrown = self.thrown.wrapping_add(1);
        self.dice.hash_one(self.thrown)
    }

    /// True while there is a socket for sound.
    pub(crate) fn is_open(&self) -> bool {
        !self.sockets.is_empty()
    }

    /// Closes one.
    pub(crate) fn close(&mut self, socket: Socket) {
        self.sockets.remove(&socket);
        self.loud.remove(&socket);
    }

    /// The socket of that number, while it is open.
    pub(crate) fn socket(&self, socket: Socket) -> Option<&UdpSocket> {
        self.sockets.get(&socket).map(|ear| &ear.socket)
    }

    /// Puts a datagram into the socket's queue. False when it is closed, or the queue is full.
    pub(crate) fn send(&mut self, socket: Socket, to: SocketAddr, octets: Bytes) -> bool {
        let Some(ear) = self.sockets.get_mut(&socket) else { return false };
        let fits = to.is_ipv4() == self.address.is_ipv4();
        let put = fits && ear.queue.put(Parcel { to, from: None, octets });
        if put {
            self.loud.insert(socket);
        }
        put
    }

    /// Sends what waits. Sound that the kernel does not take at once is too late anyway: it is dropped.
    pub(crate) fn flush(&mut self, counters: &Counters) {
        while let Some(socket) = self.loud.pop_first() {
            let Some(ear) = self.sockets.get_mut(&socket) else { continue };
            let sent = ear.queue.flush(&ear.socket, Loading::Singly);
            counters.media_out.add(sent.sent);
            counters.media_unsent.add(sent.unsent);
            if sent.blocked {
                counters.media_unsent.add(ear.queue.clear());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// "RTP SHOULD use an even destination port number and the corresponding RTCP stream SHOULD use the next higher (odd)"
    /// Proves: rfc3550-11-1, rfc3550-11-3.
    #[test]
    fn ports_come_in_pairs_from_the_range_and_in_no_order() {
        let plan = MediaPlan { pairs: 40, ..MediaPlan::default() };
        let range = plan.ports.clone();
        let mut media = Media::new(plan, Ipv4Addr::LOCALHOST.into());
        let pairs: Vec<Pair> = (0..40).map(|_| media.open().unwrap()).collect();
        for [(_, rtp), (_, rtcp)] in &pairs {
            assert_eq!(rtp.port() % 2, 0);
            assert_eq!(rtcp.port(), rtp.port() + 1);
            assert!(range.contains(&rtp.port()) && range.contains(&rtcp.port()));
        }
        assert!(!pairs.is_sorted_by_key(|[(_, rtp), _]| rtp.port()));
        assert!(media.open().is_err(), "the pool is empty");
        media.close(pairs[0][0].0);
        media.close(pairs[0][1].0);
        assert!(media.open().is_ok());
    }

    #[test]
    fn a_range_without_a_whole_pair_gives_nothing() {
        for ports in [5001..=5001, 5000..=5000, 5001..=5002, 0..=0] {
            let mut media =
                Media::new(MediaPlan { ports, ..MediaPlan::default() }, Ipv4Addr::LOCALHOST.into());
            assert_eq!(media.open().unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
        }
    }
}
