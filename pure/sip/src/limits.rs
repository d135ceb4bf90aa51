//! How much of everything a message may have, and why.

/// The start line and all headers, in octets. The index keeps offsets in 16 bits; no datagram has more either.
pub const HEAD: usize = 65_535;

/// Header rows of one message. Real ones have 10 to 40; strangers send thousands to make us work.
pub const ROWS: usize = 512;

/// A whole message on a stream, in octets: the head and a body of the size of the largest datagram.
pub const MESSAGE: usize = 2 * 65_535;

/// Parameters looked through in one header value: a bound on work that a stranger can ask for.
pub const PARAMS: usize = 256;

/// Nesting of multipart bodies and of comments: a person writes one or two.
pub const DEPTH: usize = 8;

/// Parts of one multipart body. Real ones have two to five; each costs its reader an allocation.
pub const PARTS: usize = 32;
