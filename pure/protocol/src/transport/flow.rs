//! `Flow`: one peer over one of our listeners (RFC 3261 §18, RFC 5626 §3).

use std::fmt;
use std::net::SocketAddr;

use super::Identity;

/// How octets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream within TLS.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket within TLS.
    Wss,
}

impl Transport {
    /// Reads the token of a Via or of a `transport` parameter, in any case.
    pub fn of(token: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|(_, name, _)| name.eq_ignore_ascii_case(token))
            .map(|(transport, ..)| *transport)
    }

    /// The token, in capitals as in a Via.
    pub fn token(self) -> &'static str {
        TABLE.iter().find(|(transport, ..)| *transport == self).map_or("UDP", |(_, name, _)| name)
    }

    /// The token in the `transport` parameter of a URI. It is the same for both WebSockets (RFC 7118 §5.2): the scheme tells them apart.
    pub const fn uri_token(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws | Self::Wss => "ws",
        }
    }

    /// True for WebSocket. Its server cannot call back: there is the connection that the client has opened, or no way (RFC 7118 §5.3).
    pub const fn is_web(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// True when nothing is lost and nothing needs to be repeated (RFC 3261 §17).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// True when octets travel within TLS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// The port when none is written (RFC 3261 §19.1.2, RFC 7118 §10).
    pub fn default_port(self) -> u16 {
        TABLE.iter().find(|(transport, ..)| *transport == self).map_or(5060, |(_, _, port)| *port)
    }
}

const TABLE: [(Transport, &str, u16); 5] = [
    (Transport::Udp, "UDP", 5060),
    (Transport::Tcp, "TCP", 5060),
    (Transport::Tls, "TLS", 5061),
    (Transport::Ws, "WS", 80),
    (Transport::Wss, "WSS", 443),
];

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

/// One peer over one of our listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// How.
    pub transport: Transport,
    /// Which of our listeners: a number that the driver gave.
    pub listener: u16,
    /// The connection, numbered by the driver from 1; 0 for datagrams and for "any, or a new one".
    pub connection: u32,
    /// The peer's address.
    pub peer: SocketAddr,
    /// Over TLS: the domain that the peer must prove to be; of what came, the domain that it has proven to be.
    pub identity: Identity,
}

impl Flow {
    /// The way to an address by a listener: any open connection, or a new one.
    pub const fn to(listener: &Listener, peer: SocketAddr) -> Self {
        let (transport, listener) = (listener.transport, listener.number);
        Self { transport, listener, connection: 0, peer, identity: Identity::NONE }
    }

    /// The same way, to whoever proves to be this domain. Where nothing is proven, nothing changes.
    #[must_use]
    pub fn proving(self, domain: &str) -> Self {
        let identity =
            if self.transport.is_secure() { Identity::of(domain) } else { Identity::NONE };
        Self { identity, ..self }
    }

    /// The same peer without regard to the connection.
    #[must_use]
    pub const fn any_connection(self) -> Self {
        Self { connection: 0, ..self }
    }
}

/// What is below this domain is nowhere (RFC 2606 §2).
const NOWHERE: &str = ".invalid";

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.peer)
    }
}

/// Where we listen, and what we say about it in Via, Contact and Record-Route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its number: the `listener` of its flows.
    pub number: u16,
    /// How.
    pub transport: Transport,
    /// Where it is bound; never port 0.
    pub bound: SocketAddr,
    /// The `host:port` that others should use: the bound address unless configured otherwise.
    pub advertised: Box<str>,
}

impl Listener {
    /// A listener that advertises what it is bound to.
    pub fn new(number: u16, transport: Transport, bound: SocketAddr) -> Self {
        Self { number, transport, bound, advertised: bound.to_string().into() }
    }

    /// Where a WebSocket client goes out: nobody can open a connection to it, and it says so by a name that leads nowhere (RFC 7118
    /// §B.1). Of `bound` only the address counts.
    pub fn client(number: u16, transport: Transport, bound: SocketAddr, name: &str) -> Self {
        Self { number, transport, bound, advertised: format!("{name}{NOWHERE}").into() }
    }

    /// True for where a WebSocket client goes out.
    pub fn is_client(&self) -> bool {
        self.transport.is_web() && self.advertised.ends_with(NOWHERE)
    }
}
