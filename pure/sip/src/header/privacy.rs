//! `Privacy`: what about the caller is to be hidden (RFC 3323 §4.2).

use super::Header;
use crate::scan::Scan;
use crate::{Name, ParseError};

/// `priv-value *(";" priv-value)`, as written: `id;user`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy<'a>(&'a [u8]);

impl<'a> Privacy<'a> {
    /// The values: `header`, `session`, `user`, `none`, `critical`, `id`, `history` …
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        let mut scan = Scan::new(self.0, "Privacy");
        std::iter::from_fn(move || {
            let value = scan.token().ok()?;
            scan.eat_spaced(b';');
            Some(value)
        })
    }

    /// True when this value is among them.
    pub fn asks(&self, value: &str) -> bool {
        self.iter().any(|other| other.eq_ignore_ascii_case(value))
    }
}

impl<'a> Header<'a> for Privacy<'a> {
    const NAME: Name = Name::Privacy;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = crate::scan::trim(value);
        let mut scan = Scan::new(value, "Privacy");
        scan.token()?;
        while scan.eat_spaced(b';') {
            scan.token()?;
        }
        scan.end()?;
        Ok(Self(value))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_separated_by_semicolons() {
        let value = Privacy::parse(b" id ; User;critical").unwrap();
        assert!(value.asks("id") && value.asks("user") && !value.asks("none"));
        assert_eq!(value.iter().count(), 3);
        for bad in ["", ";id", "id;", "id user", "id,user"] {
            assert!(Privacy::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
