//! Two who look for a way, and two who shake hands, in virtual time.

mod handshake;
mod search;
mod server;
