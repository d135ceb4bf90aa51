//! The server: one [`Node`] a shard, with a folder per role (RFC 3261 §8.2, §8.3, §10, §11, §16, §22).
//!
//! Start at [`Node`], which only dispatches; [`Settings`] is all that it is told about its house, [`Steering`] says which
//! shard a message belongs to.

mod admission;
mod bans;
mod call;
mod calls;
mod debts;
mod dialplan;
pub mod explain;
pub mod figures;
mod gate;
mod groups;
mod gruu;
mod home;
mod house;
pub mod limits;
mod location;
mod node;
mod octets;
mod options;
mod ours;
mod outbound;
mod proxy;
mod purpose;
mod push;
mod redirect;
mod regevent;
mod registrar;
pub mod routes;
mod seal;
pub mod settings;
mod tolls;
mod turn;

pub use admission::Tally;
pub use calls::{Ending, Stays, Was};
pub use home::Steering;
pub use house::House;
pub use location::aor_of;
pub use node::{Address, Contact, Listing, Member, Node, Registration, Targets};
pub use registrar::Removal;
pub use settings::Settings;
