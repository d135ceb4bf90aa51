//! `Identity`: who vouches for the caller (RFC 8224 §4). The signature is another's to verify.

use super::Header;
use crate::scan::{Scan, ascii};
use crate::{Name, Params, ParseError};

/// `signed-identity-digest SEMI ident-info *( SEMI ident-info-params )`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The signed token: three parts in base64, separated by dots; the first two may be empty.
    pub token: &'a str,
    /// `;info=<…>;alg=ES256;ppt=shaken`
    pub params: Params<'a>,
}

impl<'a> Identity<'a> {
    /// Where the certificate is: `info`, without its brackets.
    pub fn info(&self) -> Option<&'a [u8]> {
        self.params.get("info")?.strip_prefix(b"<")?.strip_suffix(b">")
    }
}

impl<'a> Header<'a> for Identity<'a> {
    const NAME: Name = Name::Identity;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Identity");
        scan.skip_blanks();
        let error = scan.error();
        // RFC 4474 wrote it in quotes; RFC 8224 §4 without.
        let quoted = scan.eat(b'"');
        let token = scan.take_while(is_signed);
        if quoted {
            scan.expect(b'"')?;
        }
        let token = ascii(token).filter(|token| !token.is_empty()).ok_or(error)?;
        Ok(Self { token, params: Params::read(&mut scan)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.token.as_bytes());
        out.extend_from_slice(self.params.as_bytes());
    }
}

/// Base64, in either alphabet, and dots.
const fn is_signed(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=' | b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_and_info_are_read() {
        let value = Identity::parse(
            b"..sv5CTo05KqpSmtHt3dcEiO-x; info=<https://a.example/a;b.cer>;alg=ES256",
        );
        let value = value.unwrap();
        assert_eq!(value.token, "..sv5CTo05KqpSmtHt3dcEiO-x");
        assert_eq!(value.info(), Some(&b"https://a.example/a;b.cer"[..]));
        assert_eq!(value.params.text("alg"), Some("ES256"));
        assert_eq!(Identity::parse(b"\"ab+/=\"").unwrap().text(), "ab+/=");
        for bad in ["", ";info=<x>", "\"ab", "a b"] {
            assert!(Identity::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
