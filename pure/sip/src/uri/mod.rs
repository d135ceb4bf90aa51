//! URIs: SIP and SIPS, tel, and any other kept as it is (RFC 3261 §19.1, RFC 3966, RFC 3986).

mod compare;
mod escape;
mod host;
mod sip;
mod tel;

pub use compare::same;
pub use escape::{escape_user, unescape};
pub use host::{Host, HostPort};
pub use sip::SipUri;
pub use tel::TelUri;

use crate::ParseError;
use crate::scan::{Scan, ascii};

/// A URI, as far as we understand its scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` or `sips:`
    Sip(SipUri<'a>),
    /// `tel:`
    Tel(TelUri<'a>),
    /// Any other scheme: its name, and the whole URI as written. A server answers 416, a proxy forwards.
    Other(&'a str, &'a [u8]),
}

impl<'a> Uri<'a> {
    /// Reads a URI that stands alone.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let error = ParseError { what: "URI", at: 0 };
        let mut scan = Scan::new(text, "URI");
        let scheme = scan.take_while(|octet| {
            octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.')
        });
        let scheme = ascii(scheme)
            .filter(|scheme| scheme.starts_with(|c: char| c.is_ascii_alphabetic()))
            .ok_or(error)?;
        scan.expect(b':')?;
        if scan.rest().iter().any(|octet| *octet <= b' ' || *octet == 0x7f)
            || scan.rest().is_empty()
        {
            return Err(scan.error());
        }
        if scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips") {
            return SipUri::read(scheme, scan).map(Self::Sip);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return TelUri::read(scan).map(Self::Tel);
        }
        Ok(Self::Other(scheme, text))
    }

    /// The SIP or SIPS URI, when it is one.
    pub const fn sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other(..) => None,
        }
    }

    /// Writes it. What was read comes out with the same meaning.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sip(uri) => uri.write(out),
            Self::Tel(uri) => uri.write(out),
            Self::Other(_, whole) => out.extend_from_slice(whole),
        }
    }
}
