//! What is bounded here, and why.

/// Sources (SSRCs) under one master key, on each side. A phone has one, and another after each collision; only who has the key can make more.
pub const SOURCES: usize = 16;

/// Packets that may overtake each other: so far behind the newest a packet is still let in, once (RFC 3711 §3.3.2 asks for 64 at least).
pub const WINDOW: u64 = 128;

/// SRTP packets of one source under one key: 2^48 (RFC 3711 §9.2).
pub const PACKETS: u64 = 1 << 48;

/// SRTCP packets of one source under one key: 2^31 (RFC 3711 §9.2).
pub const REPORTS: u32 = 1 << 31;
