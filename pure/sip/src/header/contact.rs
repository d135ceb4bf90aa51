//! `Contact`: where to reach somebody directly (RFC 3261 §20.10).

use super::{Header, NameAddr};
use crate::scan::trim;
use crate::{Name, ParseError};

/// `*`, or an address with `q`, `expires` and whatever else a phone says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: all bindings, to be removed (RFC 3261 §10.2.2).
    All,
    /// One address.
    At(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// The address, unless it is `*`.
    pub fn address(&self) -> Option<&NameAddr<'a>> {
        match self {
            Self::All => None,
            Self::At(address) => Some(address),
        }
    }

    /// `expires`, in seconds. One that is no number counts as 3600 (RFC 3261 §20.10), one too large as the largest.
    pub fn expires(&self) -> Option<u32> {
        let text = self.address()?.params.text("expires")?;
        let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        Some(if digits { text.parse().unwrap_or(u32::MAX) } else { 3600 })
    }

    /// `q` in thousandths; 1000 when absent or wrong.
    pub fn q(&self) -> u16 {
        self.address().map_or(1000, |address| address.params.q())
    }
}

impl<'a> Header<'a> for Contact<'a> {
    const NAME: Name = Name::Contact;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        if trim(value) == b"*" {
            return Ok(Self::All);
        }
        NameAddr::read(value, "Contact").map(Self::At)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self.address() {
            None => out.push(b'*'),
            Some(address) => address.write(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expires_and_q_are_read_with_the_rfcs_defaults() {
        let contact = |text: &'static str| Contact::parse(text.as_bytes()).unwrap();
        assert_eq!(contact("<sip:a@b>;expires=60;q=0.7").expires(), Some(60));
        assert_eq!(contact("<sip:a@b>;expires=60;q=0.7").q(), 700);
        assert_eq!(contact("<sip:a@b>;expires=Wed;q=7").expires(), Some(3600));
        assert_eq!(contact("<sip:a@b>;expires=99999999999").expires(), Some(u32::MAX));
        assert_eq!(contact("<sip:a@b>;q=7").q(), 1000);
        assert_eq!(contact(" * "), Contact::All);
        assert_eq!(contact("sip:a@b;expires=5").text(), "<sip:a@b>;expires=5");
    }
}
