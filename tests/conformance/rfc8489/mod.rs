//! Session Traversal Utilities for NAT (STUN).

mod section_14;
mod section_5;
mod section_6;
mod section_9;
