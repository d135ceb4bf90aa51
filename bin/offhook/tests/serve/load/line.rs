//! A connection to the server, over which calls go.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use sip::Message;

pub(super) struct Line {
    stream: TcpStream,
    pub(super) us: SocketAddr,
    octets: Vec<u8>,
    /// The server has ended it.
    pub(super) ended: bool,
}

impl Line {
    pub(super) fn open(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).expect("the server listens there");
        stream.set_nodelay(true).expect("set");
        stream.set_nonblocking(true).expect("set");
        let us = stream.local_addr().expect("connected");
        Self { stream, us, octets: Vec::new(), ended: false }
    }

    /// What has come.
    pub(super) fn read(&mut self) -> Vec<Message> {
        let mut room = [0; 16_384];
        loop {
            match self.stream.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(length) => self.octets.extend(room.iter().take(length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
            if self.ended {
                break;
            }
        }
        let mut messages = Vec::new();
        // No answer to us has a body.
        while let Some(end) = self.octets.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = self.octets.split_off(end + 4);
            let message = std::mem::replace(&mut self.octets, rest);
            messages.push(Message::parse(message).expect("the server writes what can be read"));
        }
        messages
    }

    /// What does not fit into the kernel is waited for: the server reads.
    pub(super) fn write(&mut self, text: &str) {
        self.stream.set_nonblocking(false).expect("set");
        self.ended |= self.stream.write_all(text.as_bytes()).is_err();
        self.stream.set_nonblocking(true).expect("set");
    }
}
