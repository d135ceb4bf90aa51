//! Hooks: a program of the operator is told over HTTP what has happened, and says whether it took it. Whoever asks never waits: a few
//! threads do, each request has a deadline, and what is too much is refused at once.

mod hook;
pub mod limits;
mod url;

pub use hook::{Hook, Refusal};
pub use url::{BadUrl, Url};
