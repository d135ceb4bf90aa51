//! How much of everything: the limits of this crate, and why.

/// Octets of one description. It travels in one SIP message, and those end at 65,535 over UDP.
pub const OCTETS: usize = 65_535;

/// Lines of one description. A browser's longest offers have a few hundred; looking something up walks them.
pub const LINES: usize = 2_000;

/// `m=` sections of one description, and so of a session, which only ever grows (RFC 3264 §8). Phones have one or two, browsers in large
/// conferences a few dozen.
pub const SECTIONS: usize = 64;

/// Formats of one section: there are 128 payload types.
pub const FORMATS: usize = 128;

/// Characters of one key in `a=crypto`: the longest suite has 46 octets, in base64 64.
pub const KEY: usize = 128;

/// Characters of one digest in `a=fingerprint`: SHA-512 has 64 octets, three characters each.
pub const FINGERPRINT: usize = 192;

/// Candidates of one section that are looked at: a machine with ten networks has thirty.
pub const CANDIDATES: usize = 32;

/// Payload types of one section whose meaning is remembered for the whole session (RFC 3264 §8.3.2): all there are.
pub const REMEMBERED: usize = 128;

/// The longest packet time that we agree to send, in milliseconds. RFC 3551 §4.2 asks receivers to take up to 200 ms.
pub const PACKET_TIME: u16 = 200;

/// Kinds of extended reports that one section asks for: RFC 3611 has seven, and others have been added since.
pub const EXTENDED: usize = 32;
