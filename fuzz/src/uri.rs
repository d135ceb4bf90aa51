//! A URI: written, it reads back; it is the same as itself, and comparing does not depend on the order.

use sip::Uri;
use sip::uri::{Host, HostPort, escape_user, same, unescape};

/// Two URIs, separated by a line end; or one.
pub fn run(octets: &[u8]) {
    let mut lines = octets.splitn(2, |octet| *octet == b'\n');
    let (first, second) = (lines.next().unwrap_or_default(), lines.next());
    let Some(first) = one(first) else { return };
    let Some(second) = second.and_then(one) else { return };
    assert_eq!(same(&first, &second), same(&second, &first), "comparison is symmetric");
}

fn one(text: &[u8]) -> Option<Uri<'_>> {
    assert_eq!(unescape(&escape_user(text)), text);
    let _ = (Host::parse(text), HostPort::parse(text).map(|host| host.to_string()));
    let uri = match Uri::parse(text) {
        Ok(uri) => uri,
        Err(error) => {
            assert!(error.at <= text.len(), "{error}");
            return None;
        }
    };
    assert!(same(&uri, &uri), "a URI is the same as itself");
    let mut written = Vec::new();
    uri.write(&mut written);
    let again = Uri::parse(&written);
    assert!(again.is_ok_and(|again| same(&uri, &again)), "{:?}", String::from_utf8_lossy(&written));
    if let Uri::Tel(tel) = &uri {
        assert!(!tel.digits().is_empty());
    }
    Some(uri)
}
