//! How much waits for the disk, and why.

use std::time::Duration;

/// Records that wait to be written. At 50,000 a second this is more than a second: a disk that is slower than that for longer is
/// overloaded, and the phones are told to come back.
pub const WAITING: usize = 65_536;

/// Records in one transaction. More would make those that came first wait for those that came last, and gain nothing: a sync is
/// shared by thousands already.
pub const A_GROUP: usize = 8_192;

/// Octets of one record: an address of record with many contacts has a few thousand.
pub const RECORD: usize = 1_048_576;

/// How long "relaxed" lets records gather before they are written.
pub const RELAXED: Duration = Duration::from_millis(200);

/// Pages of the log before it is taken over into the table: at 4,096 octets a page, 64 MiB.
pub const LOG_PAGES: u32 = 16_384;

/// Octets that SQLite may keep of the table in memory, as it counts (negative: in KiB): 16 MiB. The shards have it all anyway.
pub(crate) const CACHE: i64 = -16_384;
