//! `Layer`: what lies between a TCP stream and those who read messages from it: nothing, or TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::tls::session::Session;

/// How octets travel on a connection.
#[derive(Debug)]
pub(crate) enum Layer {
    /// As they are.
    Plain,
    /// Within TLS.
    Tls(Box<Session>),
}

impl Layer {
    /// True once both sides have agreed on how to talk. Until then nothing of ours is written, and nothing is read.
    pub(crate) fn is_up(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Tls(session) => session.is_up(),
        }
    }

    /// The TLS of it, if it is that.
    pub(crate) fn session(&self) -> Option<&Session> {
        match self {
            Self::Plain => None,
            Self::Tls(session) => Some(session),
        }
    }

    /// Reads octets, as [`Read::read`] does: none when the peer has ended. It also does what the layer itself needs to come up.
    pub(crate) fn read(&mut self, stream: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain => stream.read(room),
            Self::Tls(session) => session.read(stream, room),
        }
    }

    /// True when it has taken from the socket what nobody will tell of again.
    pub(crate) const fn holds_more(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls(session) => session.holds_more(),
        }
    }

    /// True when there may be more to read now, after so many octets came into so much room. Of what is left in the socket epoll tells again.
    pub(crate) const fn may_have_more(&self, came: usize, room: usize) -> bool {
        match self {
            Self::Plain => came == room,
            Self::Tls(_) => self.holds_more(),
        }
    }

    /// Takes octets to write, as [`Write::write`] does, and writes what the layer itself has to say.
    pub(crate) fn write(&mut self, stream: &mut TcpStream, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain => stream.write(octets),
            Self::Tls(session) => session.write(stream, octets),
        }
    }

    /// True while the layer itself has something to write.
    pub(crate) fn wants_write(&self) -> bool {
        match self {
            Self::Plain => false,
            Self::Tls(session) => session.wants_write(),
        }
    }

    /// Says that nothing more will be written. Closing with octets unread would take back what was written just before: the peer ends
    /// the connection, or an alarm does.
    pub(crate) fn farewell(&mut self, stream: &mut TcpStream) {
        match self {
            // A stream that is gone has been told already.
            Self::Plain => drop(stream.shutdown(Shutdown::Write)),
            Self::Tls(session) => session.farewell(stream),
        }
    }
}
