//! SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): sound that nobody else hears, and nobody else speaks.
//!
//! Start at [`Master`], the key that both sides have agreed on (by SDES, RFC 4568, or DTLS, RFC 5764). A [`Sender`] protects what goes out with
//! one side's, a [`Receiver`] opens what comes in with the other's. What is forged, replayed or garbled is [`Refused`] and changes nothing.

mod cipher;
mod derive;
mod index;
pub mod limits;
mod master;
mod receiver;
mod refused;
mod sender;
mod session;
mod suite;

pub use master::Master;
pub use receiver::Receiver;
pub use refused::Refused;
pub use sender::Sender;
pub use suite::Suite;
