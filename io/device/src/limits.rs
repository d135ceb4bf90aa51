//! How much of everything: the limits of this crate, and why.

/// Samples that are read from a WAV file, all channels together: an hour of stereo at 48,000 Hz, 700 MB while it is
/// converted. Longer files are refused.
pub(crate) const SAMPLES: u32 = 2 * 48_000 * 3_600;

/// Channels that are mixed into one. No microphone has more.
pub(crate) const CHANNELS: u16 = 32;

/// Samples after which a recording's header is brought up to date: one second, the most that a crash can cost.
pub(crate) const UNSAVED: u32 = media::RATE;

/// Samples between a call and the sound card, each way: 80 ms. More would be a delay that never goes away.
#[cfg(feature = "soundcard")]
pub(crate) const CARD_SAMPLES: usize = 4 * media::FRAME;

/// Frames of 20 ms that wait between a pipe and a call: a second. What a call does not say yet waits in the pipe; what nobody takes from us is lost after a second.
pub(crate) const PIPED: usize = 50;
