//! `Recording`: a WAV file that is written while the call goes on.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use media::{Audio, RATE};

use super::error::{WavError, Wrong};
use crate::limits;

const SPEC: WavSpec = WavSpec {
    channels: 1,
    sample_rate: RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// Writes what is heard into a WAV file. Once a second the file is brought up to date, so that a crash costs no more.
///
/// When the disk is full the call goes on; [`finish`](Self::finish) says what went wrong.
pub struct Recording {
    path: PathBuf,
    writer: Option<WavWriter<BufWriter<File>>>,
    unsaved: u32,
    wrong: Option<hound::Error>,
}

impl Recording {
    /// Begins the file, over an old one of that name.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, WavError> {
        let path = path.as_ref().to_path_buf();
        let writer = WavWriter::create(&path, SPEC)
            .map_err(|error| WavError::new(&path, Wrong::Hound(error)))?;
        Ok(Self { path, writer: Some(writer), unsaved: 0, wrong: None })
    }

    /// Ends the file.
    pub fn finish(mut self) -> Result<(), WavError> {
        let ended = self.writer.take().map_or(Ok(()), WavWriter::finalize);
        let result = self.wrong.take().map_or(ended, Err);
        result.map_err(|error| WavError::new(&self.path, Wrong::Hound(error)))
    }

    fn write(&mut self, samples: &[i16]) -> hound::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        for sample in samples {
            writer.write_sample(*sample)?;
        }
        self.unsaved =
            self.unsaved.saturating_add(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        if self.unsaved >= limits::UNSAVED {
            self.unsaved = 0;
            writer.flush()?;
        }
        Ok(())
    }
}

impl Audio for Recording {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill(0);
    }

    fn hear(&mut self, frame: &[i16]) {
        if self.wrong.is_none() {
            self.wrong = self.write(frame).err();
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("path", &self.path).field("wrong", &self.wrong).finish()
    }
}
