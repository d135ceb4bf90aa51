//! `Warning`: why something was not quite as asked, for a person to read (RFC 3261 §20.43).

use super::Header;
use crate::scan::{Scan, ascii, unquote};
use crate::{Name, ParseError};

/// `warning-value = warn-code SP warn-agent SP warn-text`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning<'a> {
    /// Three digits: `399`.
    pub code: u16,
    /// Who says so: a host, with port, or a name.
    pub agent: &'a str,
    /// What it says, as written, with its quotes.
    pub quoted: &'a [u8],
}

impl Warning<'_> {
    /// What it says, without quotes and escapes.
    pub fn message(&self) -> String {
        String::from_utf8_lossy(&unquote(self.quoted)).into_owned()
    }
}

impl<'a> Header<'a> for Warning<'a> {
    const NAME: Name = Name::Warning;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Warning");
        scan.skip_blanks();
        let error = scan.error();
        let code = scan.number().ok().filter(|code| (100..1000).contains(code)).ok_or(error)?;
        scan.blanks()?;
        let error = scan.error();
        let agent = scan.take_while(|octet| octet > b' ' && octet != b'"');
        let agent = ascii(agent).filter(|agent| !agent.is_empty()).ok_or(error)?;
        scan.blanks()?;
        let quoted = scan.quoted()?;
        scan.end()?;
        Ok(Self { code, agent, quoted })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{:03} {} ", self.code, self.agent).as_bytes());
        out.extend_from_slice(self.quoted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let value =
            Warning::parse(br#"307 isi.edu "Session parameter 'foo' not understood""#).unwrap();
        assert_eq!((value.code, value.agent), (307, "isi.edu"));
        assert_eq!(value.message(), "Session parameter 'foo' not understood");
        for bad in
            ["", "307", "307 isi.edu", "307 isi.edu x", "99 a \"x\"", "307\"x\"", "307 a \"x"]
        {
            assert!(Warning::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
