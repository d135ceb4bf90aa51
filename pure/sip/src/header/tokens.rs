//! Headers that list tokens: Supported, Require, Proxy-Require, Unsupported, Allow (RFC 3261 §20.5, §20.29, §20.32, §20.37, §20.40).

use super::Header;
use crate::scan::Scan;
use crate::{Method, Name, ParseError};

macro_rules! tokens {
    ($($(#[$doc:meta])* $header:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header<'a>(pub &'a str);

        impl<'a> Header<'a> for $header<'a> {
            const NAME: Name = Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                let mut scan = Scan::new(value, Name::$header.as_str());
                let token = scan.token()?;
                scan.end()?;
                Ok(Self(token))
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.0.as_bytes());
            }
        }
    )*};
}

tokens! {
    /// An option tag that the sender understands.
    Supported,
    /// An option tag that the receiver must understand.
    Require,
    /// An option tag that a proxy must understand.
    ProxyRequire,
    /// An option tag that was not understood.
    Unsupported,
    /// A method that the sender understands.
    Allow,
}

impl<'a> Allow<'a> {
    /// The method.
    pub fn method(&self) -> Method<'a> {
        Method::of(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_and_no_more() {
        assert_eq!(Require::parse(b"100rel"), Ok(Require("100rel")));
        assert_eq!(Allow::parse(b"INVITE").unwrap().method(), Method::Invite);
        assert!(Require::parse(b"a b").is_err() && Require::parse(b"").is_err());
    }
}
