//! `Session-ID`: one name for a call on all its legs (RFC 7989 §5).

use super::family::{Part, with_params};
use crate::ParseError;
use crate::scan::{Scan, ascii};

/// `sess-uuid`: 32 hexadecimal digits; all zeros for "not known yet". Compared without regard to case: older senders
/// write capitals.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Uuid<'a>(pub &'a str);

impl PartialEq for Uuid<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl<'a> Part<'a> for Uuid<'a> {
    fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let error = scan.error();
        let digits = scan.take_while(|octet| octet.is_ascii_hexdigit());
        ascii(digits).filter(|digits| digits.len() == 32).map(Self).ok_or(error)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

with_params! {
    /// The name of the session, from the sender's and the receiver's side.
    SessionId {
        /// The sender's half.
        local: Uuid<'a>
    },
}

impl<'a> SessionId<'a> {
    /// `remote`: the receiver's half, as far as the sender knows it.
    pub fn remote(&self) -> Option<Uuid<'a>> {
        self.params.text("remote").filter(|text| text.len() == 32).map(Uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn both_halves_are_read() {
        let value = SessionId::parse(
            b"ab30317f1a784dc48ff824d0d3715d86;remote=47755A9DE7794BA387653F2099600EF2",
        )
        .unwrap();
        assert_eq!(value.local, Uuid("AB30317F1A784DC48FF824D0D3715D86"));
        assert_eq!(value.remote(), Some(Uuid("47755a9de7794ba387653f2099600ef2")));
        for bad in
            ["", "ab30", "ab30317f1a784dc48ff824d0d3715d8g", "ab30317f1a784dc48ff824d0d3715d867"]
        {
            assert!(SessionId::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
