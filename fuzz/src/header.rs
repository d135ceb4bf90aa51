//! One value of one header: what we write of it reads back as the same.

use sip::Name;
use sip::header::rewrite;

/// The first octet chooses the header, the rest is its value.
pub fn run(octets: &[u8]) {
    let Some((chosen, value)) = octets.split_first() else { return };
    let count = Name::table().count();
    let Some((name, ..)) = Name::table().nth(usize::from(*chosen) % count) else { return };
    run_as(name, value);
}

/// The value of a header.
pub fn run_as(name: Name, value: &[u8]) {
    let written = match rewrite(name, value) {
        Some(Ok(written)) => written,
        Some(Err(error)) => return assert!(error.at <= value.len(), "{error} of {}", value.len()),
        None => return,
    };
    let again = rewrite(name, &written);
    let text = String::from_utf8_lossy(&written);
    assert_eq!(again, Some(Ok(written.clone())), "{}: {text:?}", name.as_str());
}
