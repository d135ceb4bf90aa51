//! Digest authentication (RFC 7616, RFC 8760, RFC 3261 §22).

mod answer;
mod challenge;
mod credentials;
mod demand;
mod digest;
mod nonce;
mod verdict;

pub use answer::{Answers, GiveUp, Tries};
pub use challenge::{Challenge, Protection, Why};
pub use credentials::Credentials;
pub use digest::{Algorithm, Asked, Ha1, Qop, hex, matches, response};
pub use nonce::{Freshness, Nonces};
pub use verdict::{Claim, Verdict};
