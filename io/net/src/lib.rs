//! The driver between the kernel and a pure machine: moves bytes and time, and never decides what SIP means.
//!
//! A [`Plan`] says what to listen on. [`Plan::bind`] binds it, and [`Bound::listeners`] tells the real addresses. [`Bound::start`] makes
//! a machine for each shard, and a thread that serves it. [`Running::handle`] reaches them: commands, counters, drain.
//!
//! One turn of a shard (`shard.rs`, start reading there): take batches of datagrams, read connections, open letters from other
//! shards; `handle` each, `wake` once; send everything in batches. Idle it sleeps until something comes; under load it naps, so that
//! packets gather (`nap.rs`).
//!
//! Every shard has a UDP socket of its own for each listener (the kernel deals out by the peer's address); a message that is at home on
//! another shard is moved there after it was read. A TCP connection lives at the shard of its peer's address (`streams.rs`). Its octets pass a layer, which may be TLS (`layer.rs`), and a framing, which may be WebSocket's
//! (`framing.rs`).

mod accept;
#[cfg(test)]
#[path = "../../../tests/apart.rs"]
mod apart;
mod backlogs;
mod bars;
mod busy;
mod census;
mod change;
mod clock;
mod connection;
mod control;
mod counters;
mod datagrams;
mod dial;
mod ear;
mod filter;
mod framing;
mod handshakes;
mod intake;
mod keeper;
mod kernel;
mod layer;
pub mod limits;
mod listener;
mod media;
mod nap;
mod outbox;
mod plan;
mod portion;
mod pressure;
mod program;
mod pusher;
mod recent;
mod reply;
mod resolver;
mod running;
mod shard;
mod stall;
mod streams;
mod switchboard;
mod tap;
pub mod tls;
mod token;
mod trains;
mod trust;
pub mod websocket;
mod worth;

pub use busy::{Process, holder};
pub use change::{Prepared, Renewed};
pub use clock::Clock;
pub use counters::{ByTransport, Count, Counters, Histogram};
pub use keeper::Keeper;
pub use kernel::{forbid_core_dumps, forbid_huge_pages, give_memory_back};
pub use listener::{BindError, Bound};
pub use plan::{Crowd, Listen, MediaPlan, Naps, Nodes, Patience, Plan};
pub use program::{Drivable, Program};
pub use pusher::Pusher;
pub use reply::Reply;
pub use resolver::Resolver;
pub use running::{Handle, NotGiven, Running};
pub use tap::{Carry, Deaf, Heard, Losses, Notice, Passed, Sink, Way, Wire};
pub use trains::Loading;
