//! How many of everything one shard keeps, and why.

/// Transactions at once. One costs about a kilobyte beside its message; past this we answer 503.
pub const TRANSACTIONS: usize = 400_000;

/// Nonces whose counts are remembered. A phone uses one for minutes; the oldest goes first, and its user is asked again.
pub const NONCES: usize = 100_000;

/// How far the first count that we see of a nonce may be from 1: requests before it may have been lost.
pub const NONCE_GAP: u32 = 16;
