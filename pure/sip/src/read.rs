//! The one reader of heads: start line, header rows, where the body begins (RFC 3261 §7, §25.1).
//!
//! Datagrams and streams both pass through here, so a framer and a parser cannot disagree about where a message ends.

use std::ops::Range;

use crate::octets::{find, find_control, find_light};
use crate::scan::{is_blank, is_token, number, trim};
use crate::{Name, ParseError, Status, limits};

/// The start line, as offsets.
#[derive(Clone, Debug)]
pub(crate) enum StartLine {
    Request { method: Range<u16>, uri: Range<u16> },
    Response { status: Status, reason: Range<u16> },
}

/// One header row, as offsets: `line` is where its name begins, `end` where its CRLF stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: Name,
    pub(crate) line: u16,
    pub(crate) colon: u16,
    pub(crate) value: u16,
    pub(crate) end: u16,
}

/// What the head of a message says.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) start: StartLine,
    pub(crate) rows: Vec<Row>,
    /// Where the body begins.
    pub(crate) body: usize,
}

impl Head {
    /// Reads the head of `wire`, which begins with a start line.
    pub(crate) fn read(wire: &[u8]) -> Result<Self, ParseError> {
        let mut lines = Lines { wire, at: 0 };
        let first = lines.next()?;
        let start = start_line(wire, first)?;
        let rows = lines.rows(Vec::with_capacity(24), End::EmptyLine)?;
        Ok(Self { start, rows, body: lines.at })
    }

    /// The Content-Length, when there is one. Two that differ, or one that is no number, are an error: guessing
    /// where a message ends is how requests are smuggled.
    pub(crate) fn content_length(&self, wire: &[u8]) -> Result<Option<usize>, ParseError> {
        let mut length = None;
        for row in self.rows.iter().filter(|row| row.name == Name::ContentLength) {
            let error = ParseError { what: "Content-Length", at: usize::from(row.value) };
            let digits =
                trim(wire.get(usize::from(row.value)..usize::from(row.end)).unwrap_or_default());
            let value = number(digits).and_then(|value| u32::try_from(value).ok()).ok_or(error)?;
            let value = value as usize;
            if length.is_some_and(|other| other != value) {
                return Err(error);
            }
            length = Some(value);
        }
        Ok(length)
    }
}

/// The rows at the beginning of a part of a body, and where its octets begin. It may have no octets, and then no empty
/// line either (RFC 2046 §5.1.1 body-part).
pub(crate) fn rows(part: &[u8]) -> Result<(Vec<Row>, usize), ParseError> {
    let mut lines = Lines { wire: part, at: 0 };
    let rows = lines.rows(Vec::new(), End::EmptyLineOrNone)?;
    Ok((rows, lines.at))
}

/// How rows end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    EmptyLine,
    EmptyLineOrNone,
}

/// Lines, with folded ones as one (RFC 3261 §7.3.1). A CR or LF that stands alone is an error.
struct Lines<'a> {
    wire: &'a [u8],
    at: usize,
}

impl Lines<'_> {
    /// Rows up to the empty line.
    fn rows(&mut self, mut rows: Vec<Row>, end: End) -> Result<Vec<Row>, ParseError> {
        while end == End::EmptyLine || self.at < self.wire.len() {
            let start = self.at;
            let rest = self.wire.get(start..).unwrap_or_default();
            if rest.starts_with(b"\r\n") {
                self.at = start + 2;
                break;
            }
            // A name of the table is a token, and no blank stands behind it; any other is looked at octet by octet.
            let before = find(b':', rest).and_then(|colon| rest.get(..colon)).unwrap_or_default();
            let name = Name::of(before);
            let known = if name == Name::Other { 0 } else { before.len() };
            let line = start..self.end(start, start + known)?;
            if rows.len() == limits::ROWS {
                return Err(ParseError { what: "number of headers", at: start });
            }
            rows.push(match name {
                Name::Other => unknown(self.wire, line)?,
                name => row(self.wire, line, name, (known, known)),
            });
        }
        Ok(rows)
    }

    /// The line that begins here.
    fn next(&mut self) -> Result<Range<usize>, ParseError> {
        let start = self.at;
        self.end(start, start).map(|end| start..end)
    }

    /// Where the line that began at `start` ends, looked for from `at`; then the next begins behind it.
    #[inline(always)]
    fn end(&mut self, start: usize, at: usize) -> Result<usize, ParseError> {
        let mut end = self.line_end(at)?;
        // An empty line is the end of the rows, whatever follows.
        while end > start && matches!(self.wire.get(end + 2), Some(b' ' | b'\t')) {
            end = self.line_end(end + 2)?;
        }
        self.at = end + 2;
        Ok(end)
    }

    #[inline(always)]
    fn line_end(&self, mut end: usize) -> Result<usize, ParseError> {
        let error = |at| ParseError { what: "line end", at };
        loop {
            let rest = self.wire.get(end..).unwrap_or_default();
            let Some(length) = find_control(rest) else { return Err(error(self.wire.len())) };
            end = end.wrapping_add(length);
            match rest.get(length..) {
                Some([b'\r', b'\n', ..]) if end < limits::HEAD => return Ok(end),
                Some([b'\r', b'\n', ..]) => {
                    return Err(ParseError { what: "length of the headers", at: limits::HEAD });
                }
                Some([b'\r']) => return Err(error(self.wire.len())),
                // Neither may stand alone: what is one line here could be two at the next hop.
                Some([b'\r' | b'\n', ..]) => return Err(error(end)),
                _ => end += 1,
            }
        }
    }
}

fn start_line(wire: &[u8], line: Range<usize>) -> Result<StartLine, ParseError> {
    let text = wire.get(line).unwrap_or_default();
    if text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(text);
    }
    request_line(text)
}

/// `SIP-Version SP Status-Code SP Reason-Phrase`
fn status_line(text: &[u8]) -> Result<StartLine, ParseError> {
    let error = |at| ParseError { what: "Status-Line", at };
    if !text.get(..8).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0 ")) {
        return Err(ParseError { what: "SIP-Version", at: 0 });
    }
    let digits =
        text.get(8..11).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or(error(8))?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let status = Status::new(code).ok_or(error(8))?;
    match text.get(11) {
        Some(b' ') => Ok(StartLine::Response { status, reason: 12..offset(text.len()) }),
        // The SP belongs there even before an empty phrase, but no one is hurt when it is missing.
        None => Ok(StartLine::Response { status, reason: 11..11 }),
        Some(_) => Err(error(11)),
    }
}

/// `Method SP Request-URI SP SIP-Version`
fn request_line(text: &[u8]) -> Result<StartLine, ParseError> {
    let error = |what, at| ParseError { what, at };
    let method = text.iter().take_while(|octet| is_token(**octet)).count();
    if method == 0 || text.get(method) != Some(&b' ') {
        return Err(error("Method", method));
    }
    let uri = method + 1;
    let rest = text.get(uri..).unwrap_or_default();
    // Up to the first blank, which must be one and not a control octet.
    let length = find_light(rest).unwrap_or(rest.len());
    let end = uri + length;
    if length == 0 || rest.starts_with(b"<") || rest.get(length) != Some(&b' ') {
        return Err(error("Request-URI", end));
    }
    let version = text.get(end + 1..).unwrap_or_default();
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        let what = if version.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SIP/")) {
            "SIP-Version"
        } else {
            "Request-Line"
        };
        return Err(error(what, end + 1));
    }
    Ok(StartLine::Request { method: 0..offset(method), uri: offset(uri)..offset(end) })
}

/// `field-name HCOLON field-value`: where the name ends and where the colon stands are known.
#[inline(always)]
fn row(wire: &[u8], line: Range<usize>, name: Name, (length, colon): (usize, usize)) -> Row {
    let text = wire.get(line.clone()).unwrap_or_default();
    let value = match text.get(colon..) {
        // As nearly everybody writes it.
        Some([b':', b' ', octet, ..]) if !is_blank(*octet) => colon + 2,
        Some([_, rest @ ..]) => colon + 1 + rest.iter().take_while(|o| is_blank(**o)).count(),
        _ => colon,
    };
    Row {
        name,
        line: offset(line.start),
        colon: offset(line.start + length),
        value: offset(line.start + value),
        end: offset(line.end),
    }
}

/// A row whose name is not in the table, or has blanks behind it.
#[cold]
fn unknown(wire: &[u8], line: Range<usize>) -> Result<Row, ParseError> {
    let text = wire.get(line.clone()).unwrap_or_default();
    let length = text.iter().take_while(|octet| is_token(**octet)).count();
    let (name, rest) = text.split_at_checked(length).unwrap_or_default();
    let colon = length + rest.iter().take_while(|octet| is_blank(**octet)).count();
    if length == 0 || text.get(colon) != Some(&b':') {
        return Err(ParseError { what: "header name", at: line.start + colon });
    }
    Ok(row(wire, line, Name::of(name), (length, colon)))
}

/// Heads are shorter than `limits::HEAD`, so every offset fits.
const fn offset(at: usize) -> u16 {
    at as u16
}
