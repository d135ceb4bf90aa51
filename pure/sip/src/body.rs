//! `Body`: what a message carries, and the parts of it (RFC 3261 §7.4, §20.11; RFC 2046 §5.1; RFC 5621).

use memchr::memmem;

use crate::header::{ContentDisposition, ContentType, Handling, MediaType};
use crate::read::{Row, rows};
use crate::row::row;
use crate::scan::{is_blank, trim};
use crate::{Header, Message, Name, ParseError, limits};

/// The body of a message, or a part of a body that has several. Nothing is copied.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    /// What describes it: rows and the text that they stand in.
    rows: Vec<Row>,
    head: &'a [u8],
    octets: &'a [u8],
    /// Where `octets` begin in the message.
    at: usize,
    /// How many bodies it lies in.
    depth: usize,
}

impl<'a> Body<'a> {
    pub(crate) fn of(message: &'a Message) -> Self {
        let (octets, head) = (message.body(), message.wire().as_ref());
        Self { rows: message.head().rows.clone(), head, octets, at: message.head().body, depth: 0 }
    }

    /// Its octets; of a body in parts, all of them.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// A header that describes it, when it is there and can be read.
    pub fn get<H: Header<'a>>(&self) -> Option<H> {
        let row = self.rows.iter().find(|row| row.name == H::NAME)?;
        H::parse(self.value(row)).ok()
    }

    /// The raw value of a header that describes it: `Content-ID`, `Content-Transfer-Encoding` …
    pub fn named(&self, name: &str) -> Option<&'a [u8]> {
        let written = |row: &&Row| {
            let wire = self.head.get(usize::from(row.line)..usize::from(row.colon));
            wire.is_some_and(|wire| wire.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.rows.iter().find(written).map(|row| self.value(row))
    }

    /// What it is. A part that does not say is text (RFC 2046 §5.1); a message that does not say is `None`.
    pub fn media(&self) -> Option<MediaType<'a>> {
        let text = || MediaType { kind: "text", subtype: "plain" };
        if self.rows.iter().any(|row| row.name == Name::ContentType) {
            return self.get::<ContentType<'_>>().map(|header| header.media);
        }
        (self.depth > 0).then(text)
    }

    /// True for this type.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.media().is_some_and(|media| media.is(kind, subtype))
    }

    /// What it is for. Where it does not say, a session description is a `session`, anything else to `render` (RFC 3261
    /// §20.11).
    pub fn disposition(&self) -> &'a str {
        let assumed = if self.is("application", "sdp") { "session" } else { "render" };
        self.get::<ContentDisposition<'_>>().map_or(assumed, |header| header.kind)
    }

    /// What must happen when it is not understood: `required` unless it says `optional` (RFC 3261 §20.11).
    pub fn handling(&self) -> Handling {
        self.get::<ContentDisposition<'_>>().map_or(Handling::Required, |header| header.handling())
    }

    /// Its parts, when it is `multipart/…`; an error when it says so and has none, has too many, or lies too deep.
    pub fn parts(&self) -> Result<Option<Vec<Self>>, ParseError> {
        let Some(boundary) = self.boundary()? else { return Ok(None) };
        if self.depth >= limits::DEPTH {
            return Err(self.error("multipart (too deep)", 0));
        }
        let mut parts = Vec::new();
        let delimiters = Delimiters::new(self.octets, &boundary);
        let mut begin = None;
        for delimiter in delimiters {
            if let Some(from) = begin.replace(delimiter.after) {
                parts.push(self.part(from, delimiter.before)?);
            }
            if delimiter.last {
                begin = None;
                break;
            }
            if parts.len() == limits::PARTS {
                return Err(self.error("multipart (too many parts)", delimiter.before));
            }
        }
        // The last delimiter is missing: what is there is kept. Content-Length has already said that nothing was lost.
        if let Some(from) = begin {
            parts.push(self.part(from, self.octets.len())?);
        }
        if parts.is_empty() {
            return Err(self.error("multipart (no boundary in it)", 0));
        }
        Ok(Some(parts))
    }

    /// The first body of a type, in parts and parts of parts.
    pub fn find(&self, kind: &str, subtype: &str) -> Result<Option<Self>, ParseError> {
        if self.is(kind, subtype) {
            return Ok(Some(self.clone()));
        }
        for part in self.parts()?.unwrap_or_default() {
            if let Some(found) = part.find(kind, subtype)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first body that must be understood and is not: the reason for a 415 (RFC 3261 §8.2.3, RFC 5621 §3). Of
    /// alternatives one is enough; of related parts the first counts.
    pub fn not_understood(
        &self,
        understood: &impl Fn(&Self) -> bool,
    ) -> Result<Option<Self>, ParseError> {
        if self.handling() == Handling::Optional || understood(self) {
            return Ok(None);
        }
        let Some(parts) = self.parts()? else { return Ok(Some(self.clone())) };
        let related = self.is("multipart", "related");
        let alternative = self.is("multipart", "alternative");
        let mut missing = None;
        for part in parts.into_iter().take(if related { 1 } else { limits::PARTS }) {
            let found = part.not_understood(understood)?;
            if alternative && found.is_none() {
                return Ok(None);
            }
            missing = missing.or(found);
        }
        Ok(missing)
    }

    /// `--boundary`, when it is multipart.
    fn boundary(&self) -> Result<Option<Vec<u8>>, ParseError> {
        let Some(header) = self.get::<ContentType<'_>>() else { return Ok(None) };
        if !header.media.kind.eq_ignore_ascii_case("multipart") {
            return Ok(None);
        }
        let boundary = header.params.unquoted("boundary").unwrap_or_default();
        if boundary.is_empty() || boundary.len() > BOUNDARY {
            return Err(self.error("multipart (boundary)", 0));
        }
        Ok(Some([b"--", &*boundary].concat()))
    }

    /// A part: its rows, an empty line, its octets.
    fn part(&self, from: usize, to: usize) -> Result<Self, ParseError> {
        let whole = self.octets.get(from..to).unwrap_or_default();
        let place = self.at.saturating_add(from);
        let wrong =
            |error: ParseError| ParseError { what: "multipart header", ..error }.shifted(place);
        let (rows, body) = rows(whole).map_err(wrong)?;
        // The line end before a delimiter is the delimiter's.
        let octets = whole.get(body..).unwrap_or_default();
        let octets =
            octets.strip_suffix(b"\r\n").filter(|_| to < self.octets.len()).unwrap_or(octets);
        Ok(Self {
            rows,
            head: whole,
            octets,
            at: place.saturating_add(body),
            depth: self.depth + 1,
        })
    }

    fn value(&self, row: &Row) -> &'a [u8] {
        trim(self.head.get(usize::from(row.value)..usize::from(row.end)).unwrap_or_default())
    }

    const fn error(&self, what: &'static str, at: usize) -> ParseError {
        ParseError { what, at: self.at.saturating_add(at) }
    }
}

/// Octets of a boundary (RFC 2046 §5.1.1).
const BOUNDARY: usize = 70;

/// A line that separates parts: where it begins (after the line end before it), where the next part begins.
struct Delimiter {
    before: usize,
    after: usize,
    last: bool,
}

/// `--boundary` at the beginning of a line, with nothing but blanks behind it.
struct Delimiters<'a> {
    text: &'a [u8],
    boundary: &'a [u8],
    at: usize,
}

impl<'a> Delimiters<'a> {
    const fn new(text: &'a [u8], boundary: &'a [u8]) -> Self {
        Self { text, boundary, at: 0 }
    }
}

impl Iterator for Delimiters<'_> {
    type Item = Delimiter;

    fn next(&mut self) -> Option<Delimiter> {
        loop {
            let found = memmem::find(self.text.get(self.at..)?, self.boundary)?;
            let before = self.at + found;
            self.at = before + self.boundary.len();
            let line = before == 0 || self.text.get(..before)?.ends_with(b"\r\n");
            let tail = self.text.get(self.at..)?;
            let last = tail.starts_with(b"--");
            let length = memchr::memchr(b'\n', tail).map_or(tail.len(), |lf| lf + 1);
            let padding = tail.get(if last { 2 } else { 0 }..length)?;
            if line && padding.iter().all(|octet| is_blank(*octet)) {
                self.at += length;
                return Some(Delimiter { before, after: self.at, last });
            }
        }
    }
}

/// A part to be written: the rows that describe it, and its octets.
#[derive(Clone, Copy, Debug)]
pub struct NewPart<'a> {
    /// `application/sdp`
    pub content_type: &'a str,
    /// `session;handling=required`, when it should be said.
    pub disposition: Option<&'a str>,
    /// Its `Content-ID`, when something else in the message names it (RFC 2045 §7).
    pub id: Option<&'a str>,
    /// What it carries.
    pub octets: &'a [u8],
}

/// Writes parts as one body of type `multipart/…;boundary=…`. `None` when the boundary is none (1 to 70 letters and digits), or
/// occurs in a part: choose another.
pub fn join(boundary: &str, parts: &[NewPart<'_>]) -> Option<Vec<u8>> {
    let fits = (1..=BOUNDARY).contains(&boundary.len())
        && boundary.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let taken = |part: &NewPart<'_>| memmem::find(part.octets, boundary.as_bytes()).is_some();
    if !fits || parts.is_empty() || parts.iter().any(taken) {
        return None;
    }
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let mut add = |name: &str, value: &str| {
            row(name, &mut body, |text| text.extend_from_slice(value.as_bytes()));
        };
        add(Name::ContentType.as_str(), part.content_type);
        if let Some(disposition) = part.disposition {
            add(Name::ContentDisposition.as_str(), disposition);
        }
        if let Some(id) = part.id {
            add("Content-ID", id);
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(part.octets);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Some(body)
}

#[cfg(test)]
mod tests;
