//! `Assembly`: whole messages out of frames, and what comes between them (RFC 6455 §5.4, §5.5).

use std::collections::VecDeque;

use machine::Time;
use sip::Bytes;
use tungstenite::protocol::frame::coding::CloseCode;

use super::fault::Fault;
use super::frame::{self, Announced, Control, Data, Fin, Mask, Opcode};
use crate::limits;

/// Collects octets, and hands out what is whole.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    kept: Vec<u8>,
    /// How much of `kept` was handed out already.
    read: usize,
    message: Option<Fragments>,
    /// When the last pings and pongs came.
    signs: VecDeque<Time>,
}

/// The frames of a message whose last has not come.
#[derive(Debug)]
struct Fragments {
    kind: Data,
    octets: Vec<u8>,
    /// How much of a text is known to be UTF-8.
    text: usize,
}

impl Fragments {
    /// A text is UTF-8 over all its fragments: a character may be cut by them, but must be whole at the end (RFC 6455 §8.1).
    fn check(&mut self, fin: Fin) -> Result<(), Fault> {
        if self.kind != Data::Text {
            return Ok(());
        }
        match std::str::from_utf8(self.octets.get(self.text..).unwrap_or_default()) {
            Ok(_) => self.text = self.octets.len(),
            Err(cut) if cut.error_len().is_none() && fin == Fin::More => {
                self.text += cut.valid_up_to()
            }
            Err(_) => return Err(Fault::NotText),
        }
        Ok(())
    }
}

/// What is whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Message(Bytes),
    /// To be answered with the same payload.
    Ping(Vec<u8>),
    Pong,
    /// To be answered with this payload.
    Close(Vec<u8>),
}

impl Assembly {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.kept.extend_from_slice(octets);
    }

    /// The next piece; `None` when more octets are needed.
    pub(super) fn next(&mut self, now: Time, by: Mask) -> Result<Option<Piece>, Fault> {
        loop {
            let so_far = self.message.as_ref().map_or(0, |message| message.octets.len());
            let most = sip::limits::MESSAGE.saturating_sub(so_far);
            let waiting = self.kept.get(self.read..).unwrap_or_default();
            let announced = frame::read(waiting, by, most)?;
            let whole = announced.and_then(|announced| {
                let end = announced.header.checked_add(announced.payload)?;
                Some((announced, waiting.get(announced.header..end)?.to_vec(), end))
            });
            let Some((announced, mut payload, end)) = whole else {
                self.forget_read();
                return Ok(None);
            };
            self.read = self.read.saturating_add(end);
            if let Some(key) = announced.mask {
                frame::mask(&mut payload, key);
            }
            if let Some(piece) = self.take(now, announced, payload)? {
                return Ok(Some(piece));
            }
        }
    }

    /// Keeps what no piece was made of. A connection that is idle keeps no buffer.
    fn forget_read(&mut self) {
        drop(self.kept.drain(..self.read.min(self.kept.len())));
        self.read = 0;
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
    }

    fn take(
        &mut self,
        now: Time,
        announced: Announced,
        payload: Vec<u8>,
    ) -> Result<Option<Piece>, Fault> {
        match announced.opcode {
            Opcode::Control(Control::Ping) => {
                self.note_sign(now)?;
                Ok(Some(Piece::Ping(payload)))
            }
            Opcode::Control(Control::Pong) => {
                self.note_sign(now)?;
                Ok(Some(Piece::Pong))
            }
            Opcode::Control(Control::Close) => goodbye(payload).map(Some),
            Opcode::Control(Control::Reserved(_)) | Opcode::Data(Data::Reserved(_)) => {
                Err(Fault::Opcode)
            }
            Opcode::Data(kind) => self.fragment(kind, announced.fin, payload),
        }
    }

    fn fragment(&mut self, kind: Data, fin: Fin, payload: Vec<u8>) -> Result<Option<Piece>, Fault> {
        let mut message = match (kind, self.message.take()) {
            (Data::Continue, None) | (Data::Text | Data::Binary, Some(_)) => {
                return Err(Fault::Fragments);
            }
            (Data::Continue, Some(mut message)) => {
                message.octets.extend_from_slice(&payload);
                message
            }
            (kind, None) => Fragments { kind, octets: payload, text: 0 },
            (Data::Reserved(_), Some(_)) => return Err(Fault::Opcode),
        };
        message.check(fin)?;
        if fin == Fin::More {
            self.message = Some(message);
            return Ok(None);
        }
        Ok(Some(Piece::Message(message.octets.into())))
    }

    /// Pings cost us an answer each: nobody needs many.
    fn note_sign(&mut self, now: Time) -> Result<(), Fault> {
        while self.signs.front().is_some_and(|at| *at + limits::SIGNS_WINDOW <= now) {
            self.signs.pop_front();
        }
        if self.signs.len() >= limits::SIGNS {
            return Err(Fault::Flood);
        }
        self.signs.push_back(now);
        Ok(())
    }

    pub(super) fn is_half(&self) -> bool {
        self.message.is_some() || self.kept.len() > self.read
    }

    pub(super) fn kept(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |message| message.octets.len());
        self.kept.len().saturating_add(message)
    }
}

/// What a close frame says, and what is answered: the same code (RFC 6455 §5.5.1, §7.4).
fn goodbye(mut payload: Vec<u8>) -> Result<Piece, Fault> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(Piece::Close(payload)) } else { Err(Fault::Close) };
    };
    if !CloseCode::from(u16::from_be_bytes(*code)).is_allowed() {
        return Err(Fault::Close);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Fault::NotText);
    }
    payload.truncate(2);
    Ok(Piece::Close(payload))
}
