//! The driver with a real kernel: an echo machine behind real sockets on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod changes;
mod datagrams;
mod echo;
mod handshakes;
mod living;
mod questions;
mod reuse;
mod secure;
mod slow;
mod streams;
mod tls;
mod web;
mod web_client;
