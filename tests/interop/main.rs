//! Programs that nobody here wrote, talking with ours over loopback: a file a peer. [docs/interop.md](../../docs/interop.md) says what
//! was seen.
//!
//! These files belong to the crate `offhook` (`bin/offhook/Cargo.toml`), because cargo builds the program only for its own tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod account;
mod aiortc;
mod asterisk;
mod authority;
mod bans;
mod baresip;
#[path = "../../io/dns/tests/named/bind.rs"]
mod bind;
mod causes;
mod clocks;
mod cluster;
mod crowd;
mod cut;
mod families;
mod handset;
mod hangup;
#[path = "../../io/net/tests/driver/authority.rs"]
#[allow(dead_code, reason = "the tests of the driver want more of it")]
mod issuer;
mod kamailio;
mod land;
mod linphone;
mod moves;
mod named;
mod nats;
mod offhook;
mod outages;
mod outlives;
mod pages;
mod peer;
mod phone;
mod pjsua;
mod place;
mod redis;
mod renewal;
mod restarts;
mod screen;
mod secrets;
mod several;
mod sipp;
mod sipsak;
mod sipvicious;
mod slow;
mod sound;
mod systemd;
mod table;
mod town;
mod trapezoid;
mod ways;
mod weather;
mod web;
mod wire;
mod wired;
