//! `Scan`: a cursor over a header value, in the words of the grammar (RFC 3261 §25.1).

use crate::{ParseError, limits};

/// A cursor over octets. Every reader of headers and URIs is written with it, so each error knows its octet.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Scan<'a> {
    /// Reads `text`; errors will name `what`.
    pub const fn new(text: &'a [u8], what: &'static str) -> Self {
        Self { text, at: 0, what }
    }

    /// An error here.
    pub const fn error(&self) -> ParseError {
        ParseError { what: self.what, at: self.at }
    }

    /// Where the cursor is.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What lies before the cursor, from octet `from`.
    pub fn since(&self, from: usize) -> &'a [u8] {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next octet, left where it is.
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Takes everything that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// Takes octets while they are of a kind.
    pub fn take_while(&mut self, kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|octet| !kind(*octet)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Takes `octet` if it is next.
    pub fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Takes `octet`, which must be next.
    pub fn expect(&mut self, octet: u8) -> Result<(), ParseError> {
        if self.eat(octet) { Ok(()) } else { Err(self.error()) }
    }

    /// `LWS`: blanks, and line folds (an indexed value has folds only where the grammar allows them).
    pub fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// `LWS` that must be there.
    pub fn blanks(&mut self) -> Result<(), ParseError> {
        let from = self.at;
        self.skip_blanks();
        if self.at == from { Err(self.error()) } else { Ok(()) }
    }

    /// Takes `octet` with blanks around it (`SEMI`, `COMMA`, `EQUAL`, `SLASH` …) if it is next.
    pub fn eat_spaced(&mut self, octet: u8) -> bool {
        let before = self.at;
        self.skip_blanks();
        if !self.eat(octet) {
            self.at = before;
            return false;
        }
        self.skip_blanks();
        true
    }

    /// `token`: at least one octet.
    pub fn token(&mut self) -> Result<&'a str, ParseError> {
        let error = self.error();
        let token = self.take_while(is_token);
        if token.is_empty() { Err(error) } else { ascii(token).ok_or(error) }
    }

    /// `1*DIGIT` that fits.
    pub fn number<N: std::str::FromStr>(&mut self) -> Result<N, ParseError> {
        let error = self.error();
        let digits = self.take_while(|octet| octet.is_ascii_digit());
        ascii(digits).and_then(|digits| digits.parse().ok()).ok_or(error)
    }

    /// `quoted-string`, with its quotes, still escaped.
    pub fn quoted(&mut self) -> Result<&'a [u8], ParseError> {
        let from = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek() {
                None | Some(b'\0') => return Err(self.error()),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(self.since(from))
    }

    /// `comment`, with its parentheses, still escaped; nested no deeper than `limits::DEPTH`.
    pub fn comment(&mut self) -> Result<&'a [u8], ParseError> {
        let (from, mut depth) = (self.at, 0);
        loop {
            match self.peek() {
                Some(b'(') if depth < limits::DEPTH => depth += 1,
                None | Some(b'\0' | b'(') => return Err(self.error()),
                Some(b')') => depth = depth.saturating_sub(1),
                Some(b'\\') => self.at += 1,
                Some(_) => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(self.since(from));
            }
        }
    }

    /// `token / quoted-string`, the latter with its quotes.
    pub fn word(&mut self) -> Result<&'a [u8], ParseError> {
        if self.peek() == Some(b'"') { self.quoted() } else { self.token().map(str::as_bytes) }
    }

    /// Nothing but blanks may be left.
    pub fn end(mut self) -> Result<(), ParseError> {
        self.skip_blanks();
        if self.rest().is_empty() { Ok(()) } else { Err(self.error()) }
    }
}

/// `token` octets (RFC 3261 §25.1).
pub(crate) const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Blanks and what is left of a line fold.
pub(crate) const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Octets as text, when they are ASCII.
pub(crate) fn ascii(octets: &[u8]) -> Option<&str> {
    if octets.is_ascii() { std::str::from_utf8(octets).ok() } else { None }
}

/// Without the blanks at both ends.
pub(crate) fn trim(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets {
        if !is_blank(*first) {
            break;
        }
        octets = rest;
    }
    while let [rest @ .., last] = octets {
        if !is_blank(*last) {
            break;
        }
        octets = rest;
    }
    octets
}

/// Splits at top-level commas: not within quotes, `<>` or (outside quotes) escapes.
pub(crate) fn split_list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = list_end(text);
        rest = text.get(end + 1..);
        Some(trim(text.get(..end).unwrap_or_default()))
    })
    .filter(|element| !element.is_empty())
}

/// Where the first element of a comma list ends.
fn list_end(text: &[u8]) -> usize {
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    for (at, octet) in text.iter().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match octet {
            b'\\' if quoted => escaped = true,
            b'"' if !angled => quoted = !quoted,
            b'<' if !quoted => angled = true,
            b'>' if !quoted => angled = false,
            b',' if !quoted && !angled => return at,
            _ => {}
        }
    }
    text.len()
}

/// The meaning of a `quoted-string` (with its quotes) or of a token: quotes and escapes taken away.
pub(crate) fn unquote(word: &[u8]) -> Vec<u8> {
    let Some(inner) = word.strip_prefix(b"\"").and_then(|word| word.strip_suffix(b"\"")) else {
        return word.to_vec();
    };
    let mut meaning = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(octet) = octets.next() {
        let octet = if *octet == b'\\' { octets.next().unwrap_or(octet) } else { octet };
        meaning.push(*octet);
    }
    meaning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_within_quotes_or_brackets_does_not_split() {
        let list = br#""a,\"b" <sip:a,b@c>;x="1,2" , <sip:d>,,e"#;
        let elements: Vec<_> = split_list(list).collect();
        assert_eq!(elements, [&br#""a,\"b" <sip:a,b@c>;x="1,2""#[..], b"<sip:d>", b"e"]);
    }

    #[test]
    fn an_open_quote_is_an_error_at_its_end() {
        let mut scan = Scan::new(b"\"abc", "display-name");
        assert_eq!(scan.quoted(), Err(ParseError { what: "display-name", at: 4 }));
        assert!(Scan::new(b"\"abc\\", "x").quoted().is_err());
    }
}
