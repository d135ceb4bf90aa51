//! The way between two phones: ICE finds it (RFC 8445), with the help of STUN and TURN servers (RFC 8489, RFC 8656); DTLS makes keys for it (RFC 5763,
//! RFC 5764).
//!
//! Start at [`Search`], which asks for our own addresses, tells what stands in the description, and tries them with those of the other side until one
//! pair carries; at [`Identity`], the certificate of a phone, whose fingerprint stands in its descriptions; and at [`Handshake`], which says what is to
//! be sent, and in the end the keys. No socket, no clock: datagrams and the time come in, datagrams go out. What randomness the key exchange
//! needs comes from the library below (docs/decisions/0022).

mod clock;
mod handshake;
mod hello;
mod ice;
mod identity;
pub mod limits;
mod query;
mod relay;
mod search;
#[cfg(test)]
mod tests;
mod transaction;

pub use handshake::{Broken, Handshake, Keys, Said};
pub use ice::{NoWay, Role};
pub use identity::Identity;
pub use relay::Turn;
pub use search::{Came, Search, Sent, Servers, Told};
