//! What the tests share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests uses this: to stop is how a test fails"
)]

pub mod attendant;
pub mod bench;
pub mod corpus;
pub mod exchange;
pub mod golden;
pub mod office;
pub mod puppet;
pub mod seeds;
pub mod shown;
pub mod speaker;
pub mod speech;
pub mod work;
