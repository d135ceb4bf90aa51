//! The limits of a ladder, each with its reason.

/// Lifelines of one ladder; the call of a PBX with every gateway in it has a dozen.
pub const LIFELINES: usize = 64;

/// Rungs that a ladder keeps: more than anybody reads, and a picture of some megabytes. The rest is counted.
pub const RUNGS: usize = 10_000;

/// Characters of a label, name or note that are kept.
pub const TEXT: usize = 240;

/// Cells that the clock takes at the left.
pub(crate) const CLOCK: usize = 11;

/// Cells between two lifelines at least: `--x` and a word. Narrower, and the ladder becomes a list.
pub(crate) const GAP_MIN: usize = 14;

/// Cells between two lifelines at most: arrows longer than this are hard to follow.
pub(crate) const GAP_MAX: usize = 28;

/// Cells a line may have at most, whatever the terminal claims.
pub(crate) const WIDTH: usize = 1000;
