//! Which seeds a test lives through: its own, or those that somebody wants to try.

use std::ops::Range;

/// The usual ones, or those of `OFFHOOK_SEEDS=100..200`.
pub fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(wanted) = std::env::var("OFFHOOK_SEEDS") else { return usual };
    let range =
        wanted.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range.unwrap_or_else(|| panic!("OFFHOOK_SEEDS={wanted}: write it like 100..200"))
}
