//! SIP messages: one buffer plus an index (RFC 3261).
