//! The resolver among servers that are slow, dead, lying, or fine.

mod cache;
mod corpus;
mod desk;
mod sea;
mod sockets;
mod troubles;
mod wire;
mod zone;
