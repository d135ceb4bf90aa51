//! `Plan`: what to listen on, and how patient to be.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Listener, Transport};

use crate::limits;
use crate::tls::Tls;
use crate::trains::Loading;
use crate::websocket::Origins;

/// What the driver is to do: listeners, shards, limits. [`Plan::bind`] is the next step.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to listen. Their places in this row are the numbers of the listeners.
    pub listen: Vec<Listen>,
    /// How many shards: 1 to [`limits::SHARDS`].
    pub shards: u16,
    /// Where media sockets are bound.
    pub media: MediaPlan,
    /// How long the driver waits for slow peers.
    pub patience: Patience,
    /// How many connections there may be.
    pub crowd: Crowd,
    /// How long a shard lets packets gather.
    pub naps: Naps,
    /// How a busy shard gives datagrams to the kernel.
    pub loading: Loading,
    /// Pages of which web sites may open a WebSocket.
    pub origins: Arc<Origins>,
    /// Certificates, and whom to trust: without it there is no TLS.
    pub tls: Option<Tls>,
    /// By which of the listeners servers of one cluster reach each other, and how.
    pub nodes: Option<Nodes>,
}

impl Plan {
    /// One shard, no listener, usual limits, no web site.
    pub fn new() -> Self {
        Self {
            listen: Vec::new(),
            shards: 1,
            media: MediaPlan::default(),
            patience: Patience::default(),
            crowd: Crowd::default(),
            naps: Naps::default(),
            loading: Loading::Trains,
            origins: Arc::new(Origins::Hosts(Vec::new())),
            tls: None,
            nodes: None,
        }
    }

    /// Adds a listener.
    #[must_use]
    pub fn on(mut self, transport: Transport, address: SocketAddr) -> Self {
        self.listen.push(Listen { transport, address, advertised: None });
        self
    }

    /// Adds a way out for a WebSocket client: it can call, and nobody can call it (RFC 7118 §B.1).
    #[must_use]
    pub fn client(mut self, transport: Transport, address: SocketAddr) -> Self {
        let name = format!("{:016x}", rand::random::<u64>());
        let nowhere = Listener::client(0, transport, address, &name);
        self.listen.push(Listen { transport, address, advertised: Some(nowhere.advertised) });
        self
    }

    /// So many shards.
    #[must_use]
    pub const fn shards(mut self, shards: u16) -> Self {
        self.shards = shards;
        self
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// How. For TLS, [`Plan::tls`] must be there.
    pub transport: Transport,
    /// Where; port 0 takes any.
    pub address: SocketAddr,
    /// The `host` or `host:port` that others should use. Without it, the bound address; for a wildcard, the address that this
    /// machine uses towards the world.
    pub advertised: Option<Box<str>>,
}

/// How servers of one cluster reach each other. One that is silent is gone soon: others can take over, and callers wait.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// The number of their listener.
    pub listener: u16,
    /// Their TLS, which is not that of phones; without it they speak TCP.
    pub tls: Option<Tls>,
    /// How long they wait for each other.
    pub patience: Patience,
}

/// Where media sockets are bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPlan {
    /// On which of our addresses; `None`: that of the first listener.
    pub address: Option<IpAddr>,
    /// The ports to choose from. The usual range lies below the ports that the system gives to clients.
    pub ports: RangeInclusive<u16>,
    /// Pairs at most, on each shard.
    pub pairs: usize,
}

impl Default for MediaPlan {
    fn default() -> Self {
        Self { address: None, ports: 16_384..=32_767, pairs: limits::MEDIA_PAIRS }
    }
}

/// How long the driver waits for slow peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From accepting a connection to its first whole message. A stranger who says nothing is gone within 32 seconds.
    pub first_message: Duration,
    /// From the first octet of a message to its last.
    pub half_message: Duration,
    /// From one sign of life to the next: a message, or a keep-alive. Longer than the longest registration, or phones that send no
    /// keep-alives could not be called.
    pub idle: Duration,
    /// From one sign of life of a WebSocket to our asking whether it is there. Web servers between us end what is quiet for a minute, and
    /// a browser that is gone is to be called no longer than this.
    pub ping: Duration,
    /// From that question to its answer.
    pub pong: Duration,
    /// From octets that cannot be written to the first that can: a peer that does not read, or is not there any more.
    pub stalled: Duration,
    /// From the last octet, either way, to the kernel's asking whether the peer is still there. It keeps the way through NATs open
    /// too (RFC 5626 §4.4.1 thinks of 95 to 120 seconds).
    pub probe: Duration,
    /// From a connection's being open to both sides having agreed on TLS. A phone on a bad line needs a second or two.
    pub handshake: Duration,
    /// From opening a connection to its being open: RFC 3263 §4.3 has another server to try.
    pub connect: Duration,
    /// From the end of a connection to its last octet being written.
    pub farewell: Duration,
}

impl Patience {
    /// For machines in one building: they answer within milliseconds, or they are gone.
    pub fn of_nodes() -> Self {
        let probe = Duration::from_secs(1);
        let (connect, stalled) = (2 * probe, 2 * probe);
        Self { probe, connect, stalled, ..Self::default() }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_message: Duration::from_secs(20),
            half_message: Duration::from_secs(20),
            idle: Duration::from_secs(7_500),
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(20),
            stalled: Duration::from_secs(30),
            probe: Duration::from_secs(100),
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(4),
            farewell: Duration::from_secs(2),
        }
    }
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Over all shards; fewer when the system does not let us open as many files.
    pub connections: usize,
    /// From one source address.
    pub a_source: usize,
    /// Octets that wait to be written to one connection.
    pub write_queue: usize,
    /// The same to all connections of one shard together.
    pub write_queues: usize,
    /// TLS handshakes with those who call us, at once on each shard.
    pub handshakes: usize,
    /// The same from one source address.
    pub handshakes_a_source: usize,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            a_source: limits::CONNECTIONS_A_SOURCE,
            write_queue: limits::WRITE_QUEUE,
            write_queues: limits::WRITE_QUEUES,
            handshakes: limits::HANDSHAKES,
            handshakes_a_source: limits::HANDSHAKES_A_SOURCE,
        }
    }
}

/// How long a shard under load lets packets gather before its next turn. Zero: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naps {
    /// While there is signalling.
    pub signalling: Duration,
    /// While there is nothing but media.
    pub media: Duration,
}

impl Default for Naps {
    fn default() -> Self {
        Self { signalling: Duration::from_micros(250), media: Duration::from_micros(1000) }
    }
}
