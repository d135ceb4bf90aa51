//! `OpusRecording`: an Opus file that is written while the call goes on.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use media::{Audio, FRAME, RATE};
use ogg::{PacketWriteEndInfo, PacketWriter};
use ropus::{Application, Bitrate, Channels, Encoder};

use super::error::{OpusError, Wrong};
use super::head::{self, Head};
use super::read::TICKS;

/// Writes what is heard into an Opus file, a page a second: a crash costs no more.
///
/// When the disk is full the call goes on; [`finish`](Self::finish) says what went wrong.
pub struct OpusRecording {
    path: PathBuf,
    writer: Option<PacketWriter<'static, BufWriter<File>>>,
    encoder: Encoder,
    /// The last packet: only the next shows whether it was the end.
    last: Option<Vec<u8>>,
    frames: u64,
    wrong: Option<std::io::Error>,
}

impl OpusRecording {
    /// Begins the file, over an old one of that name.
    ///
    /// # Errors
    /// It cannot be written there.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OpusError> {
        let path = path.as_ref().to_path_buf();
        match begin(&path) {
            Ok((writer, encoder)) => {
                Ok(Self { path, writer: Some(writer), encoder, last: None, frames: 0, wrong: None })
            }
            Err(wrong) => Err(OpusError::new(&path, wrong)),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Something of it could not be written.
    pub fn finish(mut self) -> Result<(), OpusError> {
        self.end();
        self.wrong.take().map_or(Ok(()), |error| Err(OpusError::new(&self.path, Wrong::Io(error))))
    }

    fn end(&mut self) {
        if let Some(last) = self.last.take() {
            let written = self.write(last, PacketWriteEndInfo::EndStream);
            self.wrong = self.wrong.take().or(written.err());
        }
        let flushed = self.writer.take().map_or(Ok(()), |writer| writer.into_inner().flush());
        self.wrong = self.wrong.take().or(flushed.err());
    }

    fn write(&mut self, packet: Vec<u8>, end: PacketWriteEndInfo) -> std::io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.frames += 1;
        let end = match end {
            PacketWriteEndInfo::NormalPacket if self.frames.is_multiple_of(A_PAGE) => {
                PacketWriteEndInfo::EndPage
            }
            other => other,
        };
        // Samples until here, those that are skipped included (RFC 7845 §4).
        let until = self.frames * (FRAME * TICKS) as u64;
        let is_page = matches!(end, PacketWriteEndInfo::EndPage);
        writer.write_packet(packet, SERIAL, end, until)?;
        if is_page { writer.inner_mut().flush() } else { Ok(()) }
    }

    fn take(&mut self, frame: &[i16]) -> std::io::Result<()> {
        let mut packet = vec![0; LARGEST];
        let length = self.encoder.encode(frame, &mut packet).map_err(std::io::Error::other)?;
        packet.truncate(length);
        match self.last.replace(packet) {
            Some(before) => self.write(before, PacketWriteEndInfo::NormalPacket),
            None => Ok(()),
        }
    }
}

type Begun = (PacketWriter<'static, BufWriter<File>>, Encoder);

fn begin(path: &Path) -> Result<Begun, Wrong> {
    let bits = Bitrate::try_bits(BITS).map_err(|error| Wrong::Codec(error.to_string()))?;
    let encoder = Encoder::builder(RATE, Channels::Mono, Application::Voip)
        .bitrate(bits)
        .build()
        .map_err(|error| Wrong::Codec(error.to_string()))?;
    let mut writer = PacketWriter::new(BufWriter::new(File::create(path).map_err(Wrong::Io)?));
    let head = Head { channels: 1, pre_skip: PRE_SKIP, gain: 0, family: 0 };
    // Each of the two has a page of its own (RFC 7845 §3).
    for packet in [head.octets(), head::tags()] {
        writer.write_packet(packet, SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(Wrong::Io)?;
    }
    Ok((writer, encoder))
}

impl Audio for OpusRecording {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill(0);
    }

    fn hear(&mut self, frame: &[i16]) {
        if self.wrong.is_none() {
            self.wrong = self.take(frame).err();
        }
    }
}

impl Drop for OpusRecording {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for OpusRecording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpusRecording")
            .field("path", &self.path)
            .field("wrong", &self.wrong)
            .finish()
    }
}

/// There is one stream in the file; any number will do.
const SERIAL: u32 = 1;
/// What the encoder is late by, 6.5 ms, at 48,000 samples a second (RFC 7845 §4.2).
const PRE_SKIP: u16 = 312;
/// Frames of a page: a second.
const A_PAGE: u64 = 50;
/// Good speech (RFC 7587 §3.1.1).
const BITS: u32 = 32_000;
/// Octets of a frame at most: many times what speech takes.
const LARGEST: usize = 1_275;
