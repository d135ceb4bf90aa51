//! `Scan`: a cursor over a header value, in the words of the grammar (RFC 3261 §25.1).

use crate::name::Grammar;
use crate::octets::{find, find_escape, find_light};
use crate::{ParseError, limits};

/// A cursor over octets. Every reader of headers and URIs is written with it, so each error knows its octet.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    text: &'a [u8],
    /// What is left of it.
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Scan<'a> {
    /// Reads `text`; errors will name `what`.
    pub const fn new(text: &'a [u8], what: &'static str) -> Self {
        Self { text, rest: text, what }
    }

    /// An error here.
    pub const fn error(&self) -> ParseError {
        ParseError { what: self.what, at: self.at() }
    }

    /// Where the cursor is.
    pub const fn at(&self) -> usize {
        self.text.len().wrapping_sub(self.rest.len())
    }

    /// What lies before the cursor, from octet `from`.
    pub fn since(&self, from: usize) -> &'a [u8] {
        self.text.get(from..self.at()).unwrap_or_default()
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next octet, left where it is.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes everything that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Takes octets while they are of a kind.
    #[inline]
    pub fn take_while(&mut self, kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|octet| !kind(*octet)).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Takes octets up to the first that is `octet`, or all.
    pub fn take_until(&mut self, octet: u8) -> &'a [u8] {
        self.take(find(octet, self.rest).unwrap_or(self.rest.len()))
    }

    /// Takes octets up to the first blank, control octet or DEL, or all.
    pub fn take_word(&mut self) -> &'a [u8] {
        self.take(find_light(self.rest).unwrap_or(self.rest.len()))
    }

    /// Takes a prefix if it is next, in any case.
    #[inline]
    pub(crate) fn eat_word(&mut self, word: &[u8]) -> bool {
        let next = self.rest.get(..word.len());
        let found = next.is_some_and(|next| next == word || next.eq_ignore_ascii_case(word));
        self.take(if found { word.len() } else { 0 });
        found
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((&[], self.rest));
        self.rest = rest;
        taken
    }

    /// Takes `octet` if it is next.
    #[inline]
    pub fn eat(&mut self, octet: u8) -> bool {
        match self.rest {
            [next, rest @ ..] if *next == octet => {
                self.rest = rest;
                true
            }
            _ => false,
        }
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
        let from = self.rest.len();
        self.skip_blanks();
        if self.rest.len() == from { Err(self.error()) } else { Ok(()) }
    }

    /// Takes `octet` with blanks around it (`SEMI`, `COMMA`, `EQUAL`, `SLASH` …) if it is next.
    #[inline]
    pub fn eat_spaced(&mut self, octet: u8) -> bool {
        match self.rest {
            // As nearly everybody writes it.
            [next, rest @ ..]
                if *next == octet && rest.first().is_some_and(|after| !is_blank(*after)) =>
            {
                self.rest = rest;
                true
            }
            [next, ..] if *next != octet && !is_blank(*next) => false,
            _ => self.eat_among_blanks(octet),
        }
    }

    #[cold]
    fn eat_among_blanks(&mut self, octet: u8) -> bool {
        let before = self.rest;
        if self.peek().is_some_and(is_blank) {
            self.skip_blanks();
        }
        if !self.eat(octet) {
            self.rest = before;
            return false;
        }
        if self.peek().is_some_and(is_blank) {
            self.skip_blanks();
        }
        true
    }

    /// `token`: at least one octet.
    pub fn token(&mut self) -> Result<&'a str, ParseError> {
        let error = self.error();
        let token = self.take_while(is_token);
        if token.is_empty() { Err(error) } else { std::str::from_utf8(token).map_err(|_| error) }
    }

    /// `1*DIGIT` that fits.
    pub fn number<N: TryFrom<u64>>(&mut self) -> Result<N, ParseError> {
        let error = self.error();
        let (mut value, mut length) = (0_u64, 0);
        for octet in self.rest {
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if length >= SURE {
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(digit.into()))
                    .ok_or(error)?;
            } else {
                value = value.wrapping_mul(10).wrapping_add(digit.into());
            }
            length = length.wrapping_add(1);
        }
        self.take(length);
        N::try_from(value).ok().filter(|_| length > 0).ok_or(error)
    }

    /// `quoted-string`, with its quotes, still escaped.
    pub fn quoted(&mut self) -> Result<&'a [u8], ParseError> {
        let from = self.at();
        self.expect(b'"')?;
        // As nearly everybody writes it: without escapes.
        if let Some(end) = find(b'"', self.rest)
            && self.rest.get(..end).is_some_and(|inner| find_escape(inner).is_none())
        {
            self.take(end + 1);
            return Ok(self.since(from));
        }
        loop {
            match self.peek() {
                None | Some(b'\0') => return Err(self.error()),
                Some(b'"') => break,
                Some(b'\\') => self.escape(),
                Some(_) => self.skip(1),
            }
        }
        self.skip(1);
        Ok(self.since(from))
    }

    /// A backslash and what it escapes, when there is something.
    fn escape(&mut self) {
        self.skip(2);
    }

    /// Passes over octets, as far as there are any.
    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// `comment`, with its parentheses, still escaped; nested no deeper than `limits::DEPTH`.
    pub fn comment(&mut self) -> Result<&'a [u8], ParseError> {
        let (from, mut depth) = (self.at(), 0);
        loop {
            match self.peek() {
                Some(b'(') if depth < limits::DEPTH => depth += 1,
                None | Some(b'\0' | b'(') => return Err(self.error()),
                Some(b')') => depth = depth.saturating_sub(1),
                Some(b'\\') => {
                    self.escape();
                    continue;
                }
                Some(_) => {}
            }
            self.skip(1);
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
pub(crate) fn is_token(octet: u8) -> bool {
    is_class(octet, TOKEN)
}

/// Blanks and what is left of a line fold.
pub(crate) fn is_blank(octet: u8) -> bool {
    is_class(octet, BLANK)
}

/// Octets of a label of a host.
pub(crate) fn is_label(octet: u8) -> bool {
    is_class(octet, LABEL)
}

/// Octets of a host that is a name or an IPv4 address.
pub(crate) fn is_host(octet: u8) -> bool {
    is_class(octet, HOST)
}

/// `user` octets, escapes included (RFC 3261 §25.1 unreserved / user-unreserved).
pub(crate) fn is_user(octet: u8) -> bool {
    is_class(octet, USER)
}

/// `user` octets, and those that are wrong by the grammar, and real: what is past ASCII, and a few that people type.
pub(crate) fn is_lenient_user(octet: u8) -> bool {
    is_class(octet, LENIENT_USER)
}

/// What ends the name of a parameter: `;`, `=`, a blank.
pub(crate) fn ends_name(octet: u8) -> bool {
    is_class(octet, NAME_END)
}

fn is_class(octet: u8, class: u8) -> bool {
    CLASSES.get(usize::from(octet)).is_some_and(|classes| classes & class != 0)
}

const TOKEN: u8 = 1;
const BLANK: u8 = 2;
const HOST: u8 = 4;
const USER: u8 = 8;
const LENIENT_USER: u8 = 16;
const NAME_END: u8 = 32;
const LABEL: u8 = 64;

/// The classes of each octet: one look-up instead of a row of comparisons, for everything that is read goes through here.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut octet = 0_u8;
    loop {
        #[expect(
            clippy::indexing_slicing,
            reason = "done while compiling; an octet has 256 values"
        )]
        let class = &mut classes[octet as usize];
        *class = class_of(octet);
        if octet == u8::MAX {
            break classes;
        }
        octet += 1;
    }
};

const fn class_of(octet: u8) -> u8 {
    let word = octet.is_ascii_alphanumeric();
    let token = word
        || matches!(octet, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
    let blank = matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let label = word || matches!(octet, b'-' | b'_');
    let host = label || octet == b'.';
    let user = word
        || matches!(octet, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(octet, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/' | b'%');
    let lenient = user
        || octet >= 0x80
        || matches!(octet, b'#' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}');
    let name_end = blank || matches!(octet, b';' | b'=');
    (token as u8) * TOKEN
        + (blank as u8) * BLANK
        + (host as u8) * HOST
        + (user as u8) * USER
        + (lenient as u8) * LENIENT_USER
        + (name_end as u8) * NAME_END
        + (label as u8) * LABEL
}

/// `1*DIGIT`, when it fits into 64 bits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() < LONGEST {
        let value = |number: u64, octet: &u8| number * 10 + u64::from(octet.wrapping_sub(b'0'));
        let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        return all.then(|| digits.iter().fold(0, value));
    }
    let digit = |number: u64, octet: &u8| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    digits.iter().try_fold(0, digit)
}

/// So many digits may be more than fits.
const LONGEST: usize = 20;

/// So many digits surely fit.
const SURE: usize = LONGEST - 1;

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

/// The elements of a row: what stands between top-level commas (not within quotes, `<>` or, in quotes, escapes), or all of
/// it when its grammar is no list. A list may have empty ones, which do not count (RFC 3261 §7.3.1).
pub(crate) fn elements(value: &[u8], grammar: Grammar) -> impl Iterator<Item = &[u8]> {
    // Most rows have one element.
    let is_list = grammar == Grammar::List && find(b',', value).is_some();
    let mut rest = Some(value).filter(|value| grammar == Grammar::Single || !value.is_empty());
    std::iter::from_fn(move || {
        if !is_list {
            return rest.take();
        }
        loop {
            let text = rest?;
            let end = list_end(text);
            rest = text.get(end + 1..);
            let element = trim(text.get(..end).unwrap_or_default());
            if !element.is_empty() {
                return Some(element);
            }
        }
    })
}

/// Where the first element of a comma list ends.
fn list_end(text: &[u8]) -> usize {
    if find(b',', text).is_none() {
        return text.len();
    }
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
        let found: Vec<_> = elements(list, Grammar::List).collect();
        assert_eq!(found, [&br#""a,\"b" <sip:a,b@c>;x="1,2""#[..], b"<sip:d>", b"e"]);
    }

    #[test]
    fn an_open_quote_is_an_error_at_its_end() {
        let mut scan = Scan::new(b"\"abc", "display-name");
        assert_eq!(scan.quoted(), Err(ParseError { what: "display-name", at: 4 }));
        // Found by fuzzing: the error after a backslash at the end lay behind the end.
        for open in [&b"\"abc\\"[..], b"\"abc\\\""] {
            assert_eq!(Scan::new(open, "x").quoted().unwrap_err().at, open.len());
        }
        assert_eq!(Scan::new(b"(abc\\", "x").comment().unwrap_err().at, 5);
    }
}
