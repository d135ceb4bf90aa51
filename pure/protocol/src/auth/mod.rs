//! Digest authentication (RFC 7616, RFC 8760, RFC 3261 §22).

mod digest;
mod nonce;

pub use digest::{Algorithm, Asked, Ha1, Qop, matches, response};
pub use nonce::{Freshness, Nonces};
