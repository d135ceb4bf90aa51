//! How much waits for the disk, and why.

use std::time::Duration;

/// Records that wait to be written. At 50,000 a second this is more than a second: a disk that is slower than that for longer is
/// overloaded, and the phones are told to come back.
pub const WAITING: usize = 65_536;

/// Records in one transaction. More would make those that came first wait for those that came last, and gain nothing: a sync is
/// shared by thousands already.
pub const A_GROUP: usize = 8_192;

/// From so many records in one group on they are not put into the table one by one: a batch takes a handful of pages, and each record of its own
/// one to three.
pub const A_BATCH: usize = 32;

/// Octets of a batch after which another one begins.
pub const BATCH: usize = 1 << 20;

/// Room for that, and for a usual last record, which goes beyond it.
pub(crate) const BATCH_ROOM: usize = BATCH + 4_096;

/// Octets of batches that lie beside the table: as many as 160,000 phones say. When all of a hundred thousand register again and again, all but the
/// last is forgotten before it has cost anything.
pub const LANDED: usize = 32 << 20;

/// A group begins no sooner after the beginning of the one before. A sync costs as much as a dozen REGISTERs, however few share it; and nobody
/// notices that a 200 comes 4 ms later.
pub const APART: Duration = Duration::from_millis(4);

/// The same for "relaxed", where nobody waits.
pub const RELAXED: Duration = Duration::from_millis(200);

/// After so long without a record there is time to put a batch into the table.
pub const QUIET: Duration = Duration::from_millis(20);

/// After so long the disk is tried again that has refused that.
pub const AGAIN: Duration = Duration::from_secs(5);

/// Octets of one record: an address of record with many contacts has a few thousand.
pub const RECORD: usize = 1_048_576;

/// Pages of the log before it is taken over into the table: at 4,096 octets a page, 16 MiB. Whoever registers meanwhile waits for it: with 64 MiB 99 of 100
/// waited twice as long.
pub const LOG_PAGES: u32 = 4_096;

/// Octets that SQLite may keep of the table in memory, as it counts (negative: in KiB): 16 MiB. The shards have it all anyway.
pub(crate) const CACHE: i64 = -16_384;
