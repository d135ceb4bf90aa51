//! Each machine on a virtual clock (RFC 3261 §17).
