//! STUN as a keep-alive (RFC 8489, RFC 5626 §8): a Binding request on a SIP port is answered with the address that it came from, so
//! that a phone sees its NAT let go. Everything else is met with silence.
//!
//! [`answer`] is all that a server needs: an octet string in, at most thrice as many out. Nothing is kept between two requests. A phone
//! [asks](ask), and [reads](mapped) where it was seen.

mod answer;
mod attribute;
mod crc;
mod keep_alive;
pub mod limits;
mod request;

pub use answer::answer;
pub use keep_alive::{ask, mapped};

/// True when a datagram can be STUN and cannot be SIP: its first two bits are zero, and no token begins so (RFC 5626 §8).
pub const fn looks_like_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0 | 1, ..])
}

/// What every message has in its header (RFC 8489 §5).
const COOKIE: u32 = 0x2112_a442;

/// Octets of the header.
const HEADER: usize = 20;
