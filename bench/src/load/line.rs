//! `Line`: one way to the server, and the messages that come out of it.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use crate::wire::{Transport, Wire};

/// Our end of a line, as our messages name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) transport: Transport,
    pub(crate) port: u16,
}

impl End {
    /// The transport as a Via names it and as a URI does, and the port.
    pub(crate) const fn words(self) -> (&'static str, &'static str, u16) {
        (self.transport.via(), self.transport.uri(), self.port)
    }
}

pub(crate) struct Line {
    pub(crate) end: End,
    wire: Wire,
    heard: Vec<u8>,
}

impl Line {
    pub(crate) fn connect(
        transport: Transport,
        server: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        let (wire, port) = Wire::connect(transport, server)?;
        Ok(Self { end: End { transport, port }, wire, heard: Vec::new() })
    }

    /// Puts a message into the queue.
    pub(crate) fn say(&mut self, message: String) -> io::Result<()> {
        self.wire.say(message)
    }

    /// Writes what waits and reads what has come, as far as the kernel goes along.
    pub(crate) fn pump(&mut self) -> io::Result<()> {
        self.wire.pump(&mut self.heard)
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Option<String> {
        let end = self.heard.windows(4).position(|octets| octets == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(self.heard.get(..end)?).into_owned();
        let length = head.lines().find_map(|row| row.strip_prefix("Content-Length:"));
        let end = end + length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        (self.heard.len() >= end).then(|| self.heard.drain(..end))?;
        Some(head)
    }
}
