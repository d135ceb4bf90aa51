//! `Timestamp`: when a request was sent, by the sender's own clock, so that it can measure the round trip (RFC 3261 §20.38).

use super::Header;
use crate::scan::{Scan, ascii};
use crate::{Name, ParseError};

/// `1*(DIGIT) [ "." *(DIGIT) ] [ LWS delay ]`, kept as written: only its sender knows the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a> {
    /// When it was sent.
    pub sent: &'a str,
    /// How long the answer took, in seconds.
    pub delay: Option<&'a str>,
}

impl<'a> Header<'a> for Timestamp<'a> {
    const NAME: Name = Name::Timestamp;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Timestamp");
        scan.skip_blanks();
        let sent = decimal(&mut scan)?;
        if !sent.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(ParseError { what: "Timestamp", at: 0 });
        }
        let end = scan.at();
        scan.skip_blanks();
        let delay = (scan.at() > end && !scan.rest().is_empty()).then(|| decimal(&mut scan));
        scan.end()?;
        Ok(Self { sent, delay: delay.transpose()? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.sent.as_bytes());
        if let Some(delay) = self.delay {
            out.push(b' ');
            out.extend_from_slice(delay.as_bytes());
        }
    }
}

/// `*(DIGIT) [ "." *(DIGIT) ]`, not empty.
fn decimal<'a>(scan: &mut Scan<'a>) -> Result<&'a str, ParseError> {
    let (from, error) = (scan.at(), scan.error());
    scan.take_while(|octet| octet.is_ascii_digit());
    if scan.eat(b'.') {
        scan.take_while(|octet| octet.is_ascii_digit());
    }
    ascii(scan.since(from)).filter(|text| !text.is_empty()).ok_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_delay_are_read() {
        assert_eq!(Timestamp::parse(b"54"), Ok(Timestamp { sent: "54", delay: None }));
        let both = Timestamp { sent: "54.21", delay: Some(".5") };
        assert_eq!(Timestamp::parse(b"54.21  .5 "), Ok(both));
        for bad in ["", ".5", "1.2.3", "1 x", "1 2 3", "-1"] {
            assert!(Timestamp::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
