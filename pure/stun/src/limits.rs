//! How much of a request is looked at, and why.

/// Octets of a request. What has more is no keep-alive: a phone's Binding request has 20 to 100.
pub const REQUEST: usize = 548;

/// Unknown attributes that an error answer lists. One is enough to see what is wrong.
pub const UNKNOWN: usize = 4;

/// Octets of a message to a client: what a relay passes on has at most as many as a network carries at once.
pub const MESSAGE: usize = 2048;
