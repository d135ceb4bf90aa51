//! Headers that hold an address: `name-addr` or `addr-spec`, and parameters (RFC 3261 §20.10).

use super::family::addresses;
use crate::octets::find_bracket;
use crate::scan::{Scan, is_blank, is_token, unquote};
use crate::{Params, ParseError, Uri};

/// `"Bob" <sip:bob@biloxi.example>;tag=a6c85cf`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name as written, with its quotes.
    pub display: Option<&'a [u8]>,
    /// The URI as written: it has a scheme, and no blanks. Whether the rest is right, [`NameAddr::parsed`] says.
    pub uri: &'a [u8],
    /// The header's parameters. Without `<>`, parameters belong to the header, not to the URI (RFC 3261 §20).
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// An address without name and parameters.
    pub const fn of(uri: &'a [u8]) -> Self {
        Self { display: None, uri, params: Params::new(b"") }
    }

    /// Reads an address; errors name `what`.
    pub fn read(value: &'a [u8], what: &'static str) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, what);
        scan.skip_blanks();
        let display = display_name(&mut scan)?;
        let brackets = scan.eat(b'<');
        if display.is_some() && !brackets {
            return Err(scan.error());
        }
        let start = scan.error();
        let uri = if brackets {
            let length = find_bracket(scan.rest()).unwrap_or(scan.rest().len());
            let uri = scan.take(length);
            scan.expect(b'>')?;
            uri
        } else {
            scan.take_while(|octet| {
                octet > b' ' && !matches!(octet, b';' | b'<' | b'>' | b'"' | b',' | 0x7f)
            })
        };
        Uri::scheme(uri).map_err(|_| start)?;
        let params = Params::read(&mut scan)?;
        Ok(Self { display, uri, params })
    }

    /// The URI, read. Most who ask for an address want its tag, so it is not read before somebody asks.
    pub fn parsed(&self) -> Result<Uri<'a>, ParseError> {
        Uri::parse(self.uri)
    }

    /// The `tag` parameter (RFC 3261 §19.3).
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The display name without quotes and escapes.
    pub fn display_text(&self) -> Option<String> {
        self.display.map(|display| String::from_utf8_lossy(&unquote(display)).into_owned())
    }

    /// Writes it, always with `<>`, so that no parameter changes its owner.
    pub fn write(&self, out: &mut Vec<u8>) {
        if let Some(display) = self.display {
            out.extend_from_slice(display);
            out.push(b' ');
        }
        out.push(b'<');
        out.extend_from_slice(self.uri);
        out.push(b'>');
        out.extend_from_slice(self.params.as_bytes());
    }
}

/// `display-name = *(token LWS) / quoted-string`, when one is there. Names that should have been quoted (`Bell, Alexander`, octets
/// past ASCII) are let through: people have them, and nothing can be mistaken.
fn display_name<'a>(scan: &mut Scan<'a>) -> Result<Option<&'a [u8]>, ParseError> {
    let from = scan.at();
    if scan.peek() == Some(b'"') {
        let name = scan.quoted()?;
        scan.skip_blanks();
        return Ok(Some(name));
    }
    let mut ahead = *scan;
    ahead.take_while(|octet| is_blank(octet) || octet >= 0x80 || octet == b',' || is_token(octet));
    if ahead.peek() != Some(b'<') {
        return Ok(None);
    }
    let name = crate::scan::trim(ahead.since(from));
    *scan = ahead;
    Ok((!name.is_empty()).then_some(name))
}

addresses! {
    /// Who asks (RFC 3261 §20.20).
    From known as from,
    /// Who was asked for (RFC 3261 §20.39).
    To known as to,
    /// A proxy still to be visited (RFC 3261 §20.34).
    Route,
    /// A proxy that wants to stay on the path (RFC 3261 §20.30).
    RecordRoute,
    /// A proxy between a registrar and a phone (RFC 3327).
    Path,
    /// A proxy that a registered phone goes out through (RFC 3608).
    ServiceRoute,
    /// Where to answer to, other than From (RFC 3261 §20.31).
    ReplyTo,
    /// Who it is, says a trusted server (RFC 3325 §9.1).
    PAssertedIdentity,
    /// Who the caller would like to be, of those that it may be (RFC 3325 §9.2).
    PPreferredIdentity,
    /// An address that belongs to the one that registered (RFC 7315 §4.1).
    PAssociatedUri,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn trap_24_without_brackets_parameters_belong_to_the_header() {
        let to = To::parse(b"sip:bob@biloxi.example;tag=x;transport=udp").unwrap();
        assert_eq!((to.uri, to.tag()), (&b"sip:bob@biloxi.example"[..], Some(&b"x"[..])));
        assert_eq!(to.text(), "<sip:bob@biloxi.example>;tag=x;transport=udp");
        let from = From::parse(b"<sip:a@b;transport=tcp> ;tag=1").unwrap();
        assert_eq!((from.uri, from.tag()), (&b"sip:a@b;transport=tcp"[..], Some(&b"1"[..])));
    }

    #[test]
    fn names_may_be_tokens_or_quoted() {
        assert_eq!(
            From::parse(br#""A \"B\" <x>" <sip:a@b>"#).unwrap().display_text().unwrap(),
            "A \"B\" <x>"
        );
        assert_eq!(
            From::parse(b"Anne  Lee<sip:a@b>").unwrap().display_text().unwrap(),
            "Anne  Lee"
        );
        for bad in [
            "",
            "<>",
            "\"x <sip:a@b>",
            "<sip:a@b",
            "a b",
            "<sip:a@b> x",
            "\"a\" sip:b@c",
            "sip:a@b, <sip:c>",
        ] {
            assert!(From::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
