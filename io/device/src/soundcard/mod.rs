//! The sound card, through the sound server that every Linux desktop runs: PulseAudio, or PipeWire in its place.

mod card;
mod cleaner;
mod error;
mod pipe;
#[cfg(test)]
mod tests;
mod wait;

pub use card::SoundCard;
pub use cleaner::{Cleaning, Echo, Noise};
pub use error::CardError;
