//! Sound outside of a call: WAV files, and the sound card behind the feature `soundcard`.

mod limits;
mod wav;

pub use wav::{Recording, WavError, read};
