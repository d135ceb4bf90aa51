//! The one reader of heads: start line, header rows, where the body begins (RFC 3261 §7, §25.1).
//!
//! Datagrams and streams both pass through here, so a framer and a parser cannot disagree about where a message ends.

use std::ops::Range;

use memchr::memchr2;

use crate::name::{Names, ROOM};
use crate::octets::{find_control, find_light};
use crate::scan::{is_blank, is_token, number, trim};
use crate::{Method, Name, ParseError, Status, limits};

/// The start line, as offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StartLine {
    /// `known` is the place of the method among those that have a name here: it is asked for more often than anything else.
    Request {
        known: Option<u8>,
        method: Range<u16>,
        uri: Range<u16>,
    },
    Response {
        status: Status,
        reason: Range<u16>,
    },
}

/// One header row, as offsets: `line` is where its name begins, `colon` where that ends, `end` where its CRLF stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: Name,
    pub(crate) line: u16,
    pub(crate) colon: u16,
    pub(crate) value: u16,
    pub(crate) end: u16,
    /// True when its value has line ends within.
    pub(crate) folded: bool,
}

/// What the head of a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) start: StartLine,
    pub(crate) rows: Vec<Row>,
    /// Where the body begins.
    pub(crate) body: usize,
    /// Which names the rows have.
    names: Names,
}

impl Head {
    /// A head of these rows.
    pub(crate) fn new(start: StartLine, rows: Vec<Row>, body: usize) -> Self {
        let names = Names::of(rows.iter().map(|row| row.name));
        Self { start, rows, body, names }
    }

    /// The rows called `name`, and maybe others: none, when there is none.
    #[inline]
    pub(crate) fn candidates(&self, name: Name) -> &[Row] {
        if self.names.has(name) { &self.rows } else { &[] }
    }

    /// True when there is a row of this name.
    #[inline]
    pub(crate) const fn has(&self, name: Name) -> bool {
        self.names.has(name)
    }

    /// Reads the head of `wire`, which begins with a start line.
    pub(crate) fn read(wire: &[u8]) -> Result<Self, ParseError> {
        let mut lines = Lines { wire, rest: wire };
        let first = lines.next()?;
        let start = start_line(wire, first)?;
        let rows = lines.rows(Vec::with_capacity(24), End::EmptyLine)?;
        Ok(Self::new(start, rows, lines.at()))
    }

    /// The Content-Length, when there is one. Two that differ, or one that is no number, are an error: guessing
    /// where a message ends is how requests are smuggled.
    pub(crate) fn content_length(&self, wire: &[u8]) -> Result<Option<usize>, ParseError> {
        let mut length = None;
        for row in self
            .candidates(Name::ContentLength)
            .iter()
            .filter(|row| row.name == Name::ContentLength)
        {
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
    let mut lines = Lines { wire: part, rest: part };
    let rows = lines.rows(Vec::new(), End::EmptyLineOrNone)?;
    Ok((rows, lines.at()))
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
    /// What was not read yet.
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// Where the next line begins.
    const fn at(&self) -> usize {
        self.wire.len().saturating_sub(self.rest.len())
    }

    /// Rows up to the empty line.
    fn rows(&mut self, mut rows: Vec<Row>, end: End) -> Result<Vec<Row>, ParseError> {
        while end == End::EmptyLine || !self.rest.is_empty() {
            if let [b'\r', b'\n', rest @ ..] = self.rest {
                self.rest = rest;
                break;
            }
            if rows.len() == limits::ROWS {
                return Err(ParseError { what: "number of headers", at: self.at() });
            }
            // A name of the table with its colon; any other is looked at octet by octet.
            let known = match self.rest.first_chunk() {
                Some(begin) => Name::beginning(begin),
                None => Name::beginning(&self.end_of_wire()),
            };
            rows.push(match known {
                Some((name, colon)) => self.row(name, colon)?,
                None => unknown(self.wire, self.next()?)?,
            });
        }
        Ok(rows)
    }

    /// What is left, when that is little, and nothing behind it.
    fn end_of_wire(&self) -> [u8; ROOM] {
        let mut begin = [0; ROOM];
        begin.iter_mut().zip(self.rest).for_each(|(room, octet)| *room = *octet);
        begin
    }

    /// The row that begins here: its name and where its colon stands are known.
    #[inline(always)]
    fn row(&mut self, name: Name, colon: usize) -> Result<Row, ParseError> {
        let line = self.at();
        let text = self.rest.get(colon + 1..).unwrap_or_default();
        let (end, folded) = self.end(text)?;
        let from = line + colon + 1;
        let value = match text {
            // As nearly everybody writes it.
            [b' ', octet, ..] if *octet > b' ' => from + 1,
            _ => from + blanks(text.get(..end.saturating_sub(from)).unwrap_or_default()),
        };
        Ok(Row {
            name,
            line: offset(line),
            colon: offset(line + colon),
            value: offset(value),
            end: offset(end),
            folded,
        })
    }

    /// The line that begins here.
    fn next(&mut self) -> Result<Range<usize>, ParseError> {
        let start = self.at();
        if let [b'\r', b'\n', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(start..start);
        }
        self.end(self.rest).map(|(end, _)| start..end)
    }

    /// Where the line ends that `text` is the rest of, and whether it is folded; the next begins behind it.
    #[inline(always)]
    fn end(&mut self, mut text: &'a [u8]) -> Result<(usize, bool), ParseError> {
        let mut folded = false;
        loop {
            let (end, after) = self.crlf(text)?;
            if !matches!(after, [b' ' | b'\t', ..]) {
                self.rest = after;
                return Ok((end, folded));
            }
            (text, folded) = (after, true);
        }
    }

    /// The next CRLF: where it stands, and what follows.
    #[inline(always)]
    fn crlf(&self, mut text: &'a [u8]) -> Result<(usize, &'a [u8]), ParseError> {
        let place = |rest: &[u8]| self.wire.len().saturating_sub(rest.len());
        let error = |what, at| Err(ParseError { what, at });
        loop {
            let found = find_control(text).and_then(|at| text.get(at..)).unwrap_or_default();
            let at = place(found);
            match found {
                [b'\r', b'\n', ..] if at >= limits::HEAD => {
                    return error("length of the headers", limits::HEAD);
                }
                [b'\r', b'\n', after @ ..] => return Ok((at, after)),
                [] | [b'\r'] => return error("line end", self.wire.len()),
                // Neither may stand alone: what is one line here could be two at the next hop.
                [b'\r' | b'\n', ..] => return error("line end", at),
                [_, after @ ..] => text = after,
            }
        }
    }
}

/// How many blanks it begins with.
pub(crate) fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|octet| is_blank(**octet)).count()
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
    Ok(StartLine::Request {
        known: Method::place(text.get(..method).unwrap_or_default()),
        method: 0..offset(method),
        uri: offset(uri)..offset(end),
    })
}

/// A row whose name is not in the table, or has blanks before its colon: `field-name HCOLON field-value`.
#[cold]
fn unknown(wire: &[u8], line: Range<usize>) -> Result<Row, ParseError> {
    let text = wire.get(line.clone()).unwrap_or_default();
    let length = text.iter().take_while(|octet| is_token(**octet)).count();
    let (name, rest) = text.split_at_checked(length).unwrap_or_default();
    let colon = length + blanks(rest);
    let after = text.get(colon + 1..).unwrap_or_default();
    if length == 0 || text.get(colon) != Some(&b':') {
        return Err(ParseError { what: "header name", at: line.start + colon });
    }
    Ok(Row {
        name: Name::of(name),
        line: offset(line.start),
        colon: offset(line.start + length),
        value: offset(line.start + colon + 1 + blanks(after)),
        end: offset(line.end),
        folded: memchr2(b'\r', b'\n', after).is_some(),
    })
}

/// Heads are shorter than `limits::HEAD`, so every offset fits.
pub(crate) const fn offset(at: usize) -> u16 {
    at as u16
}
