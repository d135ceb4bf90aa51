//! `Framing`: how messages lie in the octets of a stream.

use sip::stream::{Frame, Framer};
use sip::{Malformed, Message};

/// How messages lie in the octets of a stream.
#[derive(Debug)]
pub(crate) enum Framing {
    /// One after the other, as long as their Content-Length says (RFC 3261 §18.3).
    Length(Framer),
}

/// What was cut out of the octets.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A message.
    Message(Message),
    /// A sign of life. It is answered already.
    SignOfLife,
}

impl Framing {
    /// For SIP over TCP and TLS.
    pub(crate) fn length() -> Self {
        Self::Length(Framer::default())
    }

    /// Takes octets as they came.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        match self {
            Self::Length(framer) => framer.push(octets),
        }
    }

    /// The next whole piece; what it calls for in answer goes into `out`. `None` when more octets are needed. After an error the stream
    /// has no meaning any more.
    pub(crate) fn cut(&mut self, out: &mut Vec<u8>) -> Result<Option<Piece>, Malformed> {
        match self {
            Self::Length(framer) => Ok(framer.cut()?.map(|frame| match frame {
                Frame::Message(message) => Piece::Message(message),
                Frame::Ping => {
                    // RFC 5626 §4.4.1. A peer that sends pings and reads nothing is closed like any other.
                    out.extend_from_slice(b"\r\n");
                    Piece::SignOfLife
                }
                Frame::Pong => Piece::SignOfLife,
            })),
        }
    }

    /// Writes a message as the peer will cut it out.
    pub(crate) fn write(&mut self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Length(_) => out.extend_from_slice(message),
        }
    }

    /// True while a part of a message has come, and the rest has not.
    pub(crate) fn is_half(&self) -> bool {
        match self {
            Self::Length(framer) => framer.pending() > 0,
        }
    }

    /// Gives back the memory that the last message has needed. To be called when nothing is [half](Self::is_half) there.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Length(framer) => *framer = Framer::default(),
        }
    }
}
