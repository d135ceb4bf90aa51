//! Comfort noise: where nobody speaks, a packet now and then says how it sounds there, and the listener makes up that sound (RFC 3389).

mod fill;
mod hush;
mod noise;

pub(crate) use fill::Filler;
pub(crate) use hush::{Hush, Silenced};
pub(crate) use noise::Noise;
