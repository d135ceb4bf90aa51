//! `Retry-After`: when to come back (RFC 3261 §20.33).

use super::Header;
use crate::scan::Scan;
use crate::{Name, Params, ParseError};

/// `Retry-After = delta-seconds [ comment ] *( SEMI retry-param )`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// Seconds until then.
    pub seconds: u32,
    /// A remark, as written, with its parentheses.
    pub comment: Option<&'a [u8]>,
    /// `;duration=…`
    pub params: Params<'a>,
}

impl RetryAfter<'_> {
    /// This many seconds, and no remark.
    pub const fn seconds(seconds: u32) -> Self {
        Self { seconds, comment: None, params: Params::new(b"") }
    }

    /// How long the callee will then be reachable, in seconds.
    pub fn duration(&self) -> Option<u32> {
        self.params.number("duration")
    }
}

impl<'a> Header<'a> for RetryAfter<'a> {
    const NAME: Name = Name::RetryAfter;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Retry-After");
        scan.skip_blanks();
        let seconds = scan.number()?;
        scan.skip_blanks();
        let comment = if scan.peek() == Some(b'(') { Some(scan.comment()?) } else { None };
        Ok(Self { seconds, comment, params: Params::read(&mut scan)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.seconds.to_string().as_bytes());
        if let Some(comment) = self.comment {
            out.push(b' ');
            out.extend_from_slice(comment);
        }
        out.extend_from_slice(self.params.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let value = RetryAfter::parse(b"18000;duration=3600").unwrap();
        assert_eq!((value.seconds, value.comment, value.duration()), (18_000, None, Some(3600)));
        let value = RetryAfter::parse(b"120 (I'm in a (long) meeting)").unwrap();
        assert_eq!(value.comment, Some(&b"(I'm in a (long) meeting)"[..]));
        for bad in ["", "soon", "120 (open", "120 ((a)", "120 x", "-1"] {
            assert!(RetryAfter::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
