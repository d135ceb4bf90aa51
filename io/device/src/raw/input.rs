//! `RawInput`: what comes through a pipe is what is said.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use media::{Audio, Continuous, NoSuchRate, RATE};

use crate::limits;

/// Says what is read: 16 bits, little-endian, one channel. Before it comes, and after its end, there is silence.
#[derive(Debug)]
pub struct RawInput {
    pieces: Receiver<Vec<i16>>,
    converter: Continuous,
    ready: VecDeque<i16>,
}

impl RawInput {
    /// Reads on a thread of its own, a second ahead at most. The thread ends with what it reads from, or when nobody listens any more.
    ///
    /// # Errors
    /// A rate that neither divides 16,000 nor is a multiple of it.
    pub fn new(from: impl Read + Send + 'static, rate: u32) -> Result<Self, NoSuchRate> {
        let converter = Continuous::between(rate, RATE)?;
        let (to, pieces) = sync_channel(limits::PIPED);
        // 20 ms: whole at both rates.
        let octets = rate as usize / 50 * 2;
        thread::spawn(move || {
            let mut from = from;
            while let Some(piece) = piece(&mut from, octets) {
                if to.send(piece).is_err() {
                    break;
                }
            }
        });
        Ok(Self { pieces, converter, ready: VecDeque::new() })
    }

    /// Waits until there is something to say, or never will be.
    #[cfg(test)]
    pub(super) fn wait(&mut self) {
        if self.ready.is_empty()
            && let Ok(piece) = self.pieces.recv()
        {
            self.ready.extend(self.converter.convert(&piece));
        }
    }
}

/// The next 20 ms; the last may be shorter, and silence fills it.
fn piece(from: &mut impl Read, octets: usize) -> Option<Vec<i16>> {
    let mut piece = Vec::with_capacity(octets);
    let most = u64::try_from(octets).unwrap_or(u64::MAX);
    let read = from.take(most).read_to_end(&mut piece).ok()?;
    if read == 0 {
        return None;
    }
    piece.resize(octets, 0);
    let (pairs, _) = piece.as_chunks();
    Some(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect())
}

impl Audio for RawInput {
    fn speak(&mut self, frame: &mut [i16]) {
        while self.ready.len() < frame.len() {
            let Ok(piece) = self.pieces.try_recv() else { break };
            self.ready.extend(self.converter.convert(&piece));
        }
        frame.fill_with(|| self.ready.pop_front().unwrap_or(0));
    }

    fn hear(&mut self, _frame: &[i16]) {}
}
