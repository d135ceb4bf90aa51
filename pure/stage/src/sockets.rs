//! Media sockets: pairs of ports that an actor lends to its machines (RFC 3550 §11: RTP even, RTCP the next).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use protocol::Answer;
use protocol::doors::Socket;

use crate::limits;

/// The ports that are lent.
pub(crate) const PORTS: Range<u16> = 20_000..40_000;

/// What is lent at the moment, and to which shard.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    ip: IpAddr,
    next_port: u16,
    next: u32,
    by_number: BTreeMap<Socket, SocketAddr>,
    by_address: BTreeMap<SocketAddr, (Socket, usize)>,
}

impl Sockets {
    pub(crate) const fn new(ip: IpAddr) -> Self {
        Self {
            ip,
            next_port: PORTS.start,
            next: 0,
            by_number: BTreeMap::new(),
            by_address: BTreeMap::new(),
        }
    }

    /// Lends a pair.
    pub(crate) fn lend(&mut self, shard: usize) -> Answer {
        let Some(port) = self.free_port() else { return Answer::Nothing };
        let rtp = self.bind(SocketAddr::new(self.ip, port), shard);
        let rtcp = self.bind(SocketAddr::new(self.ip, port.saturating_add(1)), shard);
        Answer::MediaSockets { rtp, rtcp }
    }

    /// Takes one back.
    pub(crate) fn close(&mut self, socket: Socket) {
        if let Some(at) = self.by_number.remove(&socket) {
            self.by_address.remove(&at);
        }
    }

    pub(crate) fn at(&self, address: SocketAddr) -> Option<(Socket, usize)> {
        // A socket that is bound to all addresses of its host hears what comes to any.
        let ip = if self.ip.is_unspecified() { self.ip } else { address.ip() };
        self.by_address.get(&SocketAddr::new(ip, address.port())).copied()
    }

    pub(crate) fn address(&self, socket: Socket) -> Option<SocketAddr> {
        self.by_number.get(&socket).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    fn bind(&mut self, at: SocketAddr, shard: usize) -> (Socket, SocketAddr) {
        self.next = self.next.wrapping_add(1);
        let socket = Socket(self.next);
        self.by_number.insert(socket, at);
        self.by_address.insert(at, (socket, shard));
        (socket, at)
    }

    /// The next even port that is free together with the odd one above it. Ports go round, so that what comes late for a
    /// call meets a closed door and not the next call.
    fn free_port(&mut self) -> Option<u16> {
        for _ in 0..limits::MEDIA {
            let port = self.next_port;
            self.next_port = port.saturating_add(2);
            if self.next_port >= PORTS.end {
                self.next_port = PORTS.start;
            }
            let taken = |port: u16| self.by_address.contains_key(&SocketAddr::new(self.ip, port));
            if !taken(port) && !taken(port.saturating_add(1)) {
                return Some(port);
            }
        }
        None
    }
}
