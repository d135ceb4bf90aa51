//! How much the resolver keeps and how long it waits, and why.

use std::time::Duration;

/// Searches at once. A search ends within seconds, so these are some hundred calls a second to domains that nobody has called
/// lately, while the DNS is dead. Past this the answer is that the DNS does not answer.
pub const SEARCHES: usize = 4_096;

/// Questions to the DNS that wait for an answer or for their turn.
pub const QUESTIONS: usize = 8_192;

/// Sockets at once: each question has its own, with a port that nobody can foresee. Linux gives a process 1,024 descriptors unless
/// it asks for more, and the rest of the program needs some.
pub const SOCKETS: usize = 256;

/// Requests in the inbox of the thread.
pub const INBOX: usize = 4_096;

/// Records in the cache: some 100 octets each.
pub const CACHE_RECORDS: usize = 100_000;

/// Servers that are asked. resolv.conf(5) knows three.
pub const SERVERS: usize = 8;

/// Octets of resolv.conf or of the hosts file that are read. Lists that block advertisements have some megabytes.
pub const FILE: u64 = 8 * 1_024 * 1_024;

/// Answers to something else on one socket: beyond, somebody is guessing, and the question is asked again from another port.
pub const STRANGE: u32 = 8;

/// Rounds through all servers.
pub const ROUNDS: u32 = 3;

/// How long a server has for an answer in the first round; each later round doubles it. Most answer within 100 ms.
pub const FIRST_PATIENCE: Duration = Duration::from_millis(800);

/// How long a server has for an answer by TCP.
pub const TCP_PATIENCE: Duration = Duration::from_secs(2);

/// How long one question may take, whatever happens: three rounds with one server.
pub const QUESTION: Duration = Duration::from_secs(5);

/// How long a search may take. The caller has hung up long before the 32 s of a transaction.
pub const SEARCH: Duration = Duration::from_secs(8);

/// How long a search that knows its first target waits for the others.
pub const LINGER: Duration = Duration::from_millis(200);

/// How long a search that knows some target waits for a better one.
pub const LONG_LINGER: Duration = Duration::from_secs(2);

/// How long something known is kept at most: whoever writes a year means "long".
pub const LONGEST_TTL: Duration = Duration::from_secs(24 * 3_600);

/// How long "there is no such name" is kept at most (RFC 2308 §5 advises one to three hours).
pub const LONGEST_NEGATIVE_TTL: Duration = Duration::from_secs(3_600);

/// How long a failure is kept (RFC 2308 §7: at most five minutes), so that a broken domain that is called often is not asked for
/// each time.
pub const FAILURE_TTL: Duration = Duration::from_secs(5);

/// How long something outdated may still be used when the DNS fails (RFC 8767 §5 advises one to three days).
pub const STALE: Duration = Duration::from_secs(24 * 3_600);

/// After so long without an answer the outdated one is used, while the question stays open (RFC 8767 §5).
pub const STALE_AFTER: Duration = Duration::from_millis(1_800);

/// How long an outdated answer is used before the DNS is asked again (RFC 8767 §5).
pub const STALE_TTL: Duration = Duration::from_secs(30);
