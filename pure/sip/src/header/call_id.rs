//! Which call: Call-ID, In-Reply-To (RFC 3261 §20.8, §20.21).

use super::family::{Part, one_part};
use crate::ParseError;
use crate::scan::Scan;

/// `callid = word [ "@" word ]`. What matters is that it is one word; real ones hold anything. Case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallWord<'a>(pub &'a [u8]);

impl<'a> Part<'a> for CallWord<'a> {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let word = scan.take_word();
        if word.is_empty() { Err(scan.error()) } else { Ok(Self(word)) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

one_part! {
    /// Which call a message belongs to.
    CallId<'a>(CallWord<'a>),
    /// A call that this one answers.
    InReplyTo<'a>(CallWord<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn a_call_id_is_one_word() {
        let value = b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com";
        assert_eq!(CallId::parse(value).unwrap().0, CallWord(value));
        for (bad, at) in [("", 0), ("a b", 2), ("a\x01b", 1), ("a\x7f", 1)] {
            assert_eq!(CallId::parse(bad.as_bytes()).unwrap_err().at, at, "{bad:?}");
        }
    }
}
