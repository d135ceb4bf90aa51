//! Call ladders: who sent what to whom, and when. Start reading at [`Ladder`].
//!
//! A ladder is drawn whole, as text ([`Ladder::text`]) or as a picture ([`Ladder::svg`]), or line by line while it
//! happens ([`Printer`]). What is written on it may come from strangers: see `clean.rs`.

mod clean;
mod ladder;
pub mod limits;
mod look;
mod printer;
mod row;
mod svg;

#[cfg(test)]
mod tests;

pub use ladder::{Arrival, Ladder, Lifeline, Rung, Step, Tone, Way};
pub use look::{Clock, Glyphs, Look, Paint};
pub use printer::Printer;
