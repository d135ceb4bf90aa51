//! `Params`: `;name=value` after a URI or a header value (RFC 3261 §25.1 generic-param).

use crate::octets::{find, find_odd, find_param_end};
use crate::scan::{Scan, ascii, ends_name, is_blank, unquote};
use crate::{ParseError, limits};

/// Parameters, as written: `;lr;transport=tcp`. Read one by one, when asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name; compared without regard to case.
    pub name: &'a str,
    /// Its value as written (with quotes, if it has them), when there is one.
    pub value: Option<&'a [u8]>,
}

impl Param<'_> {
    /// Writes it, with the `;` before it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b';');
        out.extend_from_slice(self.name.as_bytes());
        if let Some(value) = self.value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
}

impl<'a> Params<'a> {
    /// What starts at the first `;`.
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// Reads what stands at the cursor to the end: nothing, or a `;` first.
    pub(crate) fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        scan.skip_blanks();
        match scan.peek() {
            None | Some(b';') => Ok(Self(scan.take_rest())),
            Some(_) => Err(scan.error()),
        }
    }

    /// As written, with the leading `;`.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// All, in order. One whose name is not ASCII is passed over: nobody can ask for it.
    pub fn iter(self) -> impl Iterator<Item = Param<'a>> {
        self.raw().filter_map(|(name, value)| Some(Param { name: ascii(name)?, value }))
    }

    /// Names and values as written, up to what is no parameter.
    pub(crate) fn raw(self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let is_odd = is_odd(self.0);
        let mut scan = Scan::new(self.0, "parameter");
        let next = move || if is_odd { odd(&mut scan) } else { usual(&mut scan) };
        std::iter::from_fn(next).take(limits::PARAMS)
    }

    /// The value of a parameter: `None` when it is absent, an empty one when it has no value.
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.find(name).map(Option::unwrap_or_default)
    }

    /// The value of a parameter as text, when it is there, has one, and is ASCII.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.find(name)?.and_then(ascii)
    }

    /// The value of a parameter without quotes and escapes.
    pub fn unquoted(self, name: &str) -> Option<Vec<u8>> {
        self.get(name).map(unquote)
    }

    /// The value of a parameter as a number.
    pub fn number<N: std::str::FromStr>(self, name: &str) -> Option<N> {
        self.text(name)?.parse().ok()
    }

    /// `q` in thousandths; 1000 when absent or wrong (RFC 3261 §25.1 qvalue).
    pub fn q(self) -> u16 {
        self.text("q").and_then(q_value).unwrap_or(1000)
    }

    /// True when the parameter is there, with a value or without.
    pub fn has(self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(self, name: &str) -> Option<Option<&'a [u8]>> {
        self.first(name.as_bytes())
    }

    /// The value of the first parameter of this name, when it is there and has one.
    pub(crate) fn first(self, name: &[u8]) -> Option<Option<&'a [u8]>> {
        if self.0.is_empty() {
            return None;
        }
        if is_odd(self.0) {
            let same = |other: &[u8]| other.eq_ignore_ascii_case(name);
            return self.raw().find(|(other, _)| same(other)).map(|(_, value)| value);
        }
        // As nearly everybody writes them: what stands between two `;` is one.
        let (mut rest, mut left) = (self.0, limits::PARAMS);
        while let [b';', after @ ..] = rest {
            let end = find(b';', after).unwrap_or(after.len());
            let (param, next) = after.split_at_checked(end).unwrap_or_default();
            rest = next;
            match param.split_at_checked(name.len()) {
                _ if param.is_empty() => continue,
                _ if left == 0 || param.starts_with(b"=") => return None,
                Some((begin, [])) if begin.eq_ignore_ascii_case(name) => return Some(None),
                Some((begin, [b'=', value @ ..])) if begin.eq_ignore_ascii_case(name) => {
                    return Some(Some(value));
                }
                _ => left -= 1,
            }
        }
        None
    }
}

/// True when there is more to look at than where `;` stand: quotes, brackets, blanks, or no `;` at the beginning.
fn is_odd(params: &[u8]) -> bool {
    !params.starts_with(b";") || find_odd(params).is_some()
}

/// The next one, as nearly everybody writes it: what stands between two `;`.
#[inline]
fn usual<'a>(scan: &mut Scan<'a>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    while scan.eat(b';') {}
    let mut param = Scan::new(scan.take_until(b';'), "parameter");
    let name = param.take_until(b'=');
    let value = param.eat(b'=').then(|| param.rest());
    (!name.is_empty()).then_some((name, value))
}

/// The next one, with blanks, quotes and brackets where they may stand.
fn odd<'a>(scan: &mut Scan<'a>) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    while scan.eat_spaced(b';') {}
    let name = scan.take_while(|octet| !ends_name(octet));
    let has_value = scan.eat_spaced(b'=');
    let value = has_value.then(|| match scan.peek() {
        Some(b'"') => scan.quoted().unwrap_or_else(|_| scan.take_rest()),
        Some(b'<') => bracketed(scan),
        _ => plain(scan),
    });
    (!name.is_empty()).then_some((name, value))
}

/// A value without quotes: up to a `;` or a blank.
fn plain<'a>(scan: &mut Scan<'a>) -> &'a [u8] {
    let rest = scan.rest();
    let end = find_param_end(rest).unwrap_or(rest.len());
    if rest.get(end).is_none_or(|octet| *octet == b';') {
        return scan.take(end);
    }
    let from = scan.at();
    loop {
        let rest = scan.rest();
        scan.take(find_param_end(rest).unwrap_or(rest.len()));
        match scan.peek() {
            Some(octet) if octet != b';' && !is_blank(octet) => scan.take(1),
            _ => return scan.since(from),
        };
    }
}

/// `<…>`, in which a `;` is part of a URI (RFC 8224 §4 ident-info).
fn bracketed<'a>(scan: &mut Scan<'a>) -> &'a [u8] {
    let from = scan.at();
    scan.take_while(|octet| octet != b'>');
    scan.eat(b'>');
    scan.since(from)
}

/// `qvalue` in thousandths (RFC 3261 §25.1).
fn q_value(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However they are written, who looks for one finds what who reads all finds.
    #[test]
    fn one_that_is_looked_for_is_the_first_of_its_name() {
        let words = [
            "a",
            "A=1",
            "ab=2",
            "a=\"x;a=3\"",
            "b=<s;a>",
            "",
            " ",
            "=4",
            "a=5=6",
            "c ",
            "\x01",
            "b",
        ];
        let mut texts = Vec::new();
        for (first, second, third) in words.iter().flat_map(|first| {
            let pairs = words.iter().flat_map(|second| words.map(|third| (second, third)));
            pairs.map(move |(second, third)| (first, second, third))
        }) {
            texts.push(format!(";{first};{second};{third}"));
        }
        let most = format!("{};a", ";x;".repeat(limits::PARAMS));
        for text in texts.into_iter().chain(["a;b".into(), most]) {
            let params = Params::new(text.as_bytes());
            for name in ["a", "ab", "b", "B", "x"] {
                let first = params.iter().find(|param| param.name.eq_ignore_ascii_case(name));
                assert_eq!(params.find(name), first.map(|param| param.value), "{name} in {text}");
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_values_may_be_quoted() {
        let params = Params::new(b";lr ; Tag=a4 ;x = \"1;2\\\"\";rport=;y");
        assert!(params.has("LR") && params.has("y"));
        assert_eq!(params.text("tag"), Some("a4"));
        assert_eq!(params.unquoted("x").unwrap(), b"1;2\"");
        assert_eq!(params.get("rport"), Some(&b""[..]));
        assert_eq!(params.get("z"), None);
        let odd = Params::new(b";\xe9=1;a=\x01;b=x\x1by c;d");
        assert_eq!(
            (odd.get("a"), odd.get("b"), odd.get("d")),
            (Some(&b"\x01"[..]), Some(&b"x\x1by"[..]), None)
        );
        assert_eq!(odd.iter().map(|param| param.name).collect::<Vec<_>>(), ["a", "b"]);
    }
}
