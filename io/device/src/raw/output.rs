//! `RawOutput`: what is heard goes through a pipe.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use media::{Audio, Continuous, NoSuchRate, RATE};

use crate::limits;

/// Writes what is heard: 16 bits, little-endian, one channel. What nobody takes within a second is lost: the call goes on.
#[derive(Debug)]
pub struct RawOutput {
    pieces: Option<SyncSender<Vec<u8>>>,
    converter: Continuous,
    done: Receiver<()>,
}

impl RawOutput {
    /// Writes on a thread of its own.
    ///
    /// # Errors
    /// A rate that neither divides 16,000 nor is a multiple of it.
    pub fn new(to: impl Write + Send + 'static, rate: u32) -> Result<Self, NoSuchRate> {
        let converter = Continuous::between(RATE, rate)?;
        let (pieces, told) = sync_channel::<Vec<u8>>(limits::PIPED);
        let (tell, done) = sync_channel(1);
        thread::spawn(move || {
            let mut to = to;
            for piece in told {
                // Whoever does not read any more wants no more.
                if to.write_all(&piece).and_then(|()| to.flush()).is_err() {
                    break;
                }
            }
            drop(to);
            let _ = tell.send(());
        });
        Ok(Self { pieces: Some(pieces), converter, done })
    }
}

impl Audio for RawOutput {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill(0);
    }

    fn hear(&mut self, frame: &[i16]) {
        let heard = self.converter.convert(frame);
        let octets = heard.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        if let Some(pieces) = &self.pieces {
            let _ = pieces.try_send(octets);
        }
    }
}

impl Drop for RawOutput {
    /// What was heard is written to its end; nobody waits longer than [`PATIENCE`] for somebody who does not read.
    fn drop(&mut self) {
        drop(self.pieces.take());
        let _ = self.done.recv_timeout(PATIENCE);
    }
}

/// How long the end of a recording may take to be read.
const PATIENCE: Duration = Duration::from_secs(1);
