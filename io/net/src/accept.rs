//! `Gate`: a listener that accepts connections, and rests when no more files can be opened.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use machine::Time;
use protocol::Transport;

use crate::kernel::{Epoll, Watch};
use crate::limits;
use crate::token::Token;

/// A listener that accepts connections.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: TcpListener,
    number: u16,
    transport: Transport,
    /// Until when it rests: epoll would tell of the connections that wait, again and again.
    rests: Option<Time>,
    /// Whether epoll watches it.
    watched: bool,
}

/// What a gate does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A connection came.
    Came(TcpStream, SocketAddr),
    /// Nobody waits.
    Nobody,
    /// No more files can be opened; it rests now.
    NoMoreFiles,
}

impl Gate {
    pub(crate) const fn new((number, transport): (u16, Transport), listener: TcpListener) -> Self {
        Self { listener, number, transport, rests: None, watched: false }
    }

    /// What is spoken on its connections.
    pub(crate) const fn transport(&self) -> Transport {
        self.transport
    }

    /// The number of its listener.
    pub(crate) const fn number(&self) -> u16 {
        self.number
    }

    /// Lets people in, unless it does, or rests.
    pub(crate) fn open(&mut self, epoll: &Epoll) -> io::Result<()> {
        if !self.watched && self.rests.is_none() {
            epoll.add(&self.listener, Token::Accept(self.number).bits(), Watch::Reading)?;
            self.watched = true;
        }
        Ok(())
    }

    /// The next connection.
    pub(crate) fn next(&mut self, epoll: &Epoll, now: Time) -> Next {
        for _ in 0..limits::ACCEPTS {
            match self.listener.accept() {
                Ok((stream, peer)) => return Next::Came(stream, peer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Next::Nobody,
                Err(error) if is_shortage(&error) => {
                    if self.watched {
                        drop(epoll.remove(&self.listener));
                        self.watched = false;
                    }
                    self.rests = Some(now + limits::ACCEPT_PAUSE);
                    return Next::NoMoreFiles;
                }
                // accept(2): what became of that one connection meanwhile; the next may be fine.
                Err(_) => {}
            }
        }
        Next::Nobody
    }

    /// Ends the rest when it is over.
    pub(crate) fn wake(&mut self, epoll: &Epoll, now: Time) -> io::Result<()> {
        if self.rests.is_some_and(|until| until <= now) {
            self.rests = None;
            self.open(epoll)?;
        }
        Ok(())
    }

    /// When its rest is over.
    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.rests
    }
}

fn is_shortage(error: &io::Error) -> bool {
    let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|number| shortages.contains(&number))
}
