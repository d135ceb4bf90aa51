//! Keys pressed during a call: telephone-event packets (RFC 4733), or tones when the other side cannot read those.

mod receive;
mod send;
mod set;

pub(crate) use receive::KeyReceiver;
pub use send::NotPressed;
pub(crate) use send::{KeySender, Turn};
pub use set::KeySet;
