//! ENUM: where a telephone number is, by the DNS (RFC 6116; RFC 3402 §3.2 for the rules; RFC 3764 for SIP).

use protocol::locate::{Domain, Naptr};
use sip::{Bytes, Uri};

use super::{Case, Pattern};
use crate::limits;

/// The name to ask for a number below a zone (§3.2): its digits backwards, a dot between each. `None`: it is no global number.
pub(crate) fn name_of(number: &str, zone: &Domain) -> Option<Domain> {
    let digits = digits(number)?;
    let backwards: Vec<String> = digits.chars().rev().map(String::from).collect();
    zone.below(&backwards.join("."))
}

/// Is it a global number?
pub(crate) fn is_global(number: &str) -> bool {
    digits(number).is_some()
}

/// The digits of a global number. E.164 has fifteen at most.
fn digits(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+')?;
    let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    fits.then_some(digits)
}

/// The SIP URIs that the records of a number lead to: those of the lowest order that has any, the preferred first. What is no rule, or
/// leads to no SIP URI, is passed over.
pub(crate) fn uris_of(number: &str, mut records: Vec<Naptr>) -> Vec<Bytes> {
    records.sort_by_key(|record| (record.order, record.preference));
    let mut found: Vec<(u16, Bytes)> = Vec::new();
    for record in records.into_iter().filter(is_for_sip).take(limits::ENUM_RECORDS) {
        if found.first().is_some_and(|(order, _)| *order != record.order) {
            break;
        }
        found.extend(rewritten(number, &record.regexp).map(|uri| (record.order, uri)));
    }
    found.into_iter().map(|(_, uri)| uri).collect()
}

/// A rule that ends here (flag `u`), of the service `E2U+sip`, alone or among others: `E2U+voice:tel+sip` (§3.4.2, §3.4.3).
fn is_for_sip(record: &Naptr) -> bool {
    let mut services = record.service.split('+');
    let enum_ = services.next().is_some_and(|first| first.eq_ignore_ascii_case("E2U"));
    let sip = |service: &str| {
        service.split(':').next().is_some_and(|kind| kind.eq_ignore_ascii_case("sip"))
    };
    record.flags.eq_ignore_ascii_case("u") && enum_ && services.any(sip)
}

/// Applies `!pattern!replacement!flags` to a number (RFC 3402 §3.2); `None` when it is none, does not fit, or makes no SIP URI.
fn rewritten(number: &str, regexp: &str) -> Option<Bytes> {
    let (pattern, replacement, flags) = parts(regexp)?;
    let case = match flags.as_str() {
        "" => Case::Counts,
        "i" => Case::DoesNotCount,
        _ => return None,
    };
    let found = Pattern::new(&pattern, case).ok()?;
    let groups = found.parts(number)?;
    // §3.4.1: the whole is replaced, whatever of it the pattern fits.
    let uri = filled(&replacement, &groups)?;
    let readable =
        uri.len() <= limits::ENUM_URI && uri.bytes().all(|octet| octet.is_ascii_graphic());
    match Uri::parse(uri.as_bytes()) {
        Ok(Uri::Sip(_)) if readable => Some(uri.into_bytes().into()),
        _ => None,
    }
}

/// The three parts between delimiters. A delimiter with a backslash before it is itself.
fn parts(regexp: &str) -> Option<(String, String, String)> {
    let mut letters = regexp.chars();
    let delimiter = letters.next().filter(|it| !it.is_ascii_digit() && !"i\\".contains(*it))?;
    let mut parts = vec![String::new()];
    while let Some(letter) = letters.next() {
        let last = parts.last_mut()?;
        match letter {
            '\\' => match letters.next()? {
                escaped if escaped == delimiter => last.push(delimiter),
                other => last.extend(['\\', other]),
            },
            letter if letter == delimiter => parts.push(String::new()),
            letter => last.push(letter),
        }
    }
    <[String; 3]>::try_from(parts)
        .ok()
        .map(|[pattern, replacement, flags]| (pattern, replacement, flags))
}

/// The replacement with `\1` to `\9` filled in; `None` when one is not there.
fn filled(replacement: &str, groups: &[&str]) -> Option<String> {
    let mut text = String::new();
    let mut letters = replacement.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next()? {
            digit @ '1'..='9' => {
                let group = usize::try_from(digit.to_digit(10)?).ok()?;
                text.push_str(groups.get(group)?);
            }
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(order: u16, preference: u16, service: &str, regexp: &str) -> Naptr {
        Naptr {
            order,
            preference,
            flags: "u".into(),
            service: service.into(),
            regexp: regexp.into(),
            replacement: None,
        }
    }

    /// The example of §3.2.
    #[test]
    fn a_number_has_a_name() {
        let zone = Domain::of("e164.arpa").unwrap();
        let name = |number| name_of(number, &zone).map(|name| name.as_str().to_owned());
        assert_eq!(name("+442079460148").as_deref(), Some("8.4.1.0.6.4.9.7.0.2.4.4.e164.arpa"));
        for none in ["442079460148", "+", "+44a", "+1234567890123456", "101", ""] {
            assert_eq!(name(none), None, "{none}");
        }
    }

    #[test]
    fn the_lowest_order_counts_and_in_it_the_preference() {
        let uris = uris_of(
            "+4420",
            vec![
                record(200, 1, "E2U+sip", "!^.*$!sip:late@h!"),
                record(100, 20, "e2u+SIP", "!^.*$!sip:second@h!"),
                record(100, 10, "E2U+email:mailto+sip", "!^\\+44(.*)$!sips:\\1@h;x=y!"),
                record(10, 1, "E2U+email:mailto", "!^.*$!mailto:a@h!"),
                record(10, 1, "SIP+D2U", "!^.*$!sip:no@h!"),
                record(10, 1, "E2U+voice:sip", "!^.*$!sip:subtype@h!"),
                record(10, 1, "E2U+sip", "!nothing!sip:no@h!"),
                Naptr { flags: "".into(), ..record(1, 1, "E2U+sip", "!^.*$!sip:no@h!") },
            ],
        );
        assert_eq!(uris, [&b"sips:20@h;x=y"[..], b"sip:second@h"]);
    }

    #[test]
    fn rules_of_every_kind() {
        for (rule, uri) in [
            ("!^.*$!sip:info@example.com!", Some("sip:info@example.com")),
            ("!^\\+44(..)(.*)$!sip:\\2-\\1@h!", Some("sip:-20@h")),
            ("/^.*$/sip:a\\/b@h/", Some("sip:a/b@h")),
            ("!^.*$!sip:a@h!i", Some("sip:a@h")),
            // A part of the number that fits is enough; it is replaced as a whole.
            ("!44!sip:a@h!", Some("sip:a@h")),
            ("!^.*$!sip:a@h!x", None),
            ("!^.*$!sip:a@h", None),
            ("!^.*$!sip:a@h!!", None),
            ("", None),
            ("!(!sip:a@h!", None),
            ("!^.*$!sip:\\1@h!", None),
            ("!^.*$!tel:+44!", None),
            ("!^.*$!http://h!", None),
            ("!^.*$!sip:a@h x!", None),
            ("!^.*$!sip:a@h\r\nX: y!", None),
            ("1^.*$1sip:a@h1", None),
            ("!^(\\+4+)+x$!sip:slow@h!", None),
        ] {
            let found =
                rewritten("+4420", rule).map(|uri| String::from_utf8(uri.to_vec()).unwrap());
            assert_eq!(found.as_deref(), uri, "{rule}");
        }
    }
}
