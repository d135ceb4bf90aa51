//! How much of everything: the limits of this crate, and why.

/// RTCP packets in one compound packet. Real ones hold two to five; a datagram of empty packets could hold 16,383.
pub const RTCP_PACKETS: usize = 64;

/// Report blocks, BYE sources or SDES chunks in one RTCP packet: the count field has five bits (RFC 3550 §6.1).
pub const COUNT: usize = 31;

/// Blocks in one XR packet. Real ones hold one to five; a datagram of empty blocks could hold 16,000.
pub const XR_BLOCKS: usize = 64;

/// Octets of one SDES item or of a BYE's reason: the length field has eight bits (RFC 3550 §6.5).
pub const TEXT: usize = 255;

/// Events packed in one telephone-event payload (RFC 4733 §2.5.1.5). Nobody presses more keys within a packet time.
pub const EVENTS: usize = 16;

/// CSRC identifiers in one RTP packet: the count field has four bits (RFC 3550 §5.1).
pub const CSRCS: usize = 15;
