//! SIP between messages and roles: the doors, transport rules, transactions (RFC 3261 §17, §18; RFC 3263).

mod alive;
pub mod auth;
pub mod bans;
mod call_record;
mod cluster;
pub mod dialog;
pub mod doors;
mod event;
pub mod fault;
pub mod limits;
pub mod load;
pub mod locate;
mod quality;
mod reach;
mod record;
pub mod session;
pub mod subscription;
mod texts;
pub mod transaction;

pub mod transport;

pub use call_record::{CallRecord, Ender, Text};
pub use doors::{Answer, Input, Output, Question, Ticket};
pub use fault::Fault;
pub use record::Record;
pub use texts::Texts;

pub use transaction::Transactions;
pub use transport::{Distrust, Flow, Identity, Listener, Transport};
