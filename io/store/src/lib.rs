//! Keeps [`Record`](protocol::Record)s on this machine's disk.
//!
//! Shards hand records in and go on; a thread writes as many as have gathered in one transaction, and then tells each that it is
//! safe. So a sync of the disk serves thousands, and a 200 never promises what a power cut would take back. Start reading at
//! [`Store`].

mod batch;
mod clerk;
mod counts;
mod desk;
mod fault;
mod file;
mod landed;
mod landing;
pub mod limits;
mod session;
mod store;
mod sum;
mod tail;

pub use counts::{Count, Counts};
pub use fault::Fault;
pub use store::{Durability, Kept, Loss, Opened, Restored, Store, Tell};
