//! Keeps records for many nodes in a Valkey or Redis cluster.
//!
//! Shards hand their wishes in and go on. One thread for each master writes all that have gathered, in one go, and tells each what
//! became of it; so a round trip serves thousands, and a master that is slow or gone holds up nobody else. Start reading at
//! [`Cluster`].

mod atlas;
mod clerk;
mod cluster;
mod ear;
pub mod limits;
pub mod resp;
mod slot;
mod standing;
mod url;
mod wire;
mod wish;

pub use cluster::{Cluster, Terms};
pub use standing::News;
pub use url::Url;
pub use wire::are_certificates;
pub use wish::{Notice, Tell, Wish, Word};
