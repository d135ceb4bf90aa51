//! The limits of a world, each with its reason.

use std::time::Duration;

/// Parcels under way and alarms set at one time. A storm of a million parcels is a loop between hosts, not a test.
pub const AGENDA: usize = 1 << 20;

/// Sightings that the tap keeps; the oldest go first. At some 200 bytes each, 50 MB.
pub const SIGHTINGS: usize = 1 << 18;

/// Mappings of one NAT: one for each port of an address, as a real one runs out of ports too (RFC 4787 §4.2).
pub const MAPPINGS: usize = 1 << 16;

/// Remote endpoints that one mapping remembers for its filter; the oldest goes first.
pub const CONTACTS: usize = 4096;

/// NATs that one parcel may cross: home, carrier, and a few for the fun of it. More is a loop of routes.
pub const HOPS: usize = 8;

/// Streams that live at one time in a world.
pub const STREAMS: usize = 1 << 16;

/// Pieces of a stream that wait in one direction. A real sender would block; a simulated one is reset.
pub const PIECES: usize = 1 << 16;

/// Pieces that one write is cut into at most, however mean the weather. The rest follows in one.
pub const CUTS: u64 = 4096;

/// Losses in a row that one piece of a stream suffers at most; at the sixth try it gets through.
pub const STREAM_LOSSES: u32 = 5;

/// The first retransmission of a stream comes after this; each further one after twice as long (RFC 6298 §5.5).
pub const STREAM_RETRY: Duration = Duration::from_millis(200);

/// The longest pause between two tries of a stalled stream (RFC 6298 §2.5: at least 60 s).
pub const STREAM_RETRY_MAX: Duration = Duration::from_secs(60);

/// A connection that nobody answers is given up after this: six SYN retries of Linux.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(127);

/// Unacknowledged data is given up after this: `tcp_retries2` of Linux, about 15 minutes.
pub const STREAM_PATIENCE: Duration = Duration::from_secs(924);

/// A host that is still due after it was woken is woken again only after this, so that time moves on.
pub const NAP: Duration = Duration::from_micros(1);

/// Octets of an IPv4 and UDP header (RFC 791, RFC 768), which count toward the MTU.
pub const IPV4_UDP: usize = 28;

/// Octets of an IPv6 and UDP header (RFC 8200, RFC 768).
pub const IPV6_UDP: usize = 48;

/// The largest payload of a datagram over IPv4: 65,535 minus the headers (RFC 768).
pub const DATAGRAM: usize = 65_507;
