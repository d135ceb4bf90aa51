//! `Layer`: what lies between a TCP stream and those who read messages from it: nothing.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// How octets travel on a connection.
#[derive(Debug)]
pub(crate) enum Layer {
    /// As they are.
    Plain,
}

impl Layer {
    /// True once both sides have agreed on how to talk. Until then nothing of ours is written, and nothing is read.
    pub(crate) const fn is_up(&self) -> bool {
        match self {
            Self::Plain => true,
        }
    }

    /// Reads octets, as [`Read::read`] does: none when the peer has ended. It also does what the layer itself needs to come up.
    pub(crate) fn read(&mut self, stream: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain => stream.read(room),
        }
    }

    /// True when there may be more to read now, after so many octets came into so much room.
    pub(crate) const fn may_have_more(&self, came: usize, room: usize) -> bool {
        match self {
            Self::Plain => came == room,
        }
    }

    /// Takes octets to write, as [`Write::write`] does, and writes what the layer itself has to say.
    pub(crate) fn write(&mut self, stream: &mut TcpStream, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain => stream.write(octets),
        }
    }

    /// True while the layer itself has something to write.
    pub(crate) const fn wants_write(&self) -> bool {
        match self {
            Self::Plain => false,
        }
    }

    /// Says that nothing more will be written. Closing with octets unread would take back what was written just before: the peer ends
    /// the connection, or an alarm does.
    pub(crate) fn farewell(&mut self, stream: &TcpStream) {
        match self {
            // A stream that is gone has been told already.
            Self::Plain => drop(stream.shutdown(Shutdown::Write)),
        }
    }
}
