//! When two URIs are the same (RFC 3261 §19.1.4).

use std::borrow::Cow;

use super::escape::unescaped;
use super::{SipUri, Uri, unescape};
use crate::Params;

/// True when both URIs mean the same by the rules of §19.1.4 (SIP, SIPS) or RFC 3966 §5 (tel). Others must be written
/// alike.
pub fn same(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    match (a, b) {
        (Uri::Sip(a), Uri::Sip(b)) => same_sip(a, b),
        (Uri::Tel(a), Uri::Tel(b)) => a == b,
        (Uri::Other(_, a), Uri::Other(_, b)) => a == b,
        _ => false,
    }
}

fn same_sip(a: &SipUri<'_>, b: &SipUri<'_>) -> bool {
    a.secure == b.secure
        && same_part(a.user, b.user)
        && same_part(a.password, b.password)
        && a.hostport() == b.hostport()
        && (a.params == b.params
            || same_params(a.params, b.params) && same_params(b.params, a.params))
        && (a.headers.is_none() && b.headers.is_none() || headers(a) == headers(b))
}

/// A part in both must mean the same, escapes aside; case counts.
fn same_part(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || unescaped(a).eq(unescaped(b)),
        (None, None) => true,
        _ => false,
    }
}

/// A parameter in both must match; one of `user`, `ttl`, `method`, `maddr` or `transport` in one only never matches; any
/// other in one only is ignored. (`transport` is not in the RFC's list of the last rule but in its examples.)
fn same_params(a: Params<'_>, b: Params<'_>) -> bool {
    a.raw().all(|(name, ours)| {
        let Some(theirs) = b.first(name) else {
            return !MUST_BE_IN_BOTH.iter().any(|must| name.eq_ignore_ascii_case(must.as_bytes()));
        };
        // A name that is there twice is not allowed; still a URI is the same as itself.
        same_folded(ours, theirs)
            || b.raw().any(|(other, theirs)| {
                other.eq_ignore_ascii_case(name) && same_folded(ours, theirs)
            })
    })
}

/// Two values, escapes and case aside.
fn same_folded(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    let fold = |part| unescaped(part).map(|octet| octet.to_ascii_lowercase());
    a.eq_ignore_ascii_case(b) || fold(a).eq(fold(b))
}

const MUST_BE_IN_BOTH: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

/// Header components are never ignored; their order does not count.
fn headers<'a>(uri: &SipUri<'a>) -> Vec<(Vec<u8>, Cow<'a, [u8]>)> {
    let text = uri.headers.unwrap_or_default();
    let mut all: Vec<_> = text
        .split(|octet| *octet == b'&')
        .filter(|header| !header.is_empty())
        .map(|header| {
            let mut parts = header.splitn(2, |octet| *octet == b'=');
            let name = unescape(parts.next().unwrap_or_default()).to_ascii_lowercase();
            (name, unescape(parts.next().unwrap_or_default()))
        })
        .collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        let (a, b) = (Uri::parse(a.as_bytes()).unwrap(), Uri::parse(b.as_bytes()).unwrap());
        assert_eq!(same(&a, &b), same(&b, &a), "comparison is symmetric");
        same(&a, &b)
    }

    /// Proves: rfc3261-19.1.4-1.
    #[test]
    fn trap_25_the_equal_ones_of_the_rfc() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;ttl=1;ttl=2", "sip:carol@chicago.com;ttl=1;TTL=2"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(equal(a, b), "{a} {b}");
        }
    }

    #[test]
    fn trap_25_the_different_ones_of_the_rfc() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:alice@a.example", "sips:alice@a.example"),
        ] {
            assert!(!equal(a, b), "{a} {b}");
        }
    }
}
