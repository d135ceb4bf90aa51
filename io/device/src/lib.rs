//! Sound outside of a call: WAV and Opus files, raw samples through pipes, and the sound card behind the feature `soundcard`.

mod limits;
mod opus;
mod raw;
#[cfg(feature = "soundcard")]
mod soundcard;
mod wav;

pub use opus::{OpusError, OpusRecording, read as read_opus};
pub use raw::{RawInput, RawOutput};
#[cfg(feature = "soundcard")]
pub use soundcard::{CardError, Cleaning, Echo, Noise, SoundCard};
pub use wav::{Recording, WavError, read};
