//! Lines, and the fields of a line, with the place where each stands (RFC 8866 §5, §9).

use crate::ParseError;

/// One line: `x=value`.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) letter: u8,
    pub(crate) value: &'a [u8],
    /// The line, from 1.
    pub(crate) line: usize,
    /// The octet at which the value begins.
    pub(crate) at: usize,
}

impl<'a> Row<'a> {
    pub(crate) const fn bad(&self, what: &'static str) -> ParseError {
        ParseError { what, line: self.line, at: self.at }
    }

    /// The value's fields, which are visible characters (RFC 8866 §9); other octets belong into free text.
    pub(crate) fn fields(&self, what: &'static str) -> Result<Fields<'a>, ParseError> {
        let hidden = self.value.iter().position(u8::is_ascii_control);
        let text = std::str::from_utf8(self.value).map_err(|wrong| wrong.valid_up_to());
        match (text, hidden) {
            (Ok(rest), None) => Ok(Fields { rest, line: self.line, at: self.at }),
            (Err(by), _) | (_, Some(by)) => Err(self.bad(what).shifted(by)),
        }
    }
}

impl ParseError {
    pub(crate) const fn shifted(self, by: usize) -> Self {
        Self { at: self.at.saturating_add(by), ..self }
    }
}

/// Cuts octets into lines. A line ends with CRLF, or LF alone (RFC 8866 §5 asks for that tolerance). Empty lines are passed over: some
/// senders end with one, some programs put one between sections.
pub(crate) fn rows(octets: &[u8]) -> impl Iterator<Item = Result<Row<'_>, ParseError>> {
    let mut at = 0_usize;
    octets.split(|octet| *octet == b'\n').enumerate().filter_map(move |(index, whole)| {
        let start = at;
        at = at.saturating_add(whole.len()).saturating_add(1);
        let text = whole.strip_suffix(b"\r").unwrap_or(whole);
        (!text.is_empty()).then(|| row(text, index.saturating_add(1), start))
    })
}

fn row(text: &[u8], line: usize, start: usize) -> Result<Row<'_>, ParseError> {
    let bad = |what, by| ParseError { what, line, at: start }.shifted(by);
    let [letter, b'=', value @ ..] = text else {
        return Err(bad("line (not of the form x=…)", 0));
    };
    if !letter.is_ascii_lowercase() {
        return Err(bad("letter of a line", 0));
    }
    // RFC 8866 §9: a byte-string holds everything but NUL, LF and CR.
    match text.iter().position(|octet| matches!(octet, 0 | b'\r')) {
        Some(by) => Err(bad("octet (NUL or a lone CR)", by)),
        None => Ok(Row { letter: *letter, value, line, at: start.saturating_add(2) }),
    }
}

/// The fields of a line, cut at spaces. More than one space is forgiven, and one at the end.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a str,
    line: usize,
    at: usize,
}

impl<'a> Fields<'a> {
    /// The next field, if there is one.
    pub(crate) fn next(&mut self) -> Option<Field<'a>> {
        let text = self.rest.trim_start_matches(' ');
        let at = self.at.saturating_add(self.rest.len()).saturating_sub(text.len());
        if text.is_empty() {
            return None;
        }
        let (field, rest) = text.split_once(' ').unwrap_or((text, ""));
        self.at = at.saturating_add(text.len()).saturating_sub(rest.len());
        self.rest = rest;
        Some(Field { text: field, line: self.line, at })
    }

    /// The next field, which must be there.
    pub(crate) fn need(&mut self, what: &'static str) -> Result<Field<'a>, ParseError> {
        let end = self.at.saturating_add(self.rest.len());
        self.next().ok_or(ParseError { what, line: self.line, at: end })
    }

    /// Nothing may follow.
    pub(crate) fn end(mut self, what: &'static str) -> Result<(), ParseError> {
        self.next().map_or(Ok(()), |field| Err(field.bad(what)))
    }
}

/// One field and its place.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) text: &'a str,
    line: usize,
    at: usize,
}

impl<'a> Field<'a> {
    pub(crate) const fn bad(&self, what: &'static str) -> ParseError {
        ParseError { what, line: self.line, at: self.at }
    }

    /// A number of that type; digits only.
    pub(crate) fn number<T: std::str::FromStr>(&self, what: &'static str) -> Result<T, ParseError> {
        number(self.text).ok_or(self.bad(what))
    }

    /// Cuts the field in two at a mark: `49170/2`.
    pub(crate) fn cut(self, mark: char) -> (Self, Option<Self>) {
        let Some((left, right)) = self.text.split_once(mark) else { return (self, None) };
        let at = self.at.saturating_add(left.len()).saturating_add(mark.len_utf8());
        (Self { text: left, ..self }, Some(Self { text: right, at, line: self.line }))
    }

    pub(crate) fn boxed(self) -> Box<str> {
        self.text.into()
    }
}

/// A number written with digits only: `FromStr` alone would take a `+`.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
