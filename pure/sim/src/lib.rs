//! Worlds in one thread: hosts, a bad network, and a clock that we own. Start reading at [`World`].
//!
//! The simulator knows nothing of SIP. Its hosts send and receive [`Parcel`]s: datagrams, pieces of streams, and the
//! news that a port is closed. Whoever wants a SIP server in it writes a [`Host`] that turns the machine's inputs and
//! outputs into parcels. Everything random is thrown from one seed, so the same seed lives the same life, to the byte:
//! [`World::trace`] is a hash of it.

mod agenda;
mod atlas;
mod host;
pub mod limits;
mod nat;
mod parcel;
mod sky;
mod stream;
mod tap;
mod trace;
mod weather;
mod world;

#[cfg(test)]
mod tests;

pub use atlas::{NatId, Realm};
pub use host::{Door, Host, HostId, Transport};
pub use nat::{Dependence, Hairpin, NatRules, Pooling, Ports, Refresh};
pub use parcel::{Connection, Kind, Parcel, Segment, Unreachable};
pub use tap::{Fate, Sighting, Tap};
pub use weather::{Cut, Mtu, Rate, Weather};
pub use world::{Change, Ended, Outage, World};
