//! `Framing`: how messages lie in the octets of a stream.

use std::sync::Arc;

use machine::Time;
use protocol::Transport;
use sip::stream::{self, Frame, Framer};
use sip::{Malformed, Message};

use crate::ear::Ear;
use crate::websocket::{self, Come, NotOpened, Origins, WebSocket};

/// How messages lie in the octets of a stream.
#[derive(Debug)]
pub(crate) enum Framing {
    /// One after the other, as long as their Content-Length says (RFC 3261 §18.3).
    Length(Framer),
    /// Each in a message of a WebSocket (RFC 7118 §5).
    Web(Box<WebSocket>),
}

/// What was cut out of the octets.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A message.
    Message(Message),
    /// A sign of life. It is answered already.
    SignOfLife,
    /// The answer to one of ours.
    Pong,
}

/// Why nothing more can be cut out.
#[derive(Debug)]
pub(crate) enum End {
    /// Octets that are no message: whoever reads messages may answer.
    Malformed(Malformed),
    /// The peer did not come as far as messages; it was told why.
    Refused(Box<str>),
    /// We did not come as far as messages.
    NotOpened,
    /// All is said: the peer broke a rule below the messages, or wants to go.
    Said,
}

impl Framing {
    /// For a connection that was accepted.
    pub(crate) fn accepted(transport: Transport, origins: &Arc<Origins>) -> Self {
        match transport {
            Transport::Ws | Transport::Wss => {
                Self::Web(Box::new(WebSocket::accept(Arc::clone(origins))))
            }
            Transport::Udp | Transport::Tcp | Transport::Tls => Self::Length(Framer::default()),
        }
    }

    /// For a connection that we open to `host`; what must be said first goes into `out`.
    pub(crate) fn opened(transport: Transport, host: &str, out: &mut Vec<u8>) -> Self {
        match transport {
            Transport::Ws | Transport::Wss => Self::Web(Box::new(WebSocket::open(host, out))),
            Transport::Udp | Transport::Tcp | Transport::Tls => Self::Length(Framer::default()),
        }
    }

    /// Takes octets as they came, and gives back what is not for now: what comes behind a message that need not be read is not copied before
    /// that is known.
    pub(crate) fn push<'a>(&mut self, octets: &'a [u8], ear: &mut Ear) -> &'a [u8] {
        match self {
            Self::Length(framer) if ear.is_deaf() => {
                return framer.sift(octets, |plain| ear.leaves_out(plain));
            }
            Self::Length(framer) => framer.push(octets),
            // A message a frame, from pages: all are read.
            Self::Web(socket) => socket.push(octets),
        }
        &[]
    }

    /// The next whole piece; what it calls for in answer goes into `out`. `None` when more octets are needed. After an error the stream
    /// has no meaning any more.
    pub(crate) fn cut(&mut self, now: Time, out: &mut Vec<u8>) -> Result<Option<Piece>, End> {
        match self {
            Self::Length(framer) => cut_stream(framer, out),
            Self::Web(socket) => cut_web(socket, now, out),
        }
    }

    /// Writes a message as the peer will cut it out.
    pub(crate) fn write(&mut self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Length(_) => out.extend_from_slice(message),
            Self::Web(socket) => socket.send(message, out),
        }
    }

    /// Asks whether the peer is there, where it answers that: keep-alives of RFC 5626 are the client's to send.
    pub(crate) fn ping(&mut self, out: &mut Vec<u8>) {
        if let Self::Web(socket) = self {
            socket.ping(out);
        }
    }

    /// True where the peer answers when it is asked whether it is there.
    pub(crate) fn can_ping(&self) -> bool {
        matches!(self, Self::Web(socket) if socket.is_open())
    }

    /// Says goodbye, where there is a word for it.
    pub(crate) fn farewell(&mut self, out: &mut Vec<u8>) {
        if let Self::Web(socket) = self {
            socket.farewell(out);
        }
    }

    /// Why the peer, whom we have called, has not agreed to messages so far.
    pub(crate) fn not_opened(&self) -> Option<NotOpened> {
        match self {
            Self::Length(_) => None,
            Self::Web(socket) => socket.not_opened(),
        }
    }

    /// Octets of ours that wait until the peer agrees to messages.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Length(_) => 0,
            Self::Web(socket) => socket.held(),
        }
    }

    /// True while a part of a message has come, and the rest has not.
    pub(crate) fn is_half(&self) -> bool {
        match self {
            Self::Length(framer) => framer.pending() > 0,
            Self::Web(socket) => socket.is_half(),
        }
    }

    /// Gives back the memory that the last message has needed. To be called when nothing is [half](Self::is_half) there.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Length(framer) => framer.forget(),
            // It keeps none.
            Self::Web(_) => {}
        }
    }
}

/// The answer to a ping between messages.
const PONG: &[u8] = b"\r\n";

fn cut_stream(framer: &mut Framer, out: &mut Vec<u8>) -> Result<Option<Piece>, End> {
    match framer.cut() {
        Ok(Some(Frame::Message(message))) => Ok(Some(Piece::Message(message))),
        Ok(Some(Frame::Ping)) => {
            // RFC 5626 §4.4.1. A peer that sends pings and reads nothing is closed like any other.
            out.extend_from_slice(PONG);
            Ok(Some(Piece::SignOfLife))
        }
        Ok(Some(Frame::Pong)) => Ok(Some(Piece::Pong)),
        Ok(None) => Ok(None),
        Err(malformed) => Err(End::Malformed(malformed)),
    }
}

/// A message of a WebSocket is one SIP message, or a keep-alive of RFC 5626 (RFC 7118 §5, §6).
fn cut_web(socket: &mut WebSocket, now: Time, out: &mut Vec<u8>) -> Result<Option<Piece>, End> {
    let come = socket.next(now, out).map_err(|end| match end {
        websocket::End::Refused(refusal) => End::Refused(refusal.to_string().into()),
        websocket::End::NotOpened(_) => End::NotOpened,
        websocket::End::Broken(_) | websocket::End::Goodbye => End::Said,
    })?;
    let octets = match come {
        None => return Ok(None),
        Some(Come::Opened | Come::SignOfLife) => return Ok(Some(Piece::SignOfLife)),
        Some(Come::Message(octets)) => octets,
    };
    match stream::whole(octets) {
        Ok(Frame::Message(message)) => Ok(Some(Piece::Message(message))),
        Ok(Frame::Ping) => {
            socket.send(PONG, out);
            Ok(Some(Piece::SignOfLife))
        }
        Ok(Frame::Pong) => Ok(Some(Piece::Pong)),
        Err(malformed) => {
            socket.part(websocket::Fault::NotSip);
            Err(End::Malformed(malformed))
        }
    }
}
