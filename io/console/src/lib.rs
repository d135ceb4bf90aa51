//! The operator's door: an HTTP API, metrics and a stream of events, for people and programs on the operator's side.
//!
//! [`Bound::bind`] takes the sockets that [`Settings`] name, so that a busy port is known before anything starts; [`Bound::start`] serves
//! on a thread of its own. What the console knows of the server around it is a [`House`]: it asks nodes on their own threads, in
//! portions, and waits for nobody. Start reading at `api/mod.rs`: the table of routes. The document that `/api/v1/openapi.json` serves comes from it.
//!
//! [`Client`] is the other end, for `offhook ctl`.

mod answer;
mod api;
mod client;
mod connection;
mod desk;
mod events;
mod exposition;
mod gate;
mod house;
pub mod limits;
mod listen;
mod patience;
mod query;
mod seats;
mod shown;
mod thread;

pub use api::openapi;
pub use client::{Client, Heard, Trouble};
pub use events::Hub;
pub use exposition::{Exposition, Family, Kind};
pub use gate::{Gate, Guests};
pub use house::{Command, Draining, House, Listening, Status, TellReloaded};
pub use listen::{BindError, Bound, Settings};
pub use shown::{shown, upsets};
pub use thread::Console;
