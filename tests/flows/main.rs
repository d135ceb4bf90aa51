//! The call flows of RFC 3665, and those of RFC 5359 that phones make among themselves, as ladders that were looked at once and stay. §3.5 is left out: an application-level gateway that changes
//! what it carries is no part of ours yet. Of RFC 5359 are left out: find-me (§2.12) and the two kinds of screening (§2.13, §2.14), which a proxy does
//! and a phone sees only as a call that is answered or refused; and click to dial (§2.18), for our phone does nothing for whom it is in no call with.
//!
//! `golden/` holds them; `OFFHOOK_WRITE=1 cargo test -p offhook-tests --test flows` writes what is now.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod joining;
mod registration;
mod services;
mod sessions;
mod towns;
mod unsuccessful;

use ladder::Look;
use offhook_tests::exchange::Exchange;
use offhook_tests::golden;
use sim::HostId;

/// The ladder of all that happened is the golden one.
fn check(exchange: &mut Exchange, order: &[HostId], name: &str) {
    let text = exchange.ladder(order).text(Look { width: 110, ..Look::GOLDEN });
    golden::check(&format!("flows/golden/{name}.txt"), &text);
}
