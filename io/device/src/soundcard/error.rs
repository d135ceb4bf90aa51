//! `CardError`: why there is no sound card, and what to do.

use std::fmt;

/// Why there is no sound card.
#[derive(Debug)]
pub struct CardError {
    what: &'static str,
    cause: pulseaudio::ClientError,
}

impl CardError {
    pub(super) const fn new(what: &'static str, cause: pulseaudio::ClientError) -> Self {
        Self { what, cause }
    }
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, cause } = self;
        write!(
            f,
            "sound card: cannot {what}: {cause}; see whether `pactl info` finds a sound server, or use WAV files"
        )
    }
}

impl std::error::Error for CardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
