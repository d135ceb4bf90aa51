//! SIP messages: one buffer plus an index (RFC 3261 §7, §19, §20, §25).
//!
//! [`Message`] keeps the octets as they came and knows where things are. A header is read when somebody asks for it
//! ([`Message::first`], [`Message::all`]), each by its own type in [`header`]. What is not changed is never copied:
//! [`Edit`] splices, [`Draft`] writes from scratch, [`Stream`](stream::Framer) cuts messages out of a byte stream.

pub mod body;
mod check;
mod core;
mod draft;
mod edit;
mod error;
mod grow;
pub mod header;
pub mod limits;
mod message;
mod method;
mod name;
mod octets;
mod params;
mod read;
mod row;
mod scan;
mod splice;
mod status;
pub mod stream;
pub mod uri;

pub use body::Body;
pub use bytes::Bytes;
pub use check::check;
pub use draft::{Draft, Rows};
pub use edit::Edit;
pub use error::{Malformed, ParseError};
pub use header::Header;
pub use message::{Message, Start};
pub use method::Method;
pub use name::Name;
pub use params::{Param, Params};
pub use row::{decimal, quote};
pub use scan::Scan;
pub use status::Status;
pub use uri::Uri;
