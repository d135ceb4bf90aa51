//! A file per section of an RFC; each test names the rules that it proves. `cargo xtask conformance` counts them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod client;
mod handset;
mod lender;
mod rfc3261;
mod rfc3262;
mod rfc3263;
mod rfc3264;
mod rfc3311;
mod rfc3323;
mod rfc3325;
mod rfc3327;
mod rfc3428;
mod rfc3515;
mod rfc3550;
mod rfc3581;
mod rfc3608;
mod rfc3680;
mod rfc3711;
mod rfc3840;
mod rfc3841;
mod rfc3842;
mod rfc3891;
mod rfc3892;
mod rfc3903;
mod rfc3911;
mod rfc4028;
mod rfc4235;
mod rfc4320;
mod rfc4733;
mod rfc5393;
mod rfc5626;
mod rfc5627;
mod rfc5764;
mod rfc5922;
mod rfc5923;
mod rfc6026;
mod rfc6665;
mod rfc7044;
mod rfc7118;
mod rfc7339;
mod rfc7616;
mod rfc8445;
mod rfc8489;
mod rfc8599;
mod rfc8656;
mod rfc8760;
mod rfc8866;
mod rfc8898;
