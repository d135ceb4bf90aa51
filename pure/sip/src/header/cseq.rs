//! `CSeq`: the place of a request in its dialog (RFC 3261 §20.16, §8.1.1.5).

use super::Header;
use crate::row::decimal;
use crate::scan::Scan;
use crate::{Message, Method, Name, ParseError};

/// `CSeq = 1*DIGIT LWS Method`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The number, below 2³¹.
    pub number: u32,
    /// The method of the request.
    pub method: Method<'a>,
}

impl<'a> Header<'a> for CSeq<'a> {
    const NAME: Name = Name::CSeq;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "CSeq");
        let error = scan.error();
        let number = scan.number().ok().filter(|number| *number < 1 << 31).ok_or(error)?;
        scan.blanks()?;
        let method = Method::read(&mut scan)?;
        scan.end()?;
        Ok(Self { number, method })
    }

    fn known(message: &'a Message) -> Option<Self> {
        message.core().cseq()
    }

    fn write(&self, out: &mut Vec<u8>) {
        decimal(self.number.into(), out);
        out.push(b' ');
        out.extend_from_slice(self.method.as_str().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let cseq = CSeq::parse(b"2147483647  FOO").unwrap();
        assert_eq!(CSeq::parse(cseq.text().as_bytes()), Ok(cseq));
    }

    /// Proves: rfc3261-8.1.1.5-2.
    #[test]
    fn a_number_of_2_to_the_31_is_refused() {
        for value in [
            "2147483648 INVITE",
            "INVITE",
            "1",
            "1INVITE",
            "-1 BYE",
            "1 ",
            "36893488147419103232 BYE",
            "1 A B",
        ] {
            assert!(CSeq::parse(value.as_bytes()).is_err(), "{value}");
        }
    }
}
