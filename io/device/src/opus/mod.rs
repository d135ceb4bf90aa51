//! Opus files (Ogg, RFC 7845): read whole into 16,000 samples a second and one channel; written as the call goes on.

mod error;
mod head;
mod read;
mod record;
#[cfg(test)]
mod tests;

pub use error::OpusError;
pub use read::read;
pub use record::OpusRecording;
