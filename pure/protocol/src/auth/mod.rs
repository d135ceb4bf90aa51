//! Digest authentication (RFC 7616, RFC 8760, RFC 3261 §22), and tokens in its place (RFC 8898).

mod answer;
mod challenge;
mod counts;
mod credentials;
mod demand;
mod digest;
mod nonce;
mod token;
mod verdict;

pub use answer::{Answers, GiveUp, Sight, Tries};
pub use challenge::{Challenge, Charset, Names, Protection, Why};
pub use counts::Counts;
pub use credentials::Credentials;
pub use digest::{Algorithm, Asked, Ha1, Qop, hex, hex_digits, matches, response, write_hex};
pub use nonce::{Freshness, Made, Nonces};
pub use token::{BadToken, Token, Tokens, without_tokens};
pub use verdict::{Claim, Verdict};
