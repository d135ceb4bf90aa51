//! How many of everything one shard keeps, and why.

use std::time::Duration;

/// Transactions at once. One costs about a kilobyte beside its message; past this we answer 503.
pub const TRANSACTIONS: usize = 400_000;

/// The same with those that only absorb repeats and keep no message: of a call by datagrams there are two for 32 s and one for 5 s, which have a kilobyte together. So some 20,000 such calls a
/// second can go on.
pub const LINGERING: usize = 1_600_000;

/// Pages of 64 KiB with answers that only wait for repeats: on each shard a quarter of a gigabyte and what finds them, half a million REGISTERs. At more than 16,000 a
/// second the oldest are forgotten before their 32 s are over, and who repeats one of those is served anew.
pub const ANSWERED_PAGES: usize = 4_096;

/// Octets of the head of a copy of an INVITE, and of what it has of its own, of which a trace is kept and not the whole: its ACK and CANCEL write names in
/// their long form, which is 10 kB more in 512 rows, and a head has 65,535 at most.
pub const TRACED: usize = 48 << 10;

/// Octets of a provisional answer, and of the head of its request, that are compared to keep the answer short; and lines of that head. Real ones have a quarter of it;
/// what is longer is kept as it is.
pub const ECHO: usize = 4_096;

/// See [`ECHO`].
pub const ECHO_LINES: usize = 64;

/// Nonces whose counts are remembered. A phone uses one for minutes; the oldest goes first, and its user is asked again.
pub const NONCES: usize = 100_000;

/// How far the first count that we see of a nonce may be from 1: requests before it may have been lost.
pub const NONCE_GAP: u32 = 16;

/// Rounds of 401 and 407 for one request. A proxy and a server, each once with a stale nonce, make four.
pub const ANSWERS: usize = 5;

/// Realms that one dialog or registration answers to, and challenges read in one response: a chain of proxies has two or three.
pub const REALMS: usize = 16;

/// Records of one DNS answer that are looked at. An answer by TCP can hold some three thousand; a domain with a thousand servers
/// is a test, or an attack.
pub const DNS_RECORDS: usize = 1_024;

/// Aliases followed from one name (CNAME). Real chains have one to three; a circle has no end.
pub const DNS_ALIASES: usize = 8;

/// Questions to the DNS to locate one server: services, their servers, two families of addresses each, and some aliases.
pub const LOOKUPS: usize = 48;

/// Servers of one service that are tried, by priority and weight. Who has lost sixteen times has waited long enough.
pub const SERVERS: usize = 16;

/// Addresses of one host that are tried, so that one host with many does not push out the next.
pub const ADDRESSES: usize = 8;

/// Targets of one look-up.
pub const TARGETS: usize = 32;

/// Addresses whose [state](crate::locate::States) is remembered: some 100 octets each. Alive ones need no memory.
pub const TARGET_STATES: usize = 4_096;

/// The longest that a `Retry-After` keeps an address out of favour: a typing mistake should not silence it for a year.
pub const RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// Domains that are known to offer TLS, so that a DNS that hides it is noticed.
pub const WATCHED_DOMAINS: usize = 4_096;
/// Dialogs that one INVITE of ours may open. A call that rings in a whole department has a dozen.
pub const FORKS: usize = 32;

/// Reliable provisional responses that are acknowledged for one early dialog (RFC 3262 §4): at one in two and a half minutes, more than two hours
/// of ringing.
pub const PROVISIONALS: u16 = 64;

/// The longest session interval that somebody's Min-SE may demand of us, in seconds: a day. More is a mistake, or a trap.
pub const LONGEST_SESSION: u32 = 86_400;
