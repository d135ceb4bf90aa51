//! How many of everything one shard keeps, and why.

/// Transactions at once. One costs about a kilobyte beside its message; past this we answer 503.
pub const TRANSACTIONS: usize = 400_000;
