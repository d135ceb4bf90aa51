//! Asks the DNS, on a thread of its own, so that no shard ever waits for it.
//!
//! What to ask and in which order to try what was found are `protocol::locate`'s business (RFC 3263). Here are the servers: sockets,
//! repeats, deadlines, the cache. Start reading at [`Resolver`]; what it does between its sockets is in `desk/`.

mod cache;
mod counts;
mod desk;

pub mod limits;
mod line;
mod office;
mod question;
mod resolver;
mod system;
#[cfg(test)]
mod tests;
pub mod wire;

pub use counts::{Count, Counts};
pub use desk::Finding;
pub use resolver::{Resolver, Servers, Settings, Tell};
pub use system::{Hosts, servers};
