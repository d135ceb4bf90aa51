//! How much waits for the store, how long, and why.

use std::time::Duration;

/// Wishes that wait for one master. At 50,000 a second this is more than a second: a master that is slower than that for longer is
/// overloaded, and the phones are told to come back.
pub const WAITING: usize = 65_536;

/// Wishes in one round trip. More would make those that came first wait for those that came last.
pub const A_GROUP: usize = 1_024;

/// Octets of one record: an address of record with many contacts has a few thousand.
pub const RECORD: usize = 1_048_576;

/// Octets of a line of the protocol that is no record: a word, a number, an error.
pub(crate) const LINE: u64 = 65_536;

/// Elements of one row in an answer: a map of a cluster has a row for each range of slots.
pub(crate) const ROW: usize = 20_000;

/// Rows within rows.
pub(crate) const NESTS: u32 = 6;

/// How long opening a connection may take. Calls wait for it.
pub const CONNECT: Duration = Duration::from_millis(1_000);

/// How long an answer may take. A master in the same building takes less than a millisecond.
pub const ANSWER: Duration = Duration::from_millis(1_500);

/// How long a master that could not be reached is left alone; whatever is asked of it meanwhile is answered at once.
pub const REST: Duration = Duration::from_millis(250);

/// How long a connection may be idle before it is asked whether it is still there.
pub const PULSE: Duration = Duration::from_millis(1_000);

/// How long a server must have refused nothing until what it takes counts as a sign that it works again.
pub const CALM: Duration = Duration::from_secs(5);

/// How often the map of the cluster is drawn anew when nothing has changed.
pub const MAP: Duration = Duration::from_secs(10);

/// The same, when something has failed: a replica takes over within a second or two.
pub const MAP_IN_TROUBLE: Duration = Duration::from_millis(300);

/// How long a master waits for its replicas, when they are to have a record too.
pub const REPLICAS: Duration = Duration::from_millis(500);

/// How often a wish is sent on because the slot has moved.
pub(crate) const MOVES: u8 = 4;

/// Things that are pinned to the board at once. Every node reads all of it every few seconds.
pub const BOARD: usize = 2_000;

/// Masters that we talk to at once: Redis knows no more than 1,000 nodes.
pub(crate) const MASTERS: usize = 1_000;
