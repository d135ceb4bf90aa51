//! `WavError`: which file, what is wrong with it, what to do.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which file, and what is wrong with it.
#[derive(Debug)]
pub struct WavError {
    path: PathBuf,
    wrong: Wrong,
}

#[derive(Debug)]
pub(super) enum Wrong {
    Hound(hound::Error),
    Rate(media::NoSuchRate),
    Channels(u16),
    Long,
    Empty,
}

impl WavError {
    pub(super) fn new(path: &Path, wrong: Wrong) -> Self {
        Self { path: path.to_path_buf(), wrong }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.wrong {
            Wrong::Hound(hound::Error::IoError(error)) => write!(f, "{error}"),
            Wrong::Hound(hound::Error::FormatError(why)) => {
                write!(f, "this is no WAV file that can be read: {why}")
            }
            Wrong::Hound(hound::Error::Unsupported | hound::Error::InvalidSampleFormat) => {
                f.write_str(
                    "this kind of WAV cannot be read; save it as PCM with 8, 16, 24 or 32 bits, as 32-bit float, or as G.711",
                )
            }
            Wrong::Hound(error) => write!(f, "{error}"),
            Wrong::Rate(error) => write!(f, "{error}"),
            Wrong::Channels(count) => {
                write!(f, "{count} channels; save it with 1 to {}", crate::limits::CHANNELS)
            }
            Wrong::Long => f.write_str("too long; an hour of stereo at 48,000 Hz is the most"),
            Wrong::Empty => f.write_str("there is no sound in it"),
        }
    }
}

impl std::error::Error for WavError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.wrong {
            Wrong::Hound(error) => Some(error),
            Wrong::Rate(error) => Some(error),
            _ => None,
        }
    }
}
