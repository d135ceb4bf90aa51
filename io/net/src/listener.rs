//! Binding: every socket of the plan, before a machine is made, so that the machine knows its real addresses.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use protocol::{Listener, Transport};
use socket2::{Domain, Protocol, Socket, Type};

use crate::busy::{self, Process};
use crate::kernel::Class;
use crate::plan::{Listen, Plan};
use crate::tap::Notice;
use crate::tls::Tls;
use crate::{kernel, limits};

/// Sockets that are bound, and nothing that runs yet.
#[derive(Debug)]
pub struct Bound {
    pub(crate) plan: Plan,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) doors: Vec<Door>,
    pub(crate) notices: Vec<Notice>,
}

/// The sockets of one listener.
#[derive(Debug)]
pub(crate) enum Door {
    /// One for each shard: the kernel deals datagrams out by the peer's address, and no two threads meet at a socket.
    Datagrams(Vec<UdpSocket>),
    /// One, at shard 0, which deals connections out.
    Stream(TcpListener),
    /// One that only keeps its address.
    Shut(Socket),
}

impl Bound {
    /// The listeners, by number, with the addresses that they really have.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// How many shards there will be.
    pub const fn shards(&self) -> u16 {
        self.plan.shards
    }

    /// Its TLS, if it has any.
    pub const fn tls(&self) -> Option<&Tls> {
        self.plan.tls.as_ref()
    }

    /// The TLS by which the servers of one cluster reach each other, if they have any.
    pub fn nodes_tls(&self) -> Option<&Tls> {
        self.plan.nodes.as_ref()?.tls.as_ref()
    }

    /// The TLS of a listener. Its number may be another than its place in the plan, when others were there before.
    fn tls_of(&self, listen: &Listen) -> Option<&Tls> {
        let nodes = self
            .plan
            .nodes
            .as_ref()
            .filter(|nodes| self.plan.listen.get(usize::from(nodes.listener)) == Some(listen));
        nodes.map_or(self.plan.tls.as_ref(), |nodes| nodes.tls.as_ref())
    }

    /// What could not be had as wished, though we can go on.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl Plan {
    /// Binds everything that is to be listened on.
    pub fn bind(mut self) -> Result<Bound, BindError> {
        if self.shards == 0 || self.shards > limits::SHARDS {
            return Err(BindError::Shards(self.shards));
        }
        if self.listen.len() > limits::LISTENERS {
            return Err(BindError::Listeners(self.listen.len()));
        }
        let files = kernel::raise_file_limit();
        let room = files.saturating_sub(limits::FILES_KEPT.min(files / 2));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        self.crowd.connections = self.crowd.connections.min(room);
        let mut bound = Bound::of(self);
        for (number, listen) in (0..).zip(bound.plan.listen.clone()) {
            bound.open(number, &listen)?;
        }
        Ok(bound)
    }
}

impl Listen {
    /// What a WebSocket client says of where it is, when it is one.
    fn as_client(&self) -> Option<Box<str>> {
        let advertised = self.advertised.clone()?;
        let listener = Listener { advertised, ..Listener::new(0, self.transport, self.address) };
        listener.is_client().then_some(listener.advertised)
    }
}

impl Bound {
    /// Nothing yet.
    pub(crate) const fn of(plan: Plan) -> Self {
        Self { plan, listeners: Vec::new(), doors: Vec::new(), notices: Vec::new() }
    }

    /// A listener that is open already, as this plan advertises it.
    pub(crate) fn again(&self, listen: &Listen, listener: Listener) -> Listener {
        let advertised = listen.as_client().unwrap_or_else(|| advertised(listen, listener.bound));
        Listener { advertised, ..listener }
    }

    /// Binds one more.
    pub(crate) fn open(&mut self, number: u16, listen: &Listen) -> Result<Listener, BindError> {
        let failed = |error| BindError::Socket {
            transport: listen.transport,
            address: listen.address,
            holder: is_busy(&error)
                .then(|| busy::holder(listen.transport, listen.address))
                .flatten(),
            error,
        };
        let client = listen.as_client();
        let (door, bound) = match listen.transport {
            Transport::Ws | Transport::Wss if client.is_some() => reserve(listen.address),
            Transport::Udp => self.open_udp(number, listen.address),
            Transport::Tcp | Transport::Ws => open_stream(listen.address),
            Transport::Tls | Transport::Wss => match self.tls_of(listen) {
                None => return Err(BindError::NoCertificate(listen.transport)),
                Some(tls) if tls.can_serve() => open_stream(listen.address),
                Some(_) => reserve(listen.address),
            },
        }
        .map_err(failed)?;
        let mut listener = Listener::new(number, listen.transport, bound);
        listener.advertised = client.unwrap_or_else(|| advertised(listen, bound));
        self.listeners.push(listener.clone());
        self.doors.push(door);
        Ok(listener)
    }

    /// The first socket is bound alone, so that a second server on the same port is refused; only then does it let the other shards'
    /// sockets join.
    fn open_udp(&mut self, number: u16, address: SocketAddr) -> io::Result<(Door, SocketAddr)> {
        let first = udp_socket(address, Class::Signalling)?;
        first.bind(&address.into())?;
        let bound = first.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        if self.plan.shards > 1 {
            first.set_reuse_port(true)?;
        }
        let mut sockets = vec![first];
        for _ in 1..self.plan.shards {
            let socket = udp_socket(bound, Class::Signalling)?;
            socket.set_reuse_port(true)?;
            socket.bind(&bound.into())?;
            sockets.push(socket);
        }
        for socket in &sockets {
            kernel::ask_buffer(socket, limits::RECEIVE_BUFFER)?;
            kernel::ask(socket, bound, kernel::Tell::Errors)?;
            if bound.ip().is_unspecified() {
                kernel::ask(socket, bound, kernel::Tell::LocalAddress)?;
            }
        }
        if let Some(got) =
            sockets.first().map(receive_buffer).filter(|got| *got < limits::RECEIVE_BUFFER)
        {
            self.notices.push(Notice::ReceiveBuffer { listener: number, got });
        }
        Ok((Door::Datagrams(sockets.into_iter().map(UdpSocket::from).collect()), bound))
    }
}

/// A datagram socket that waits for nothing.
pub(crate) fn udp_socket(family: SocketAddr, class: Class) -> io::Result<Socket> {
    let socket =
        Socket::new(Domain::for_address(family), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if family.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    kernel::mark(&socket, family, class);
    Ok(socket)
}

/// The kernel counts its own book-keeping too, and reports twice what was asked for (socket(7)).
fn receive_buffer(socket: &Socket) -> usize {
    socket.recv_buffer_size().unwrap_or(0) / 2
}

fn open_stream(address: SocketAddr) -> io::Result<(Door, SocketAddr)> {
    let (socket, bound) = bind_stream(address)?;
    socket.listen(limits::BACKLOG)?;
    Ok((Door::Stream(socket.into()), bound))
}

/// Only to have an address of our own, by which we call others: nobody is let in without a certificate of ours.
fn reserve(address: SocketAddr) -> io::Result<(Door, SocketAddr)> {
    let (socket, bound) = bind_stream(address)?;
    Ok((Door::Shut(socket), bound))
}

fn bind_stream(address: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier life that the kernel still keeps must not stop us; a listener that lives still does.
    socket.set_reuse_address(true)?;
    kernel::mark(&socket, address, Class::Signalling);
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, bound))
}

/// What others should use.
fn advertised(listen: &Listen, bound: SocketAddr) -> Box<str> {
    let Some(wish) = &listen.advertised else {
        let ip = if bound.ip().is_unspecified() { towards_the_world(bound) } else { bound.ip() };
        return SocketAddr::new(ip, bound.port()).to_string().into();
    };
    if let Ok(ip) = wish.trim_matches(['[', ']']).parse::<IpAddr>() {
        return SocketAddr::new(ip, bound.port()).to_string().into();
    }
    if wish.contains(':') { wish.clone() } else { format!("{wish}:{}", bound.port()).into() }
}

/// The address that this machine would use towards the world. Connecting a datagram socket sends nothing; the addresses are those of
/// RFC 5737 and RFC 3849, where nobody lives.
pub(crate) fn towards_the_world(family: SocketAddr) -> IpAddr {
    let (any, world, here): (SocketAddr, SocketAddr, IpAddr) = if family.is_ipv4() {
        (
            (Ipv4Addr::UNSPECIFIED, 0).into(),
            (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
            Ipv4Addr::LOCALHOST.into(),
        )
    } else {
        (
            (Ipv6Addr::UNSPECIFIED, 0).into(),
            (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
            Ipv6Addr::LOCALHOST.into(),
        )
    };
    let ask = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(world)?;
        socket.local_addr()
    };
    ask().map_or(here, |address: SocketAddr| address.ip())
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

/// Why a plan could not be bound.
#[derive(Debug)]
pub enum BindError {
    /// 0 shards, or more than [`limits::SHARDS`].
    Shards(u16),
    /// More than [`limits::LISTENERS`].
    Listeners(usize),
    /// TLS, and the plan has none.
    NoCertificate(Transport),
    /// The kernel refused a socket.
    Socket {
        /// How it was to listen.
        transport: Transport,
        /// Where.
        address: SocketAddr,
        /// Who is there already, when that is why and we may see it.
        holder: Option<Process>,
        /// What the kernel said.
        error: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, address, holder, error) = match self {
            Self::Shards(shards) => {
                return write!(f, "{shards} shards: there can be 1 to {}", limits::SHARDS);
            }
            Self::Listeners(count) => {
                return write!(f, "{count} listeners: there can be {} at most", limits::LISTENERS);
            }
            Self::NoCertificate(transport) => {
                return write!(f, "cannot listen on {transport} without a certificate");
            }
            Self::Socket { transport, address, holder, error } => {
                (transport, address, holder, error)
            }
        };
        write!(f, "cannot listen on {transport} {address}: ")?;
        let port = address.port();
        match (error.kind(), holder) {
            (io::ErrorKind::AddrInUse, Some(Process { pid, name })) => {
                write!(
                    f,
                    "port {port} is taken by process {pid} ({name}); stop it, or choose another port"
                )
            }
            (io::ErrorKind::AddrInUse, None) => write!(
                f,
                "port {port} is taken by a process of another user (`sudo ss -lnp sport = :{port}` shows it); stop it, or choose \
                 another port"
            ),
            (io::ErrorKind::AddrNotAvailable, _) => {
                write!(
                    f,
                    "this machine has no address {}; `ip address` shows those it has",
                    address.ip()
                )
            }
            (io::ErrorKind::PermissionDenied, _) => {
                write!(
                    f,
                    "ports below 1024 are for root; choose a higher one, or allow it (CAP_NET_BIND_SERVICE)"
                )
            }
            _ => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Socket { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp(address: &str) -> Plan {
        Plan::new().on(Transport::Udp, address.parse().unwrap())
    }

    #[test]
    fn a_busy_port_names_the_process_that_holds_it() {
        for transport in [Transport::Udp, Transport::Tcp] {
            let first =
                Plan::new().on(transport, "127.0.0.1:0".parse().unwrap()).shards(2).bind().unwrap();
            let address = first.listeners()[0].bound;
            assert_ne!(address.port(), 0);
            let error =
                Plan::new().on(transport, address).shards(2).bind().unwrap_err().to_string();
            let taken = format!(
                "cannot listen on {transport} {address}: port {} is taken by process {} (",
                address.port(),
                std::process::id()
            );
            assert!(error.starts_with(&taken), "{error}");
        }
    }

    #[test]
    fn an_address_that_is_not_ours_is_named() {
        let error = udp("192.0.2.77:0").bind().unwrap_err().to_string();
        assert!(error.contains("this machine has no address 192.0.2.77"), "{error}");
        assert!(udp("127.0.0.1:0").shards(0).bind().is_err());
        let error = Plan::new().on(Transport::Tls, "127.0.0.1:0".parse().unwrap()).bind();
        assert_eq!(error.unwrap_err().to_string(), "cannot listen on TLS without a certificate");
    }

    #[test]
    fn routers_see_what_a_socket_carries() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let address: SocketAddr = address.parse().unwrap();
            let marks = |class| {
                let socket = udp_socket(address, class).unwrap();
                if address.is_ipv4() { socket.tos_v4() } else { socket.tclass_v6() }
            };
            assert_eq!(marks(Class::Sound).unwrap() >> 2, 0b101_110);
            assert_eq!(marks(Class::Signalling).unwrap() >> 2, 0b101_000);
        }
    }

    #[test]
    fn what_is_advertised_has_a_port_and_is_never_a_wildcard() {
        let advertised = |address: &str, wish: Option<&str>| {
            let mut plan = udp(address);
            plan.listen[0].advertised = wish.map(Into::into);
            let bound = plan.bind().unwrap();
            let listener = &bound.listeners()[0];
            listener.advertised.replace(&format!(":{}", listener.bound.port()), ":PORT")
        };
        assert_eq!(advertised("127.0.0.1:0", None), "127.0.0.1:PORT");
        assert_eq!(advertised("[::1]:0", None), "[::1]:PORT");
        assert_eq!(advertised("127.0.0.1:0", Some("sip.example.test")), "sip.example.test:PORT");
        assert_eq!(advertised("127.0.0.1:0", Some("sip.example.test:7")), "sip.example.test:7");
        assert_eq!(advertised("127.0.0.1:0", Some("2001:db8::1")), "[2001:db8::1]:PORT");
        assert!(!advertised("0.0.0.0:0", None).starts_with("0.0.0.0"));
        assert!(!advertised("[::]:0", None).starts_with("[::]"));
    }
}
