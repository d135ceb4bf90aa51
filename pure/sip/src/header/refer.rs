//! Asking somebody to call somebody: Refer-To, Referred-By, Refer-Sub (RFC 3515 §2.1; RFC 3892 §3; RFC 4488 §4).

use super::family::{addresses, with_params};
use crate::uri::unescape;

addresses! {
    /// Whom to call instead.
    ReferTo,
    /// Who asked for the call.
    ReferredBy,
}

with_params! {
    /// Whether the sender wants to hear how the call went on.
    ReferSub {
        /// `true` or `false`
        value: &'a str
    },
}

impl ReferTo<'_> {
    /// The Replaces header that stands in the URI, without its escapes: the call that the new one takes the place of
    /// (RFC 3891 §7.2).
    pub fn replaces(&self) -> Option<Vec<u8>> {
        let headers = self.parsed().ok()?.sip()?.headers?;
        headers.split(|octet| *octet == b'&').find_map(|header| {
            let equals = header.iter().position(|octet| *octet == b'=')?;
            let (name, value) = header.split_at_checked(equals)?;
            let named = unescape(name).eq_ignore_ascii_case(b"Replaces");
            named.then(|| unescape(value.get(1..).unwrap_or_default()).into_owned())
        })
    }
}

impl ReferredBy<'_> {
    /// `cid`: the part of the body that proves it, without quotes.
    pub fn content_id(&self) -> Option<Vec<u8>> {
        self.params.unquoted("cid")
    }
}

impl ReferSub<'_> {
    /// True unless it says `false`.
    pub fn is_wanted(&self) -> bool {
        !self.value.eq_ignore_ascii_case("false")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;
    use crate::header::Replaces;

    #[test]
    fn the_call_to_be_replaced_stands_in_the_uri() {
        let value = ReferTo::parse(
            b"<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>",
        );
        let replaces = value.unwrap().replaces().unwrap();
        assert_eq!(Replaces::parse(&replaces).unwrap().from_tag, "5FFE-3994");
        assert_eq!(ReferTo::parse(b"<sip:a@b?x=y>").unwrap().replaces(), None);
    }

    #[test]
    fn who_asked_and_whether_to_tell() {
        let by = ReferredBy::parse(br#"sip:referror@r.example;cid="20398823.2UWQFN@r.example""#);
        assert_eq!(by.unwrap().content_id().unwrap(), b"20398823.2UWQFN@r.example");
        assert!(!ReferSub::parse(b"False").unwrap().is_wanted());
        assert!(ReferSub::parse(b"true;x").unwrap().is_wanted());
    }
}
