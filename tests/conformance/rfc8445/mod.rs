//! RFC 8445: a way between two phones. What goes over it is shown beside the search itself (`pure/connectivity/src/tests/checks.rs`), what a phone
//! makes of it here.

mod section_6;
mod section_9;
