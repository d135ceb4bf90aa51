//! Traversal Using Relays around NAT (TURN), as a guest uses it.

mod section_11;
mod section_12;
mod section_5;
mod section_7;
mod section_8;
