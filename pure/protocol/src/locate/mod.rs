//! Locating SIP servers: from a URI to the addresses to try, in their order (RFC 3263, RFC 2782, RFC 3403, RFC 7984).
//!
//! [`Search`] is a small machine: it says which records it wants, takes what came of them, and yields [`Target`]s. [`States`] knows
//! which addresses have failed lately, and picks the next one to try. Neither has a socket; `io/dns` asks for them, and
//! a simulation answers from a table.

mod addresses;
mod alias;
mod domain;
mod hop;
mod lookup;
mod means;
mod naptr;
mod search;
mod secured;
mod services;
mod srv;
mod states;
mod target;
#[cfg(test)]
mod tests;

pub use domain::Domain;
pub use hop::{Hop, Place, Scheme};
pub use lookup::{Data, Found, Kind, Lookup, Naptr, Record, Srv};
pub use means::{Families, Means};
pub use search::{Search, Step};
pub use secured::{Offer, Secured};
pub use services::Services;
pub use srv::by_weight;
pub use states::{Failure, Risk, State, States};
pub use target::{Target, Unlocated};
