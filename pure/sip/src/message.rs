//! `Message`: one buffer and an index of where its headers are. Nothing is copied.

use std::ops::Range;

use bytes::Bytes;

use crate::check::read_core;
use crate::core::Core;
use crate::header::{CSeq, From, Header, Marks, To, Via};
use crate::read::{Head, Row, StartLine};
use crate::row;
use crate::scan::{ascii, elements, is_blank, trim};
use crate::{Body, Draft, Edit, Malformed, Method, Name, ParseError, Status};

/// A SIP message: the octets as they came, and where to find things in them (RFC 3261 §7).
#[derive(Clone, Debug)]
pub struct Message {
    wire: Bytes,
    head: Head,
    core: Core,
}

/// The start line (RFC 3261 §7.1, §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// `INVITE sip:bob@biloxi.example SIP/2.0`
    Request(Method<'a>, &'a [u8]),
    /// `SIP/2.0 180 Ringing`
    Response(Status, &'a [u8]),
}

impl Message {
    /// Reads a datagram, which is one message. Without a Content-Length the body runs to the end; octets after a
    /// body that is complete are discarded; a body that is too short is an error (RFC 3261 §18.3).
    pub fn parse(wire: impl Into<Bytes>) -> Result<Self, Malformed> {
        let mut wire = wire.into();
        // RFC 3261 §7.5: CRLFs before the start line are ignored.
        while wire.starts_with(b"\r\n") {
            wire = wire.slice(2..);
        }
        let read = Head::read(&wire).and_then(|head| Ok((head.content_length(&wire)?, head)));
        match read {
            Err(error) => Err(Malformed { wire, error }),
            Ok((length, head)) => {
                let rest = wire.len() - head.body;
                let length = length.unwrap_or(rest);
                if length > rest {
                    let error =
                        ParseError { what: "Content-Length (body is shorter)", at: wire.len() };
                    return Err(Malformed { wire, error });
                }
                if length < rest {
                    wire.truncate(head.body + length);
                }
                Ok(Self { wire, head, core: Core::default() })
            }
        }
    }

    /// The whole message, as received (without what followed the body).
    pub const fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// Gives back the room that its index did not need: for a message that is kept for long.
    pub fn shrink(&mut self) {
        self.head.rows.shrink_to_fit();
    }

    /// The start line.
    #[inline]
    pub fn start(&self) -> Start<'_> {
        match &self.head.start {
            StartLine::Request { known, method, uri } => {
                let method = known.and_then(Method::at).unwrap_or_else(|| {
                    Method::Other(ascii(self.slice16(method)).unwrap_or_default())
                });
                Start::Request(method, self.slice16(uri))
            }
            StartLine::Response { status, reason } => {
                Start::Response(*status, self.slice16(reason))
            }
        }
    }

    /// A request's method.
    #[inline]
    pub fn method(&self) -> Option<Method<'_>> {
        match self.start() {
            Start::Request(method, _) => Some(method),
            Start::Response(..) => None,
        }
    }

    /// A request's Request-URI, as written.
    pub fn request_uri(&self) -> Option<&[u8]> {
        match self.start() {
            Start::Request(_, uri) => Some(uri),
            Start::Response(..) => None,
        }
    }

    /// A response's status.
    pub const fn status(&self) -> Option<Status> {
        match &self.head.start {
            StartLine::Response { status, .. } => Some(*status),
            StartLine::Request { .. } => None,
        }
    }

    /// True for a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.head.start, StartLine::Request { .. })
    }

    /// What it is, in a few words for people: `INVITE`, `180 Ringing (INVITE)`.
    pub fn title(&self) -> String {
        match self.start() {
            Start::Request(method, _) => method.to_string(),
            Start::Response(status, phrase) => {
                let phrase = String::from_utf8_lossy(phrase);
                let about = self.get::<CSeq>().map_or("", |cseq| cseq.method.as_str());
                format!("{} {phrase} ({about})", status.code())
            }
        }
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.wire.get(self.head.body..).unwrap_or_default()
    }

    /// The body with what describes it, to look into its parts; `None` when it is empty.
    pub fn content(&self) -> Option<Body<'_>> {
        (!self.body().is_empty()).then(|| Body::of(self))
    }

    /// True when a row of this name is there.
    #[inline]
    pub fn has(&self, name: Name) -> bool {
        self.head.has(name)
    }

    /// The raw values of the rows called `name`, top first, without splitting at commas.
    pub fn rows(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        let rows = self.head.candidates(name).iter();
        rows.filter(move |row| row.name == name).map(|row| self.value(row))
    }

    /// Every row: the name as written, and the raw value.
    pub fn all_rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.head
            .rows
            .iter()
            .map(|row| (self.slice(usize::from(row.line)..usize::from(row.colon)), self.value(row)))
    }

    /// The raw values of rows whose name is not in our table.
    pub fn rows_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all_rows()
            .filter(|(wire, _)| wire.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The raw elements called `name`, top first: rows split at commas where the grammar has a list.
    pub fn elements(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.rows(name).flat_map(move |row| elements(row, name.grammar()))
    }

    /// The topmost header of type `H`, read now unless it is known already; `None` when there is none.
    pub fn first<'a, H: Header<'a>>(&'a self) -> Option<Result<H, ParseError>> {
        if let Some(known) = H::known(self) {
            return Some(Ok(known));
        }
        let value = self.rows(H::NAME).find_map(|row| elements(row, H::NAME.grammar()).next());
        value.map(|value| self.read(value))
    }

    /// The topmost header of type `H`; an error when it is missing or wrong.
    pub fn expect<'a, H: Header<'a>>(&'a self) -> Result<H, ParseError> {
        self.first().unwrap_or(Err(ParseError { what: H::NAME.as_str(), at: self.head.body }))
    }

    /// The topmost header of type `H`, when it is there and can be read.
    pub fn get<'a, H: Header<'a>>(&'a self) -> Option<H> {
        self.first()?.ok()
    }

    /// All headers of type `H`, top first.
    pub fn all<'a, H: Header<'a>>(&'a self) -> impl Iterator<Item = Result<H, ParseError>> {
        self.elements(H::NAME).map(|value| self.read(value))
    }

    /// The Call-ID, as written; empty when there is none.
    pub fn call_id(&self) -> &[u8] {
        self.rows(Name::CallId).next().unwrap_or_default()
    }

    /// The branch of the top Via, when it has one.
    pub fn branch(&self) -> Option<&[u8]> {
        self.core.branch(self).or_else(|| self.get::<Via<'_>>()?.branch())
    }

    /// What the top Via says to whoever passes the message on, or answers it.
    pub fn via_marks(&self) -> Marks<'_> {
        let read = || {
            let marks = self.get::<Via<'_>>()?.marks();
            Some(Marks { branch: None, second: None, ..marks })
        };
        self.core.marks(self).or_else(read).unwrap_or_default()
    }

    /// The tag of From, when it has one (RFC 3261 §19.3).
    pub fn from_tag(&self) -> Option<&[u8]> {
        self.core.tag_of_from(self).unwrap_or_else(|| self.get::<From<'_>>()?.tag())
    }

    /// The tag of To, when it has one.
    pub fn to_tag(&self) -> Option<&[u8]> {
        self.core.tag_of_to(self).unwrap_or_else(|| self.get::<To<'_>>()?.tag())
    }

    /// Begins a change. What is not changed stays as it is.
    pub fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }

    /// Begins the response to this request: Via, From, To, Call-ID and CSeq are copied (RFC 3261 §8.2.6.2).
    pub fn reply(&self, status: Status) -> Draft {
        Draft::reply(self, status)
    }

    /// [Checks](crate::check) the message, and keeps what was read of it for all who ask later.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn checked(&mut self) -> Result<(), ParseError> {
        self.core = read_core(self)?;
        Ok(())
    }

    /// A message that was not read, but is known.
    pub(crate) fn known(wire: Bytes, (head, core): (Head, Core)) -> Self {
        Self { wire, head, core }
    }

    pub(crate) const fn index_mut(&mut self) -> (&mut Head, &mut Core) {
        (&mut self.head, &mut self.core)
    }

    pub(crate) const fn wire_mut(&mut self) -> &mut Bytes {
        &mut self.wire
    }

    pub(crate) const fn core(&self) -> &Core {
        &self.core
    }

    /// The octets of a row, from where its value begins.
    pub(crate) fn octets_of(&self, row: u16) -> Option<&[u8]> {
        let row = self.head.rows.get(usize::from(row))?;
        self.wire.get(usize::from(row.value)..usize::from(row.end))
    }

    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn value(&self, row: &Row) -> &[u8] {
        trim(self.slice(usize::from(row.value)..usize::from(row.end)))
    }

    /// Writes every row called `name`, its value as it is here.
    pub(crate) fn copy_rows(&self, name: Name, out: &mut Vec<u8>) {
        for row in self.head.rows.iter().filter(|row| row.name == name) {
            let line = self.slice(usize::from(row.value)..usize::from(row.end).saturating_add(2));
            match line {
                [.., last, b'\r', b'\n'] if !row.folded && !is_blank(*last) => {
                    row::copied(name, out, line);
                }
                _ => row::known(name, out, |text| text.extend_from_slice(self.value(row))),
            }
        }
    }

    fn read<'a, H: Header<'a>>(&'a self, value: &'a [u8]) -> Result<H, ParseError> {
        H::parse(value).map_err(|error| error.shifted(self.offset(value)))
    }

    /// Where a part of this message stands in it.
    pub(crate) fn offset(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.wire.as_ptr() as usize)
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.wire.get(range).unwrap_or_default()
    }

    fn slice16(&self, range: &Range<u16>) -> &[u8] {
        self.slice(usize::from(range.start)..usize::from(range.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/UDP b\r\n\
                           Subject : caf\u{e9}\r\nCSeq: 1 OPTIONS\r\n";

    #[test]
    fn rows_fold_and_lists_split() {
        let message = Message::parse(format!("{OPTIONS}\r\n")).unwrap();
        let hosts: Vec<_> = message.all::<Via>().map(|via| via.unwrap().host.to_string()).collect();
        assert_eq!(hosts, ["a", "b"]);
        assert_eq!(message.rows(Name::Subject).next(), Some("caf\u{e9}".as_bytes()));
        assert_eq!(message.get::<CSeq>().unwrap().method, Method::Options);
    }

    /// Proves: rfc3261-18.3-1.
    #[test]
    fn trap_17_a_datagram_without_content_length_has_its_body_to_the_end() {
        let body =
            |rest: &str| Message::parse(format!("{OPTIONS}{rest}")).map(|m| m.body().to_vec());
        assert_eq!(body("\r\nabc").unwrap(), b"abc");
        assert_eq!(body("l: 2\r\n\r\nabc").unwrap(), b"ab");
        assert!(body("l: 4\r\n\r\nabc").is_err());
        assert!(body("l: 1\r\nContent-Length: 2\r\n\r\nabc").is_err());
        assert!(body("l: +1\r\n\r\nabc").is_err());
        assert!(body("l: 18446744073709551617\r\n\r\nabc").is_err());
    }

    #[test]
    fn trap_21_octets_that_are_no_utf8_lose_nothing() {
        let wire = b"OPTIONS sip:b@h SIP/2.0\r\nSubject: \xe9\xff\r\nRequire: x\r\n\r\n";
        let message = Message::parse(&wire[..]).unwrap();
        assert!(message.has(Name::Require));
        assert_eq!(message.rows(Name::Subject).next(), Some(&b"\xe9\xff"[..]));
    }

    #[test]
    fn trap_19_methods_headers_and_schemes_that_nobody_knows_are_kept() {
        let wire = "FROBNICATE x-y:z SIP/2.0\r\nX-Odd.~%: 1\r\nCSeq: 1 FROBNICATE\r\n\r\n";
        let message = Message::parse(wire).unwrap();
        assert_eq!(message.method(), Some(Method::Other("FROBNICATE")));
        assert_eq!(message.request_uri(), Some(&b"x-y:z"[..]));
        assert_eq!(message.rows_named("x-odd.~%").next(), Some(&b"1"[..]));
        assert_eq!(message.get::<CSeq>().unwrap().method, Method::Other("FROBNICATE"));
        assert_eq!(
            message.edit().push_raw(Name::Subject, b"s").finish().unwrap().method(),
            message.method()
        );
    }

    #[test]
    fn an_error_names_the_octet() {
        let error =
            Message::parse("OPTIONS sip:b@h SIP/2.0\r\nBad\x01: x\r\n\r\n").unwrap_err().error;
        assert_eq!(error, ParseError { what: "header name", at: 28 });
        let message = Message::parse("OPTIONS sip:b@h SIP/2.0\r\nCSeq: x\r\n\r\n").unwrap();
        assert_eq!(message.expect::<CSeq>().unwrap_err().at, 31);
    }
}
