//! SIP machines in a simulated world. Start reading at [`Actor`].
//!
//! `sim` knows no SIP, and a machine knows no network: an [`Actor`] stands between the two as `io/net` does in production. It
//! carries flows over datagrams and streams, lends media sockets, looks names up in a table, and lets the shards of one server
//! ask each other. [`ladder()`] draws what the world's tap has seen.

mod actor;
mod disk;
pub mod limits;
mod lines;
mod names;
mod papers;
mod secure;
mod sights;
mod sockets;

#[cfg(test)]
mod tests;

pub use actor::{Actor, Steered};
pub use disk::{Disk, Health};
pub use names::{Names, Speed};
pub use papers::Papers;
pub use sights::ladder;
