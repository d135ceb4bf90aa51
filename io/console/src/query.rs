//! `Query`: what stands behind the `?` of a request, and percent escapes (RFC 3986 §2.1).

use crate::answer::Refusal;
use crate::limits;

/// The parameters of a request, each with a name that its route knows.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query; a parameter that is not among `known` is refused, so that a misspelled one is not silently ignored.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default();
        if query.len() > limits::QUERY {
            let what = format!("the query has more than {} octets", limits::QUERY);
            return Err(Refusal::bad("query_too_long", what));
        }
        let mut found = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (unescaped(name, Plus::Blank)?, unescaped(value, Plus::Blank)?);
            if !known.contains(&name.as_str()) {
                let what = format!("there is no parameter `{}` here", name.escape_debug());
                let hint = match known {
                    [] => "this request has none".to_owned(),
                    known => format!("known here: {}", known.join(", ")),
                };
                return Err(Refusal::bad("unknown_parameter", what).hint(hint));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    /// The value of a parameter; the last one, when it is there more than once.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter as a number from 1 to `most`; `absent` when it is not there.
    pub(crate) fn count(&self, name: &str, absent: usize, most: usize) -> Result<usize, Refusal> {
        let Some(text) = self.get(name) else { return Ok(absent) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| {
            let what = format!("`{name}` cannot be `{}`", text.escape_debug());
            Refusal::bad("bad_parameter", what).hint(format!("a number from 1 to {most}"))
        })
    }
}

/// What a `+` means: a blank in a query, itself in a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    Blank,
    Itself,
}

/// A text without its percent escapes.
pub(crate) fn unescaped(text: &str, plus: Plus) -> Result<String, Refusal> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let number = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                u8::try_from(number.unwrap_or(u32::MAX)).map_err(|_| not_readable(text))?
            }
            b'+' if plus == Plus::Blank => b' ',
            octet => octet,
        });
    }
    String::from_utf8(octets).map_err(|_| not_readable(text))
}

/// A text with escapes for everything that is not surely itself: for a segment of a path, or a value of a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                safe.push(char::from(octet));
            }
            octet => safe += &format!("%{octet:02X}"),
        }
    }
    safe
}

fn not_readable(text: &str) -> Refusal {
    let what = format!("`{}` has an escape that is none, or is not UTF-8", text.escape_debug());
    Refusal::bad("bad_escape", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_reads_back() {
        for text in ["sip:101@h;x=%41", "ü + \u{0}\"/?&", ""] {
            assert_eq!(unescaped(&escaped(text), Plus::Blank).unwrap(), text);
            assert_eq!(unescaped(&escaped(text), Plus::Itself).unwrap(), text);
        }
        for text in ["%", "%4", "%zz", "%ff", "%+1"] {
            assert_eq!(unescaped(text, Plus::Itself).unwrap_err().code, "bad_escape", "{text}");
        }
    }

    #[test]
    fn a_query_has_only_what_is_known() {
        let query = Query::read(Some("limit=5&&filter=a+b&limit=7"), &["limit", "filter"]).unwrap();
        assert_eq!((query.get("filter"), query.count("limit", 1, 9).unwrap()), (Some("a b"), 7));
        assert_eq!(query.count("limit", 1, 6).unwrap_err().code, "bad_parameter");
        assert_eq!(Query::read(Some("limt=5"), &["limit"]).unwrap_err().code, "unknown_parameter");
        let long = "x".repeat(limits::QUERY + 1);
        assert_eq!(Query::read(Some(&long), &["x"]).unwrap_err().code, "query_too_long");
    }
}
