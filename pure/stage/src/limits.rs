//! The limits of a stage, each with its reason.

/// Events that an actor keeps; the oldest go first. A storm of a thousand calls reports some ten thousand.
pub const EVENTS: usize = 100_000;

/// Connections of one actor. Linux gives a process 1,024 descriptors unless it asks for more; a server asks.
pub const CONNECTIONS: usize = 16_384;

/// Pairs of media sockets that one actor lends: the even ports of [`crate::sockets::PORTS`].
pub const MEDIA: usize = 10_000;

/// Answers to answers within one turn: a shard asks another, which asks for a socket. More is a machine that never stops asking.
pub const ANSWERS: usize = 4;

/// Names of domains that TLS peers must prove to be. A town of servers has a dozen.
pub const INTRODUCED: usize = 4_096;
