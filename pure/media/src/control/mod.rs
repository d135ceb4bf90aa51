//! RTCP: when reports are sent, what is in them, and what the other side's say (RFC 3550 §6).

mod interval;
mod name;
mod reports;

pub(crate) use interval::Interval;
pub use interval::Minimum;
pub(crate) use name::canonical;
pub(crate) use reports::{Departing, Reports, Said};
