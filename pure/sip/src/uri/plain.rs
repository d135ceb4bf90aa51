//! SIP URIs as nearly everybody writes them: recognised in one walk, without taking them apart (RFC 3261 §19.1.1).

use memchr::memchr;

use super::host::ipv4;
use crate::octets::find_light;
use crate::scan::{is_label, is_user};

/// True for `sip:user@host:port;parameters` in which nothing is odd: no password, no escape that would have to be looked at twice, a
/// name or an IPv4 address. Of any other nothing is said.
pub(super) fn is_plain(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"sip:") else { return false };
    let user = run(rest, is_user);
    let host = match rest.split_at_checked(user) {
        Some((_, [b'@', host @ ..])) if user > 0 => host,
        _ => rest,
    };
    let Some(length) = host_length(host) else { return false };
    let rest = match host.get(length..) {
        Some([b':', port @ ..]) => match run(port, |octet| octet.is_ascii_digit()) {
            // Five digits may be too many.
            digits @ 1..=4 => port.get(digits..).unwrap_or_default(),
            _ => return false,
        },
        rest => rest.unwrap_or_default(),
    };
    match rest {
        [] => true,
        // Else the host was a user, and the port a password.
        [b';' | b'?', ..] => find_light(rest).is_none() && memchr(b'@', rest).is_none(),
        _ => false,
    }
}

/// How long the host is that stands at the beginning.
fn host_length(text: &[u8]) -> Option<usize> {
    if text.first()?.is_ascii_digit() {
        return ipv4(text).map(|(_, length)| length);
    }
    name_length(text)
}

/// `hostname`: labels with dots between; the last begins with a letter.
fn name_length(text: &[u8]) -> Option<usize> {
    let (mut first, mut before, mut length) = (b'.', b'.', 0_usize);
    for octet in text {
        match octet {
            b'.' if before == b'.' => return None,
            b'.' => {}
            octet if !is_label(*octet) => break,
            octet => first = if before == b'.' { *octet } else { first },
        }
        before = *octet;
        length = length.wrapping_add(1);
    }
    let begins_well = text.first().is_some_and(|octet| *octet != b'-');
    (begins_well && first.is_ascii_alphabetic()).then_some(length)
}

/// How many octets are of a kind at the beginning.
fn run(text: &[u8], kind: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|octet| !kind(*octet)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uri;

    #[test]
    fn what_is_plain_is_a_uri_and_most_are_plain() {
        let users =
            ["", "101@", "a.b%40;c@", "@", "a b@", "a:b@", "a:1;x@", "a:1?x@", "\u{e9}@", "a@b@"];
        let hosts = [
            "a.example",
            "a",
            "1.2.3.4",
            "1.2.3",
            "1.2.3.256",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a.1",
            "[::1]",
            "a_b-c.d",
            "",
        ];
        let ports = ["", ":", ":1", ":5060", ":65535", ":65536", ":1x", ":-"];
        let rests = ["", ";lr", ";a=b?c=d", "?a=b", ";a b", ">", " ", "\x7f"];
        let begins = users.iter().flat_map(|user| hosts.map(|host| format!("sip:{user}{host}")));
        let ends = ports.iter().flat_map(|port| rests.map(|rest| format!("{port}{rest}")));
        let ends: Vec<_> = ends.collect();
        let all = begins.flat_map(|begin| ends.iter().map(move |end| format!("{begin}{end}")));
        let plain: Vec<_> = all.filter(|text| is_plain(text.as_bytes())).collect();
        assert!(plain.iter().all(|text| Uri::parse(text.as_bytes()).is_ok()));
        assert_eq!(plain.len(), 3 * 5 * 3 * 4);
        assert!(!is_plain(b"sips:a@b") && !is_plain(b"tel:+1") && !is_plain(b""));
    }
}
