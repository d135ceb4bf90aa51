//! `RAck`: which provisional response a PRACK acknowledges (RFC 3262 §7.2).

use super::Header;
use crate::scan::Scan;
use crate::{Method, Name, ParseError};

/// `RAck = response-num LWS CSeq-num LWS Method`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq number of the response.
    pub cseq: u32,
    /// The CSeq method of the response.
    pub method: Method<'a>,
}

impl<'a> Header<'a> for RAck<'a> {
    const NAME: Name = Name::RAck;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "RAck");
        scan.skip_blanks();
        let rseq = scan.number()?;
        scan.blanks()?;
        let cseq = scan.number()?;
        scan.blanks()?;
        let method = Method::read(&mut scan)?;
        scan.end()?;
        Ok(Self { rseq, cseq, method })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{} {} {}", self.rseq, self.cseq, self.method).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let value = RAck::parse(b"776656  1\tINVITE").unwrap();
        assert_eq!(value, RAck { rseq: 776_656, cseq: 1, method: Method::Invite });
        assert_eq!(value.text(), "776656 1 INVITE");
        for bad in ["", "1", "1 2", "1 2 ", "1 x INVITE", "4294967296 1 INVITE", "1 2 A B"] {
            assert!(RAck::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
