//! What caller and callee share above a dialog, for calls: 2xx and ACK, CANCEL, forks, glare (RFC 3261 §9, §13, §14); reliable provisional
//! responses (RFC 3262) and session timers (RFC 4028).

mod confirming;
mod glare;
mod invitation;
mod provisional;
mod timer;

pub use confirming::{Confirming, Due};
pub use glare::{Owner, Refusal, Traffic, retry_after_glare};
pub use invitation::{Heard, Invitation};
pub use provisional::{Provisionals, Reminder};
pub use timer::{Duty, LEAST, Overdue, SessionTimer, TIMER, TooBrief, USUAL};

/// The option tag of reliable provisional responses (RFC 3262 §8.1).
pub const RELIABLY: &str = "100rel";
