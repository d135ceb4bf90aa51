//! Offer and answer (RFC 3264): a [`Session`] that both sides' descriptions go through.

mod agreed;
mod codec;
mod compose;
mod exchange;
mod formats;
mod refusal;
mod secrecy;
mod session;
mod slot;
mod stream;
#[cfg(test)]
mod tests;

pub use agreed::{Agreed, Events, Hold, Noise, Remote};
pub use codec::{Codec, Parameters};
pub use formats::Format;
pub use refusal::Refusal;
pub use secrecy::{Secrecy, Secrets};
pub use session::Session;
pub use stream::{Stream, StreamId};
