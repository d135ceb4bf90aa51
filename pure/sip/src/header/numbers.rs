//! Headers that are one number: Max-Forwards, Expires, Min-Expires, Max-Breadth (RFC 3261 §20.22, §20.19, §20.23; RFC 5393 §5.3.3).

use super::Header;
use crate::scan::Scan;
use crate::{Name, ParseError};

macro_rules! numbers {
    ($($(#[$doc:meta])* $header:ident $number:ty),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header(pub $number);

        impl<'a> Header<'a> for $header {
            const NAME: Name = Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                let mut scan = Scan::new(value, Name::$header.as_str());
                let number = scan.number()?;
                scan.end()?;
                Ok(Self(number))
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0.to_string().as_bytes());
            }
        }
    )*};
}

numbers! {
    /// How many hops are left, 0 to 255.
    MaxForwards u8,
    /// How long something is valid, in seconds.
    Expires u32,
    /// The shortest registration that the registrar takes, in seconds.
    MinExpires u32,
    /// How many branches may still be forked in parallel.
    MaxBreadth u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_that_fit() {
        assert_eq!(MaxForwards::parse(b"70"), Ok(MaxForwards(70)));
        assert_eq!(Expires::parse(b"4294967295").unwrap().text(), "4294967295");
        for bad in ["", "256", "-1", "1 2", "0x10"] {
            assert!(MaxForwards::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
