//! `TelUri`: a telephone number (RFC 3966).

use crate::scan::{Scan, ascii};
use crate::{Params, ParseError};

/// `tel:+358-555-1234567;isub=…`, as written.
#[derive(Clone, Copy, Debug)]
pub struct TelUri<'a> {
    /// The number with its visual separators; global when it begins with `+`.
    pub number: &'a str,
    /// `;phone-context=…;isub=…`
    pub params: Params<'a>,
}

impl<'a> TelUri<'a> {
    pub(super) fn read(mut scan: Scan<'a>) -> Result<Self, ParseError> {
        let error = scan.error();
        let number = scan.take_while(|octet| octet != b';');
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let global = number.len() != digits.len();
        let digit = |octet: &u8| {
            octet.is_ascii_digit()
                || (!global && matches!(octet, b'*' | b'#' | b'A'..=b'F' | b'a'..=b'f'))
        };
        if !digits.iter().any(digit)
            || !digits.iter().all(|octet| digit(octet) || is_separator(*octet))
        {
            return Err(error);
        }
        let params = Params::new(scan.take_rest());
        Ok(Self { number: ascii(number).ok_or(error)?, params })
    }

    /// True when the number begins with `+`.
    pub fn is_global(&self) -> bool {
        self.number.starts_with('+')
    }

    /// The number without visual separators.
    pub fn digits(&self) -> String {
        self.number.bytes().filter(|octet| !is_separator(*octet)).map(char::from).collect()
    }

    /// Writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"tel:");
        out.extend_from_slice(self.number.as_bytes());
        out.extend_from_slice(self.params.as_bytes());
    }
}

/// RFC 3966 §5: separators and the order of parameters do not count.
impl PartialEq for TelUri<'_> {
    fn eq(&self, other: &Self) -> bool {
        let params = |uri: &Self| {
            let mut all: Vec<_> = uri.params.iter().collect::<Vec<_>>();
            all.sort_by_key(|param| param.name.to_ascii_lowercase());
            all.into_iter()
                .map(|p| (p.name.to_ascii_lowercase(), p.value.map(<[u8]>::to_ascii_lowercase)))
                .collect::<Vec<_>>()
        };
        self.digits().eq_ignore_ascii_case(&other.digits()) && params(self) == params(other)
    }
}

impl Eq for TelUri<'_> {}

const fn is_separator(octet: u8) -> bool {
    matches!(octet, b'-' | b'.' | b'(' | b')')
}

#[cfg(test)]
mod tests {
    use crate::Uri;

    #[test]
    fn trap_53_separators_do_not_count_and_context_does() {
        let uri = |text: &'static str| Uri::parse(text.as_bytes()).unwrap();
        assert_eq!(uri("tel:+1-201-555-0123"), uri("TEL:+1(201)555.0123"));
        assert_eq!(
            uri("tel:7042;phone-context=a.example;isub=1"),
            uri("tel:7042;isub=1;phone-context=A.example")
        );
        assert_ne!(
            uri("tel:7042;phone-context=a.example"),
            uri("tel:7042;phone-context=b.example")
        );
        assert_ne!(uri("tel:+12015550123"), uri("tel:12015550123"));
        assert!(Uri::parse(b"tel:+1x").is_err() && Uri::parse(b"tel:-").is_err());
    }
}
