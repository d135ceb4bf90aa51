//! What caller and callee share above a dialog, for calls: 2xx and ACK, CANCEL, forks, glare (RFC 3261 §9, §13, §14).

mod confirming;
mod glare;
mod invitation;

pub use confirming::{Confirming, Due};
pub use glare::{Owner, Refusal, Traffic, retry_after_glare};
pub use invitation::{Heard, Invitation};
