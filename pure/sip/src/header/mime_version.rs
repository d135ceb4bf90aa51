//! `MIME-Version`: which MIME the body is written in (RFC 3261 §20.24).

use super::Header;
use crate::scan::Scan;
use crate::{Name, ParseError};

/// `1*DIGIT "." 1*DIGIT`; there is only 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MimeVersion {
    /// `1`
    pub major: u8,
    /// `0`
    pub minor: u8,
}

impl<'a> Header<'a> for MimeVersion {
    const NAME: Name = Name::MimeVersion;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "MIME-Version");
        scan.skip_blanks();
        let major = scan.number()?;
        scan.expect(b'.')?;
        let minor = scan.number()?;
        scan.end()?;
        Ok(Self { major, minor })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{}.{}", self.major, self.minor).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_and_a_dot() {
        assert_eq!(MimeVersion::parse(b" 1.0 "), Ok(MimeVersion { major: 1, minor: 0 }));
        for bad in ["", "1", "1.", ".0", "1.0.0", "1 .0"] {
            assert!(MimeVersion::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
