//! The vocabulary of the house: machines, time, alarms, dice. Start reading here.
//!
//! A *machine* is a plain value. It never reads a clock, a socket or a random device: it is told the time, handed its
//! inputs, and fills an outbox that the caller lends. So the same machine runs in production, where `io/net` drives
//! it, and in the simulator, where an hour takes a millisecond and the same seed lives the same life.

mod alarms;
mod dice;
mod index;
mod map;
mod rows;
mod shelf;
mod time;

pub use alarms::Alarms;
pub use dice::Dice;
pub use index::Index;
pub use map::{AsItIs, Halves, HashKey, Hashes, Map, Numbers, write_parts};
pub use rows::Rows;
pub use shelf::Shelf;
pub use time::Time;

/// Something that reacts to inputs and to the passing of time.
pub trait Machine {
    /// What the world may tell it.
    type Input;
    /// What it may tell the world.
    type Output;

    /// Reacts to one input. It cannot fail: a peer's mistake is one more thing to react to.
    fn handle(&mut self, now: Time, input: Self::Input, out: &mut Vec<Self::Output>);

    /// Does what has become due. Harmless when nothing has.
    fn wake(&mut self, now: Time, out: &mut Vec<Self::Output>);

    /// The moment by which [`wake`](Self::wake) must be called, if any.
    fn deadline(&self) -> Option<Time>;
}
