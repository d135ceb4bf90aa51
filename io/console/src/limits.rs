//! The limits of the console, each with its reason.

use std::time::Duration;

/// Connections at once. An operator has a few, monitoring some more. When there are more, those that have proven nothing go first.
pub const CONNECTIONS: usize = 512;

/// Readers of events at once: each holds a connection. Fewer than those, so that an operator always gets in.
pub const READERS: usize = 256;

/// Events that wait for a reader that is slow. Past that it loses the oldest, and is told how many.
pub const EVENTS: usize = 8_192;

/// Octets of one event: longer ones are not told.
pub const EVENT: usize = 16 << 10;

/// Octets that are put together for one reader before they are sent.
pub const CHUNK: usize = 32 << 10;

/// How long a stream of events is silent before its reader gets a sign of life.
pub const QUIET: Duration = Duration::from_secs(15);

/// Octets of a request's head, and of what waits to be written to one peer.
pub const HEAD: usize = 16 << 10;

/// Header fields of a request; a browser sends some twenty.
pub const HEADERS: usize = 64;

/// How long a peer may take to say its request, or to think of the next one.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer may read nothing of what it asked for.
pub const DEAF: Duration = Duration::from_secs(60);

/// How long a shard may take to answer. It is busy, not dead, when it takes longer: the one who asks is told so.
pub const ANSWER: Duration = Duration::from_secs(5);

/// How long whoever ends a call waits for what both sides answer. Who is there does so at once, or after a repeat; for the others nobody waits.
pub const LEAVING: Duration = Duration::from_secs(3);

/// How long whoever takes a binding away waits until that is on the disk: a bit longer than the server itself waits for the disk.
pub const KEEPING: Duration = Duration::from_secs(9);

/// How often it is looked whether they have.
pub const A_LOOK: Duration = Duration::from_millis(50);

/// Characters that say which call is meant, at least: fewer are a slip of the finger.
pub const A_BEGINNING: usize = 4;

/// Calls that are named to whoever could mean each of them.
pub const NAMED: usize = 5;

/// How long answers that are under way may take when the server ends.
pub const GOODBYE: Duration = Duration::from_secs(2);

/// Seconds of a ban that an operator pronounces, unless said otherwise.
pub const A_BAN: usize = 3_600;

/// Seconds of such a ban at most: a year.
pub const LONGEST_BAN: usize = 31_536_000;

/// Octets of a request's query: a filter and a few words.
pub const QUERY: usize = 4_096;

/// Calls that are copied out of a shard in one visit: a tenth of a millisecond. Calls wait for no more than that.
pub const A_VISIT: usize = 256;

/// Registrations or calls on one page, unless asked otherwise.
pub const PAGE: usize = 100;

/// Registrations or calls on one page at most.
pub const LONGEST_PAGE: usize = 1_000;

/// Octets of an answer that `ctl` reads: a long page, and a day of events is read line by line.
pub const REPLY: usize = 16 << 20;

/// How long `ctl` waits for the head of an answer: longer than the server waits for its shards.
pub const REPLY_PATIENCE: Duration = Duration::from_secs(30);

/// Places of a shard that a search looks into in one visit: two misses of the cache each, a tenth of a millisecond too.
pub const A_SEARCH: usize = 512;
