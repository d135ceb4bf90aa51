//! `OpusError`: which file, and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which file, and what is wrong with it.
#[derive(Debug)]
pub struct OpusError {
    path: PathBuf,
    wrong: Wrong,
}

#[derive(Debug)]
pub(super) enum Wrong {
    Io(std::io::Error),
    Ogg(ogg::OggReadError),
    /// It begins with something else than Opus.
    NotOpus,
    /// More than stereo, or not for ears (RFC 7845 §5.1.1).
    Channels(u8),
    Codec(String),
    Long,
    Empty,
}

impl OpusError {
    pub(super) fn new(path: &Path, wrong: Wrong) -> Self {
        Self { path: path.to_path_buf(), wrong }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for OpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.wrong {
            Wrong::Io(error) => write!(f, "{error}"),
            Wrong::Ogg(error) => write!(f, "this is no Ogg file that can be read: {error}"),
            Wrong::NotOpus => f.write_str("this Ogg file holds something else than Opus"),
            Wrong::Channels(count) => write!(f, "{count} channels; save it in mono or stereo"),
            Wrong::Codec(why) => write!(f, "Opus cannot be set up: {why}"),
            Wrong::Long => f.write_str("too long; an hour is the most"),
            Wrong::Empty => f.write_str("there is no sound in it"),
        }
    }
}

impl std::error::Error for OpusError {}
