//! What a body is, and what somebody can read: Content-Type, Accept (RFC 3261 §20.15, §20.1).

use super::family::{Part, with_params};
use crate::ParseError;
use crate::scan::Scan;

/// `m-type SLASH m-subtype`, compared without regard to case. In an Accept, either may be `*`.
#[derive(Clone, Copy, Debug, Eq)]
pub struct MediaType<'a> {
    /// `application`
    pub kind: &'a str,
    /// `sdp`
    pub subtype: &'a str,
}

impl MediaType<'_> {
    /// True for this type: `is("application", "sdp")`.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// True when this range, of an Accept, covers a type.
    pub fn covers(&self, other: &MediaType<'_>) -> bool {
        let fits = |range: &str, name: &str| range == "*" || range.eq_ignore_ascii_case(name);
        fits(self.kind, other.kind) && fits(self.subtype, other.subtype)
    }
}

impl PartialEq for MediaType<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.kind, other.subtype)
    }
}

impl<'a> Part<'a> for MediaType<'a> {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let kind = scan.token()?;
        if !scan.eat_spaced(b'/') {
            return Err(scan.error());
        }
        Ok(Self { kind, subtype: scan.token()? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        for part in [self.kind, "/", self.subtype] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

with_params! {
    /// What the body is: `application/sdp`, `multipart/mixed;boundary=…`.
    ContentType {
        /// The type.
        media: MediaType<'a>
    },
    /// A type that the sender can read, with `q` when it would rather have another.
    Accept {
        /// The type, or a range of them.
        media: MediaType<'a>
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn types_are_compared_without_regard_to_case_and_ranges_cover_them() {
        let sdp = ContentType::parse(b"Application / SDP ;charset=utf-8").unwrap();
        assert!(sdp.media.is("application", "sdp"));
        assert_eq!(sdp.text(), "Application/SDP;charset=utf-8");
        let covers = |range: &'static [u8]| Accept::parse(range).unwrap().media.covers(&sdp.media);
        assert!(covers(b"*/*;q=0.1") && covers(b"application/*") && covers(b"application/sdp"));
        assert!(!covers(b"text/*") && !covers(b"application/pidf+xml"));
        for bad in ["", "application", "application/", "/sdp", "a/b/c", "a/b c"] {
            assert!(ContentType::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
