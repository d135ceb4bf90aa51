//! The user agent: registers, calls, rings, answers, holds, hangs up; with sound (RFC 3261 §8 to §15).
//!
//! A [`Phone`] is a [`machine::Machine`]: it is told the time, handed what comes in, and fills an outbox. `io/net` drives it with real
//! sockets; the simulator drives it in a world of its own, where an hour takes a millisecond.

mod abilities;
mod account;
mod call;
mod latch;
pub mod limits;
mod line;
mod lingering;
mod machine;
mod phone;
mod quality;
mod refusal;
mod registration;
mod request;
mod sound;
mod turn;
mod uas;
mod unable;
mod whither;
mod words;

pub use account::{Account, BadAccount};
pub use media::Audio;
pub use phone::Phone;
pub use protocol::auth::Credentials;
pub use protocol::doors::{Call, CallQuality, Grade, PhoneEvent};
pub use unable::Unable;
