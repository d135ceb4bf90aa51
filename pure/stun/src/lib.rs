//! STUN (RFC 8489). As a keep-alive (RFC 5626 §8): a Binding request on a SIP port is answered with the address that it came from, so
//! that a phone sees its NAT let go. Everything else is met with silence.
//!
//! [`answer`] is all that a server needs: an octet string in, at most thrice as many out. Nothing is kept between two requests. A phone
//! [asks](ask), and [reads](mapped) where it was seen.
//!
//! For those who ask, or talk with a TURN server (RFC 8656): a [`Draft`] writes a message, a [`Message`] reads one.

mod answer;
mod attribute;
mod crc;
mod keep_alive;
mod key;
pub mod kinds;
pub mod limits;
mod message;
mod request;
mod write;

pub use answer::answer;
pub use keep_alive::{ask, mapped};
pub use key::long_term_key;
pub use message::Message;
pub use write::Draft;

/// Types of attributes (RFC 8489 §18.3, RFC 8656 §18).
pub mod attributes {
    pub use crate::attribute::{ERROR_CODE, XOR_MAPPED_ADDRESS};

    /// Who asks.
    pub const USERNAME: u16 = 0x0006;
    /// Which channel.
    pub const CHANNEL_NUMBER: u16 = 0x000c;
    /// For how many seconds.
    pub const LIFETIME: u16 = 0x000d;
    /// Whom a relay talks with.
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    /// What is relayed.
    pub const DATA: u16 = 0x0013;
    /// For which realm the password is.
    pub const REALM: u16 = 0x0014;
    /// What makes a signature fresh.
    pub const NONCE: u16 = 0x0015;
    /// The address at the relay.
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    /// By which transport the relay talks with others.
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
}

/// True when a datagram can be STUN and cannot be SIP: its first two bits are zero, and no token begins so (RFC 5626 §8).
pub const fn looks_like_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0 | 1, ..])
}

/// What every message has in its header (RFC 8489 §5).
const COOKIE: u32 = 0x2112_a442;

/// Octets of the header.
const HEADER: usize = 20;
