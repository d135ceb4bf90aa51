//! The limits of the command line and the config file, each with its reason.

use std::time::Duration;

/// How long a new request may wait for its turn before it is refused, in milliseconds; 0: none waits. More than 250, and what it has waited
/// before it was read, makes callers repeat themselves.
pub const OVERLOAD_TARGET: std::ops::RangeInclusive<u64> = 0..=250;

/// New requests a second, or at once, of one source.
pub const SOURCE_RATE: std::ops::RangeInclusive<u64> = 0..=1_000_000;

/// Octets of a config file: room for half a million extensions; more is a wrong file (a disk image, a recording).
pub const CONFIG_BYTES: u64 = 64 << 20;

/// Mistakes that one run of `check` prints: nobody reads more, and a wrong file could have a million.
pub const MISTAKES_SHOWN: usize = 50;

/// Characters of an offending line that are printed: one screen line around the mistake.
pub const LINE_SHOWN: usize = 120;

/// Shards: more than any machine that we know has cores.
pub const SHARDS: u64 = 1024;

/// Microseconds of the longest nap: a call whose set-up passes three times waits for it three times.
pub const NAP: u64 = 1000;

/// Contacts of one address-of-record: all of them ring at once, and a request may be forked to 60 (RFC 5393 §5.3.3).
pub const CONTACTS: u64 = 60;

/// Seconds that a call waits for a phone to wake up: a request other than INVITE is given up by its sender after 32.
pub const WAKING: std::ops::RangeInclusive<u64> = 1..=25;

/// Seconds that a server gives to what has begun when it is told to stop: longer than a day nobody waits.
pub const DRAIN: std::ops::RangeInclusive<u64> = 1..=86_400;

/// Percent that a registration may be shorter than wished: half is enough to spread any storm.
pub const JITTER: u64 = 50;

/// Seconds between signs of life of a phone: more often only costs, and an hour is longer than any NAT waits.
pub const FLOW_TIMER: std::ops::RangeInclusive<u64> = 20..=3600;

/// Seconds that phones ring before the next ones do: less is not enough to get up, and past three minutes a call has been given up.
pub const RING_EACH: std::ops::RangeInclusive<u64> = 5..=180;

/// Seconds of a session timer: 90 is the least that RFC 4028 §5 knows, and a call of a day is refreshed at least once.
pub const SESSION_TIMER: std::ops::RangeInclusive<u64> = 90..=86_400;

/// Static contacts of one account, and accounts that one may register for.
pub const NAMED_FOR_ONE: usize = 60;

/// Seconds of an expiry: what `delta-seconds` can hold (RFC 3261 §20.19).
pub const EXPIRES: u64 = u32::MAX as u64;

/// Characters of a password below which it is called weak: eight random letters are guessed in days, offline.
pub const WEAK_PASSWORD: usize = 10;

/// Listeners of one transport: each is a socket on every shard.
pub const ADDRESSES: usize = 64;

/// Events that wait to be written to the log. What is more is dropped, and counted: calls do not wait for a slow disk.
pub const LOG_LINES: usize = 65_536;

/// Lines of the server itself that wait to be written: it says a few in an hour.
pub const LINES: usize = 4_096;

/// How long a server that ends waits for whoever reads its log.
pub const LAST_LINES: Duration = Duration::from_secs(2);

/// Who waits for a reload that has not begun: each has a connection to the console.
pub const RELOADS_ASKED: usize = 64;

/// Octets of a file that holds a token: one line.
pub const TOKEN_FILE: u64 = 4_096;

/// Characters of a token below which it is called weak: sixteen random digits in hex are 64 bits.
pub const WEAK_TOKEN: usize = 16;

/// Octets of the path of a socket: the system takes 108, and while it is being made a number stands behind its name.
pub const SOCKET_PATH: usize = 90;

/// Events that wait to be written for those who read them over HTTP.
pub const EVENTS: usize = 16_384;

/// Columns of a terminal that does not say how wide it is.
pub const TERMINAL_WIDTH: usize = 100;

/// Lines of the log that strangers can cause at once: challenges, refusals, what is no SIP. An office that comes to work is seen whole; after
/// that it is ten a second, and a flood fills no disk.
pub const LINES_OF_STRANGERS: u64 = 200;

/// The same of one address: a phone that does not register tries a few times; after that it is one a second.
pub const LINES_OF_A_SOURCE: u64 = 20;

/// Addresses that are counted by themselves at once; more than that are one flood.
pub const NOISY_SOURCES: usize = 1024;

/// Characters that a route may take off a number: E.164 has fifteen digits, and nobody dials more than that in front of them.
pub const STRIPPED: u64 = 32;

/// Characters of a reason phrase: it stands in the first line of a response, and on a small display.
pub const REASON: usize = 80;

/// Certificates of single domains. Who serves more has a certificate for many.
pub const CERTIFICATES: usize = 1024;

/// Calls at once, or in a second, that a member of a group may be allowed: more than any machine that we know carries.
pub const GROUP_CALLS: u64 = 1_000_000;

/// Seconds that a call may count when nobody is seen to hang it up: a week.
pub const LONGEST_CALL: u64 = 604_800;

/// Seconds of a ban, and of how long things are remembered: longer than a month nobody has the same address anyway.
pub const BAN_SECONDS: std::ops::RangeInclusive<u64> = 1..=2_592_000;

/// Wrong passwords before something is done; 0: nothing is.
pub const BAN_FAILURES: std::ops::RangeInclusive<u64> = 0..=100_000;

/// Call records that wait to be written: what ends in some seconds of the busiest hour. What is more is dropped, and counted: calls do not wait
/// for a slow disk.
pub const RECORDS: usize = 65_536;

/// Call records that are written at once.
pub const RECORDS_AT_ONCE: usize = 4_096;

/// How often the clock of the machine may be set before the first of it is forgotten. It matters for calls that were up then.
pub const CLOCK_SETS: usize = 64;

/// MiB of a file of call records.
pub const RECORDS_MEGABYTES: std::ops::RangeInclusive<u64> = 1..=65_536;

/// Full files of call records that are kept.
pub const RECORDS_KEPT: std::ops::RangeInclusive<u64> = 1..=100_000;

/// Seconds that a call may be followed when nobody is seen to hang it up: from a minute to a week.
pub const FOLLOWED: std::ops::RangeInclusive<u64> = 60..=LONGEST_CALL;

/// Octets of a file that is imported, and of all that it includes each: a million subscribers have some hundred MiB.
pub const IMPORT_BYTES: u64 = 512 << 20;

/// How deep files may include each other, and how many there may be: Asterisk's own limit is ten.
pub const IMPORT_DEPTH: usize = 10;

/// Files that are read for one import.
pub const IMPORT_FILES: usize = 1_000;

/// Accounts of one phone: each is a registration, sockets and a thread. A large telephone on a desk has sixteen.
pub const ACCOUNTS: usize = 16;

/// Calls that the phone's file of calls keeps; when it holds twice as many, the oldest go.
pub const PAST_CALLS: usize = 500;

/// Letters of the other side's name and address that a person is shown, and that are kept of a call.
pub const NAME: usize = 256;

/// Octets of that file that are read: its newest. More than so many lines have, as names have an end.
pub const PAST_OCTETS: u64 = 1 << 20;

/// Texts that the phone's screen keeps.
pub const TEXTS: usize = 200;

/// Characters of a line that is typed on the phone's screen: a MESSAGE has at most 1300 octets.
pub const TYPED: usize = 1024;
