//! How many of everything one shard keeps, and why.

/// Transactions at once. One costs about a kilobyte beside its message; past this we answer 503.
pub const TRANSACTIONS: usize = 400_000;

/// Nonces whose counts are remembered. A phone uses one for minutes; the oldest goes first, and its user is asked again.
pub const NONCES: usize = 100_000;

/// How far the first count that we see of a nonce may be from 1: requests before it may have been lost.
pub const NONCE_GAP: u32 = 16;

/// Rounds of 401 and 407 for one request. A proxy and a server, each once with a stale nonce, make four.
pub const ANSWERS: usize = 5;

/// Realms that one dialog or registration answers to, and challenges read in one response: a chain of proxies has two or three.
pub const REALMS: usize = 16;
