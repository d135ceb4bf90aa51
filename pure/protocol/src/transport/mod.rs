//! Transport: flows, and the rules of RFC 3261 §18.

mod flow;
mod via;

pub use flow::{Flow, Listener, Transport};
pub use via::{fits_udp, reconnect_flow, response_flow, stamp};
