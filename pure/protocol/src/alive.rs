//! What comes back for a sign of life.

use std::net::SocketAddr;

/// The answer to a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alive {
    /// A line end on a stream (RFC 5626 §4.4.1).
    Pong,
    /// By STUN (§4.4.2): to which transaction, and where the peer has seen it come from.
    Mapped([u8; 12], SocketAddr),
}
