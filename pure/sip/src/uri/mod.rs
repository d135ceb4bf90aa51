//! URIs: SIP and SIPS, tel, and any other kept as it is (RFC 3261 §19.1, RFC 3966, RFC 3986).

mod compare;
mod escape;
mod form;
mod host;
mod plain;
mod sip;
mod tel;

pub use compare::same;
pub use escape::{escape_user, unescape};
pub use form::{Formed, escape_header};
pub use host::{Host, HostPort};
pub use sip::{SipUri, without_password};
pub use tel::TelUri;

use sip::Scheme;

use crate::ParseError;
use crate::octets::{find, find_light};
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
        let mut scan = Scan::new(text, "URI");
        if scan.eat_word(b"sip:") {
            return SipUri::read(Scheme::Sip, scan).map(Self::Sip);
        }
        if scan.eat_word(b"sips:") {
            return SipUri::read(Scheme::Sips, scan).map(Self::Sip);
        }
        let colon = Self::scheme(text)?;
        if let Some(at) = find_light(text) {
            return Err(ParseError { what: "URI", at });
        }
        let scheme = ascii(scan.take(colon)).unwrap_or_default();
        scan.take(1);
        if scheme.eq_ignore_ascii_case("tel") {
            return TelUri::read(scan).map(Self::Tel);
        }
        Ok(Self::Other(scheme, text))
    }

    /// Finds out whether it is a URI, without reading it when it is one as nearly everybody writes them.
    ///
    /// # Errors
    /// As [`Uri::parse`].
    pub(crate) fn check(text: &'a [u8]) -> Result<(), ParseError> {
        if plain::is_plain(text) { Ok(()) } else { Self::parse(text).map(drop) }
    }

    /// Where the colon stands in what looks like a URI: a scheme, a colon, something.
    pub(crate) fn scheme(text: &[u8]) -> Result<usize, ParseError> {
        let error = ParseError { what: "URI", at: 0 };
        if let [b's', b'i', b'p', b':', _, ..] = text {
            return Ok(3);
        }
        let colon = find(b':', text).filter(|colon| colon + 1 < text.len()).ok_or(error)?;
        let scheme = text.get(..colon).unwrap_or_default();
        let letter =
            |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
        let begins = scheme.first().is_some_and(u8::is_ascii_alphabetic);
        if begins && scheme.iter().all(letter) { Ok(colon) } else { Err(error) }
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
