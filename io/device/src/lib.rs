//! Sound outside of a call: WAV files, and the sound card behind the feature `soundcard`.

mod limits;
#[cfg(feature = "soundcard")]
mod soundcard;
mod wav;

#[cfg(feature = "soundcard")]
pub use soundcard::{CardError, SoundCard};
pub use wav::{Recording, WavError, read};
