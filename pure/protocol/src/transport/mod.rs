//! Transport: flows, and the rules of RFC 3261 §18.

mod alias;
pub mod distrust;
mod flow;
mod identity;
mod subject;
mod via;

pub use alias::{ALIAS, alias};
pub use distrust::Distrust;
pub use flow::{Flow, Listener, Transport};
pub use identity::Identity;
pub use subject::{Subject, Wildcards};
pub use via::{fits_udp, reconnect_flow, response_flow, stamp};
