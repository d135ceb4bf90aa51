//! How trusted SIP servers were broken, class by class (docs/regressions.md), and that ours is not. One bad, one good: after each message
//! that once hurt somebody, an ordinary one is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod bodies;
mod headers;
mod identity;
mod lasting;
mod lengths;
mod table;
mod watch;
