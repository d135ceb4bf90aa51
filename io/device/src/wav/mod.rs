//! WAV files: read whole, mixed into one channel, brought to 16,000 samples a second; written as the call goes on.

mod companded;
mod error;
mod read;
mod record;
#[cfg(test)]
mod tests;

pub use error::WavError;
pub use read::read;
pub use record::Recording;
