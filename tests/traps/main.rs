//! Where SIP implementations fall short, and we must not: a test for each trap, named after its number in docs/traps.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod cancel;
mod digest;
mod dns;
mod floods;
mod forking;
mod framing;
mod messages;
mod registrar;
mod ring;
mod routes;
mod table;
mod transactions;
mod uris;
