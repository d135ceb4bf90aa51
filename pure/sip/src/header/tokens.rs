//! Headers that are one token, or a list of them: Supported, Require, Allow, Content-Encoding, Priority … (RFC 3261 §20; RFC 6665 §8.2.2; RFC 3841 §9.1; RFC 3903 §11.3; RFC 4412 §3; RFC 6442 §4.2).

use super::family::one_part;
use crate::Method;

one_part! {
    /// An option tag that the sender understands (RFC 3261 §20.37).
    Supported<'a>(&'a str),
    /// An option tag that the receiver must understand (RFC 3261 §20.32).
    Require<'a>(&'a str),
    /// An option tag that a proxy must understand (RFC 3261 §20.29).
    ProxyRequire<'a>(&'a str),
    /// An option tag that was not understood (RFC 3261 §20.40).
    Unsupported<'a>(&'a str),
    /// A method that the sender understands (RFC 3261 §20.5).
    Allow<'a>(&'a str),
    /// How the body is packed, in the order in which it was done (RFC 3261 §20.12).
    ContentEncoding<'a>(&'a str),
    /// The language of the body (RFC 3261 §20.13).
    ContentLanguage<'a>(&'a str),
    /// How urgent the request is for a person: `emergency`, `urgent`, `normal`, `non-urgent` (RFC 3261 §20.26).
    Priority<'a>(&'a str),
    /// An event package that the sender understands (RFC 6665 §8.2.2).
    AllowEvents<'a>(&'a str),
    /// The name of a published state (RFC 3903 §11.3.1).
    SipETag<'a>(&'a str),
    /// The published state that is meant (RFC 3903 §11.3.2).
    SipIfMatch<'a>(&'a str),
    /// What a caller wants a proxy to do: `no-fork`, `queue` … (RFC 3841 §9.1).
    RequestDisposition<'a>(&'a str),
    /// `namespace.priority`: which calls go first when not all can (RFC 4412 §3.1).
    ResourcePriority<'a>(&'a str),
    /// A priority that the sender would have taken (RFC 4412 §3.2).
    AcceptResourcePriority<'a>(&'a str),
    /// Whether a place may be used to route by: `yes` or `no` (RFC 6442 §4.2).
    GeolocationRouting<'a>(&'a str),
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
    use crate::Header;

    #[test]
    fn one_token_and_no_more() {
        assert_eq!(Require::parse(b"100rel"), Ok(Require("100rel")));
        assert_eq!(Allow::parse(b"INVITE").unwrap().method(), Method::Invite);
        assert!(Require::parse(b"a b").is_err() && Require::parse(b"").is_err());
    }
}
