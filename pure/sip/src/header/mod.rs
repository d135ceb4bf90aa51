//! Headers: one file each, with grammar, type, reading, writing, test.

mod address;
mod contact;
mod cseq;
mod digest;
mod numbers;
mod tokens;
mod via;

pub use address::{
    From, NameAddr, PAssertedIdentity, Path, RecordRoute, ReferTo, Route, ServiceRoute, To,
};
pub use contact::Contact;
pub use cseq::CSeq;
pub use digest::{
    AuthParams, Authorization, ProxyAuthenticate, ProxyAuthorization, WwwAuthenticate,
};
pub use numbers::{Expires, MaxBreadth, MaxForwards, MinExpires};
pub use tokens::{Allow, ProxyRequire, Require, Supported, Unsupported};
pub use via::{MAGIC, Via, ViaTransport};

use crate::{Name, ParseError};

/// A header that can be read from one element of its value, and written.
pub trait Header<'a>: Sized {
    /// Its name.
    const NAME: Name;

    /// Reads one element: without name, colon, and the neighbours in a comma list.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError>;

    /// Writes the element. What is written reads back.
    fn write(&self, out: &mut Vec<u8>);

    /// The element as text; octets that are no UTF-8 are shown as such.
    fn text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}
