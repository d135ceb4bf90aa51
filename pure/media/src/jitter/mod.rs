//! The jitter buffer: packets come at odd times and in any order, samples leave one after the other.
//!
//! Everything is counted in samples. `sample_at(now) - timestamp` is the *transit* of a packet: its delay, plus some
//! constant that nobody knows. The cursor is the timestamp of the sample to be played next. A packet is in time when its
//! transit is not above `sample_at(tick) - cursor`; so the cursor is held as far behind the clock as nearly all
//! transits of the last seconds want it, and no further.

mod bend;
mod buffer;
#[cfg(test)]
mod tests;
mod transits;

pub(crate) use buffer::{Coded, JitterBuffer, Played, Pushed};
