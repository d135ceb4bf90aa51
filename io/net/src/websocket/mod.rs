//! `WebSocket`: SIP messages in frames over one stream (RFC 6455, RFC 7118). Octets in, messages and octets out; no socket, no clock.
//!
//! A server waits for the request to upgrade (`upgrade.rs`), a client sends it (`ask.rs`); then both exchange frames (`frame.rs`), of
//! which messages are made (`assembly.rs`). The library reads heads and frame headers; what to believe of them, how much to keep and what to
//! answer is decided here. Nothing is allocated for what was only announced.

mod ask;
mod assembly;
mod fault;
mod frame;
mod http;
mod origin;
#[cfg(test)]
mod tests;
mod upgrade;

use std::sync::Arc;

use machine::Time;
use sip::Bytes;

pub use ask::NotOpened;
pub use fault::Fault;
pub use origin::{BadOrigin, Origins, Site};
pub use upgrade::Refusal;

use ask::Question;
use assembly::{Assembly, Piece};
use frame::{Mask, Opcode};

/// One WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    mask: Mask,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// A server that waits for the whole request to upgrade.
    Asked { head: Vec<u8>, origins: Arc<Origins> },
    /// A client that waits for the whole answer; what it wants to say then.
    Asking { head: Vec<u8>, question: Question, held: Vec<u8> },
    /// Frames go both ways.
    Open(Assembly),
    /// What comes does not count any more; when all of ours is said, this is the goodbye.
    Parting(Fault),
    /// We have said goodbye.
    Closed,
    /// A client that was not given the upgrade.
    NotOpened(NotOpened),
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Come {
    /// The upgrade is done.
    Opened,
    /// A whole message, of text or binary frames (RFC 7118 §4.2).
    Message(Bytes),
    /// A ping, which is answered, or a pong.
    SignOfLife,
}

/// Why nothing more can come. What there was to say about it is among the octets to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A server did not agree to the upgrade.
    Refused(Refusal),
    /// A client was not given the upgrade: a transport error (RFC 7118 §4.1).
    NotOpened(NotOpened),
    /// The peer broke a rule.
    Broken(Fault),
    /// The peer said goodbye.
    Goodbye,
}

impl WebSocket {
    /// The server's end of a stream that was accepted.
    pub fn accept(origins: Arc<Origins>) -> Self {
        Self { mask: Mask::Theirs, stage: Stage::Asked { head: Vec::new(), origins } }
    }

    /// The client's end of a stream that was opened to `host`, as a `Host` field writes it. What it asks goes into `out`.
    pub fn open(host: &str, out: &mut Vec<u8>) -> Self {
        let question = Question::new();
        question.write(host, out);
        let stage = Stage::Asking { head: Vec::new(), question, held: Vec::new() };
        Self { mask: Mask::Ours, stage }
    }

    /// Takes octets as they came.
    pub fn push(&mut self, octets: &[u8]) {
        match &mut self.stage {
            Stage::Asked { head, .. } | Stage::Asking { head, .. } => {
                head.extend_from_slice(octets)
            }
            Stage::Open(assembly) => assembly.push(octets),
            Stage::Parting(_) | Stage::Closed | Stage::NotOpened(_) => {}
        }
    }

    /// The next thing that has come in whole; what it calls for in answer goes into `out`. `None` when more octets are needed.
    ///
    /// # Errors
    /// When nothing more can come: the stream is to be closed once `out` is written.
    pub fn next(&mut self, now: Time, out: &mut Vec<u8>) -> Result<Option<Come>, End> {
        match &mut self.stage {
            Stage::Asked { head, origins } => match upgrade::judge(head, origins) {
                Ok(None) => Ok(None),
                Ok(Some(upgrade)) => {
                    upgrade.write(out);
                    let rest = head.split_off(upgrade.length);
                    Ok(Some(self.opened(&rest)))
                }
                Err(refusal) => {
                    refusal.write(out);
                    self.stage = Stage::Closed;
                    Err(End::Refused(refusal))
                }
            },
            Stage::Asking { head, question, held } => match question.judge(head) {
                Ok(None) => Ok(None),
                Ok(Some(length)) => {
                    out.append(held);
                    let rest = head.split_off(length);
                    Ok(Some(self.opened(&rest)))
                }
                Err(why) => {
                    self.stage = Stage::NotOpened(why);
                    Err(End::NotOpened(why))
                }
            },
            Stage::Open(assembly) => {
                let piece = assembly.next(now, self.mask);
                self.take(piece, out)
            }
            Stage::Parting(_) | Stage::Closed | Stage::NotOpened(_) => Ok(None),
        }
    }

    fn opened(&mut self, rest: &[u8]) -> Come {
        let mut assembly = Assembly::default();
        assembly.push(rest);
        self.stage = Stage::Open(assembly);
        Come::Opened
    }

    fn take(
        &mut self,
        piece: Result<Option<Piece>, Fault>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Come>, End> {
        match piece {
            Ok(None) => Ok(None),
            Ok(Some(Piece::Message(message))) => Ok(Some(Come::Message(message))),
            Ok(Some(Piece::Ping(payload))) => {
                frame::write(Opcode::Control(frame::Control::Pong), &payload, self.mask, out);
                Ok(Some(Come::SignOfLife))
            }
            Ok(Some(Piece::Pong)) => Ok(Some(Come::SignOfLife)),
            // RFC 6455 §5.5.1: the code is echoed.
            Ok(Some(Piece::Close(payload))) => {
                frame::write(Opcode::Control(frame::Control::Close), &payload, self.mask, out);
                self.stage = Stage::Closed;
                Err(End::Goodbye)
            }
            Err(fault) => {
                self.stage = Stage::Parting(fault);
                self.farewell(out);
                Err(End::Broken(fault))
            }
        }
    }

    /// Sends a message: as text when it is UTF-8, which is what scripts in browsers like, else as binary (RFC 7118 §4.2). Before the
    /// upgrade it waits for that.
    pub fn send(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let kind = match std::str::from_utf8(message) {
            Ok(_) => frame::Data::Text,
            Err(_) => frame::Data::Binary,
        };
        self.write(Opcode::Data(kind), message, out);
    }

    /// Asks whether the peer is there (RFC 6455 §5.5.2).
    pub fn ping(&mut self, out: &mut Vec<u8>) {
        self.write(Opcode::Control(frame::Control::Ping), b"", out);
    }

    fn write(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        match &mut self.stage {
            Stage::Open(_) | Stage::Parting(_) => frame::write(opcode, payload, self.mask, out),
            Stage::Asking { held, .. } => frame::write(opcode, payload, self.mask, held),
            Stage::Asked { .. } | Stage::Closed | Stage::NotOpened(_) => {}
        }
    }

    /// The peer broke a rule that others know: nothing more of it counts. It may still be told more than the goodbye.
    pub fn part(&mut self, why: Fault) {
        if matches!(self.stage, Stage::Open(_)) {
            self.stage = Stage::Parting(why);
        }
    }

    /// Says goodbye to a peer that broke a rule, and why.
    pub fn farewell(&mut self, out: &mut Vec<u8>) {
        if let Stage::Parting(why) = self.stage {
            frame::write(Opcode::Control(frame::Control::Close), &why.payload(), self.mask, out);
            self.stage = Stage::Closed;
        }
    }

    /// True once frames go both ways.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// True while a part of something has come, and the rest has not: of a head, of a frame, or of a message in several frames.
    pub fn is_half(&self) -> bool {
        match &self.stage {
            Stage::Asked { head, .. } | Stage::Asking { head, .. } => !head.is_empty(),
            Stage::Open(assembly) => assembly.is_half(),
            Stage::Parting(_) | Stage::Closed | Stage::NotOpened(_) => false,
        }
    }

    /// Octets that are kept until more come.
    pub fn kept(&self) -> usize {
        match &self.stage {
            Stage::Asked { head, .. } | Stage::Asking { head, .. } => head.len(),
            Stage::Open(assembly) => assembly.kept(),
            Stage::Parting(_) | Stage::Closed | Stage::NotOpened(_) => 0,
        }
    }

    /// Octets that wait for the upgrade to be sent.
    pub const fn held(&self) -> usize {
        match &self.stage {
            Stage::Asking { held, .. } => held.len(),
            _ => 0,
        }
    }

    /// Why a client has not been given the upgrade so far.
    pub const fn not_opened(&self) -> Option<NotOpened> {
        match &self.stage {
            Stage::Asking { .. } => Some(NotOpened::Silent),
            Stage::NotOpened(why) => Some(*why),
            _ => None,
        }
    }
}
