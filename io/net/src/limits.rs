//! How many of everything the driver keeps, how long it waits, and why.

use std::time::Duration;

/// Shards at most: the shards that know of a connection are kept as the bits of one number.
pub const SHARDS: u16 = 64;

/// Listeners at most. Real servers have two to ten.
pub const LISTENERS: usize = 64;

/// Datagrams taken from or given to the kernel in one call. Past 64 a larger batch saves nothing.
pub const BATCH: usize = crate::kernel::BATCH_MOST;

/// From so many waiting datagrams on those of one kind go together. With fewer there is little to gain, and they leave in their order.
pub const TRAINS_FROM: usize = 16;

/// Datagrams in one train: the kernel's limit is 64, or 128 since Linux 6.9 (`UDP_MAX_SEGMENTS`), of which kernels before 5.16 take some octets for headers.
pub const TRAIN: usize = 63;

/// Octets of all datagrams of a train: as many as one datagram can have (RFC 768, RFC 791), less some for headers.
pub const TRAIN_OCTETS: usize = 65_000;

/// Octets of the largest datagram that goes in a train: what fits into each packet of IPv6 (RFC 8200 §5). What is larger may be too large for a way.
pub const WAGON: usize = 1232;

/// Datagrams given to the kernel in one call, in trains: as many as one turn takes from a socket.
pub const CARGO: usize = BATCH * BATCHES;

/// Batches taken from one socket in one turn, so that a busy socket does not keep the others waiting, nor a turn last long: a message of a call
/// takes up to 40 µs on a slow machine.
pub const BATCHES: usize = 2;

/// Octets that a socket's filter may take in the kernel (`net.core.optmem_max`): as many as Linux allows by itself since 6.7; before that it was 20,480,
/// and too little.
pub const FILTER_MEMORY: usize = 131_072;

/// What a UDP socket's receive buffer should hold, in octets. The system's default (208 KiB) overflows at the first pause of 4 ms.
pub const RECEIVE_BUFFER: usize = 4 << 20;

/// What a datagram that waits to be read takes of it, in octets, with the kernel's own book-keeping: half a kilobyte to two, and the kernel doubles what
/// is asked for.
pub const DATAGRAM_WAITING: usize = 1 << 10;

/// Datagrams that wait for one socket while the kernel's own queue is full. More are dropped and counted, as a router would.
pub const DATAGRAMS_WAITING: usize = 4096;

/// Sockets whose readiness is told at once.
pub const READY: usize = 256;

/// How long the datagram sockets of a listener that goes stay: a call that came there may ring for 200 s, and its last answer be repeated
/// for 32 more.
pub const LEAVING: Duration = Duration::from_secs(240);

/// Less than this before it is closed, a socket is not taken back.
pub const CLOSING: Duration = Duration::from_secs(1);

/// Letters in a shard's inbox. At 100,000 messages a second it holds 160 ms; more are dropped and counted.
pub const LETTERS: usize = 16_384;

/// Letters read from the inbox in one turn.
pub const LETTERS_A_TURN: usize = 1024;

/// Answers to a shard's questions that it takes at once, unless it reads more than that: a buffer of the system's default size (208 KiB) holds 160
/// datagrams, and others want room in it too.
pub const ANSWERS_AT_ONCE: usize = 32;

/// Letters kept for shards whose inbox is full: answers, and messages that nobody would repeat. More are dropped and counted.
pub const LETTERS_KEPT: usize = 4096;

/// How soon kept letters are tried again.
pub const POST_AGAIN: Duration = Duration::from_millis(1);

/// Entries of the error queue that are read in one turn: a peer that sends ICMP messages must not keep a shard busy.
pub const ERRORS_A_TURN: usize = 64;

/// Peers whose way in (which of our addresses they use) is remembered for one wildcard listener, by each shard. The oldest half is
/// forgotten when there are more; the kernel chooses the address then.
pub const WAYS: usize = 65_536;

/// Connections over all shards. One that is idle costs about a kilobyte here and a few in the kernel.
pub const CONNECTIONS: usize = 20_000;

/// Connections from one source address. A large office behind one NAT has some hundreds of phones.
pub const CONNECTIONS_A_SOURCE: usize = 2_000;

/// Files that are never used for connections: sockets for media, the store, the log, one console. At most half of what there are.
pub const FILES_KEPT: u64 = 64;

/// Octets that wait to be written to one connection. A peer that lets more gather does not read.
pub const WRITE_QUEUE: usize = 256 * 1024;

/// Octets that wait to be written to all connections of one shard. Past this the one goes to which most waits.
pub const WRITE_QUEUES: usize = 64 << 20;

/// Octets read from one connection in one call.
pub const READ: usize = 64 * 1024;

/// Octets read from all connections in one turn, so that a turn is soon over: those that have something share them.
pub const READ_A_TURN: usize = 4 * READ;

/// But each may say so much: some ten messages.
pub const READ_LEAST: usize = 4 * 1024;

/// Rounds of TLS in one read, so that who fills them with nothing for us does not keep the others waiting.
pub const READS: usize = 4;

/// Connections taken from one listener in one turn.
pub const ACCEPTS: usize = 64;

/// How many times that when a listener closes: who waits there believes to be connected.
pub const LAST_ACCEPTS: usize = 16;

/// Connections that wait for us in the kernel. The system may lower it (`net.core.somaxconn`).
pub const BACKLOG: i32 = 4096;

/// How long a listener rests when no more files can be opened.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Octets of buffers that an idle connection keeps.
pub const IDLE_BUFFER: usize = 1024;

/// Pairs of media sockets on one shard: each is a call's leg.
pub const MEDIA_PAIRS: usize = 4096;

/// Ports tried at random before we say that there is none.
pub const PORT_TRIES: usize = 256;

/// Next hops of one shard that are being looked up at once. For more it is as if nobody answered.
pub const LOOKUPS: usize = 4096;

/// How far apart a sleeping shard is woken for timers of signalling: the shortest, T1, is a hundred times longer.
pub const TIMERS_APART: Duration = Duration::from_millis(5);

/// Rounds of answers within one turn: a machine that asks again at every answer waits for the next turn.
pub const ROUNDS: usize = 8;

/// Messages and events kept for a reader of the channel sink that is slower than we are.
pub const SINK: usize = 8192;

/// Panics of one machine after which it is not trusted any more, within [`PANIC_WINDOW`].
pub const PANICS: usize = 16;

/// The time in which so many panics end the program.
pub const PANIC_WINDOW: Duration = Duration::from_secs(60);

/// How often a shard that drains looks whether everybody has finished.
pub const DRAIN_LOOK: Duration = Duration::from_millis(10);

/// Octets of the head of an HTTP request that wants to become a WebSocket. Browsers send one to two kilobytes, cookies included.
pub const WEB_HEAD: usize = 8 * 1024;

/// Header fields of such a request. Browsers send some twenty.
pub const WEB_ROWS: usize = 64;

/// Pings and pongs from one WebSocket within [`SIGNS_WINDOW`]: browsers send one in half a minute, if any.
pub const SIGNS: usize = 20;

/// The time in which so many are too many.
pub const SIGNS_WINDOW: Duration = Duration::from_secs(10);

/// TLS handshakes with those who call us, at once on each shard. One takes a tenth of a millisecond of ours and two round trips, so a
/// shard that is busy with nothing else has some hundreds under way; when there are more, the oldest goes.
pub const HANDSHAKES: usize = 512;

/// The same from one source address: an office whose power comes back has a hundred phones.
pub const HANDSHAKES_A_SOURCE: usize = 128;

/// TLS sessions that are remembered to be resumed, of each side. One is a few hundred octets.
pub const TLS_SESSIONS: usize = 4_096;

/// Octets that wait within TLS for the kernel to take them, on one connection: beside [`WRITE_QUEUE`].
pub const TLS_BUFFER: usize = 64 * 1024;

/// Octets of a file with certificates or keys. The whole list of a system's authorities has a quarter of a megabyte.
pub const PEM_FILE: usize = 4 << 20;

/// Domains whose names are remembered for one shard, to check what TLS peers prove. The oldest half is forgotten when there are more; a
/// connection to one of them is then opened only when a machine names it again.
pub const INTRODUCED: usize = 16_384;

/// Connections of which one shard remembers that it has said whose they are: some more than there may be. Of one that is forgotten it is said
/// again.
pub const VOUCHED: usize = 65_536;

/// Addresses that are reached over connections of other shards. For one that is forgotten a connection is opened, as without an alias.
pub const DETOURS: usize = 4_096;

/// Addresses that one connection stands for beside its own (RFC 5923): a peer listens at one or two ports.
pub const ALIASES: usize = 4;
