//! Keys pressed during a call: telephone-event packets (RFC 4733), or tones when the other side cannot read those.

mod receive;
mod send;

pub(crate) use receive::KeyReceiver;
pub use send::NotPressed;
pub(crate) use send::{As, KeySender, Turn};
