//! `Line`: one question on its own socket, by UDP or TCP (RFC 1035 §4.2; RFC 5452 §9.2: a port that nobody can foresee).

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Poll, Token};

use crate::question::Way;

/// A socket with one question on it.
#[derive(Debug)]
pub(crate) enum Line {
    Udp(UdpSocket),
    Tcp(Stream),
}

/// A connection with one question on it.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    /// What has not been written yet.
    unsent: Vec<u8>,
    /// What has come, with the two octets of its length.
    came: Vec<u8>,
}

/// What a line has to say.
#[derive(Debug)]
pub(crate) enum News<'a> {
    Nothing,
    Message(&'a [u8]),
    Broken,
}

impl Line {
    /// Opens a socket to a server, connected: so only the server's own address can answer, and its refusal is heard. The system
    /// gives the port, at random.
    pub(crate) fn open(
        poll: &Poll,
        token: Token,
        way: Way,
        server: SocketAddr,
        octets: Vec<u8>,
    ) -> io::Result<Self> {
        match way {
            Way::Udp => {
                let any = if server.is_ipv4() {
                    SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
                } else {
                    SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
                };
                let mut socket = UdpSocket::bind(any)?;
                socket.connect(server)?;
                poll.registry().register(&mut socket, token, Interest::READABLE)?;
                socket.send(&octets)?;
                Ok(Self::Udp(socket))
            }
            Way::Tcp => {
                let mut socket = TcpStream::connect(server)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut socket, token, interest)?;
                let length = u16::try_from(octets.len()).map_err(|_| ErrorKind::InvalidInput)?;
                let mut unsent = length.to_be_bytes().to_vec();
                unsent.extend_from_slice(&octets);
                Ok(Self::Tcp(Stream { socket, unsent, came: Vec::new() }))
            }
        }
    }

    /// Takes what has come, until there is nothing more.
    pub(crate) fn read<'a>(&'a mut self, buffer: &'a mut [u8]) -> News<'a> {
        match self {
            Self::Udp(socket) => match retry(|| socket.recv(buffer)) {
                Ok(length) => buffer.get(..length).map_or(News::Broken, News::Message),
                Err(error) if error.kind() == ErrorKind::WouldBlock => News::Nothing,
                Err(_) => News::Broken,
            },
            Self::Tcp(stream) => stream.read(buffer),
        }
    }

    pub(crate) fn close(&mut self, poll: &Poll) {
        // A socket that cannot be deregistered is gone from the poll as soon as it is dropped.
        drop(match self {
            Self::Udp(socket) => poll.registry().deregister(socket),
            Self::Tcp(stream) => poll.registry().deregister(&mut stream.socket),
        });
    }
}

impl Stream {
    fn read(&mut self, buffer: &mut [u8]) -> News<'_> {
        if self.write().is_err() {
            return News::Broken;
        }
        loop {
            match retry(|| self.socket.read(buffer)) {
                Ok(0) => return News::Broken,
                Ok(length) => self.came.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(error) if is_early(&error) => return News::Nothing,
                Err(_) => return News::Broken,
            }
            if let Some(whole) = length(&self.came).filter(|whole| self.came.len() >= *whole) {
                return self.came.get(2..whole).map_or(News::Broken, News::Message);
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match retry(|| self.socket.write(&self.unsent)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if is_early(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Octets of a message with its length; `None` while the length has not come.
fn length(came: &[u8]) -> Option<usize> {
    let (length, _) = came.split_first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*length)).saturating_add(2))
}

/// Nothing yet: no octets, or no connection.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
