//! RTP and RTCP packets (RFC 3550, 3551, 3611, 4733, 5761): reading and writing, nothing else.
//!
//! Reading borrows: a [`Packet`] is a view of the datagram. Whatever the octets are, reading them ends in a value or in
//! a [`Malformed`], never in a panic.

mod demux;
pub mod event;
pub mod limits;
mod malformed;
mod ntp;
mod octets;
mod packet;
pub mod rtcp;

pub use demux::Kind;
pub use event::Event;
pub use malformed::Malformed;
pub use ntp::Ntp;
pub use packet::{Extension, Head, Packet};
