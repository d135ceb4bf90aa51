//! Two who look for a way, and two who shake hands, in virtual time.

mod checks;
mod handshake;
mod patience;
mod search;
mod server;
mod world;
