//! Connections that we open, without waiting (RFC 3261 §18.1.1; RFC 5922 §7.3).

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use machine::Time;
use protocol::{Flow, Listener};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::census::Begins;
use crate::connection::{Connection, State};
use crate::framing::Framing;
use crate::kernel::{self, Class, Epoll, Watch};
use crate::layer::Layer;
use crate::plan::Patience;
use crate::streams::Streams;
use crate::token::Token;

impl Streams {
    /// Opens a connection; its number.
    pub(crate) fn open(
        &mut self,
        epoll: &Epoll,
        now: Time,
        flow: Flow,
        by: &Listener,
    ) -> io::Result<u32> {
        let result = self.dial(epoll, now, flow, by);
        if result.is_err() {
            self.counters.connections_failed.one();
        }
        result
    }

    fn dial(&mut self, epoll: &Epoll, now: Time, flow: Flow, by: &Listener) -> io::Result<u32> {
        // RFC 7118 §5.3: nobody can be called back over WebSocket.
        if flow.transport.is_web() && !by.is_client() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let layer = self.layer(flow)?;
        let seat = self.census.seat(flow.peer, Begins::ByUs);
        let (seat, evicted) = seat.ok_or(io::ErrorKind::QuotaExceeded)?;
        self.evicted.extend(evicted);
        let socket = Socket::new(
            Domain::for_address(flow.peer),
            Type::STREAM.nonblocking(),
            Some(Protocol::TCP),
        )?;
        if !by.bound.ip().is_unspecified() {
            socket.bind(&SocketAddr::new(by.bound.ip(), 0).into())?;
        }
        tune(SockRef::from(&socket), self.patience(by.number))?;
        kernel::mark(&socket, flow.peer, Class::Signalling);
        match socket.connect(&flow.peer.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let flow = Flow { connection: seat.number(), ..flow };
        let stream = TcpStream::from(socket);
        epoll.add(&stream, Token::Stream(flow.connection).bits(), Watch::Writing)?;
        let mut first = Vec::new();
        let framing = Framing::opened(flow.transport, &self.host(flow), &mut first);
        let state = State::Opening { since: now };
        let mut connection = Connection::new(stream, (flow, layer, framing), state, seat);
        connection.watch = Watch::Writing;
        connection.begin(first);
        self.keep(connection);
        Ok(flow.connection)
    }

    /// What a `Host` field calls the peer (RFC 9110 §7.2): the domain that it must prove to be, or its address.
    fn host(&self, flow: Flow) -> String {
        let (peer, usual) = (flow.peer, flow.transport.default_port());
        let host = match self.introduced.of(&flow.identity) {
            Some(name) if name.contains(':') => format!("[{name}]"),
            Some(name) => name.to_string(),
            None if peer.is_ipv6() => format!("[{}]", peer.ip()),
            None => peer.ip().to_string(),
        };
        if peer.port() == usual { host } else { format!("{host}:{}", peer.port()) }
    }

    fn layer(&self, flow: Flow) -> io::Result<Layer> {
        if !flow.transport.is_secure() {
            return Ok(Layer::Plain);
        }
        let name = self.introduced.of(&flow.identity);
        let session = self.tls(flow.listener).zip(name).and_then(|(tls, name)| tls.connect(name));
        Ok(Layer::Tls(Box::new(session.ok_or(io::ErrorKind::InvalidInput)?)))
    }
}

/// What every connection is told: wait for nothing; send at once; and end when the peer's machine has not answered for too long, or
/// requests would go on into a connection whose other end has lost its power.
pub(crate) fn tune(socket: SockRef<'_>, patience: &Patience) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    // The kernel counts these in whole seconds.
    let second = Duration::from_secs(1);
    let (first, next) = (patience.probe.max(second), (patience.stalled / 3).max(second));
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(first).with_interval(next))?;
    // A little later than we would see it ourselves: who is there and does not read is counted as such.
    socket.set_tcp_user_timeout(Some(
        patience.stalled.saturating_add(patience.stalled.min(5 * second)),
    ))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_peer_that_has_lost_its_power_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let patience = Patience::default();
        tune(SockRef::from(&stream), &patience).unwrap();
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(35)));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), patience.probe);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        assert!(socket.nonblocking().unwrap() && socket.tcp_nodelay().unwrap());
    }
}
