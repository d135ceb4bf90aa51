//! `Draft`: a message written from scratch (RFC 3261 §7, §8.2.6).

use std::time::Duration;

use bytes::Bytes;

use crate::header::{Header, Timestamp, To};
use crate::row;
use crate::{Message, Method, Name, Status};

/// A message being written: start line, rows in the order given, body.
#[derive(Clone, Debug)]
pub struct Draft {
    wire: Vec<u8>,
    body: Vec<u8>,
}

/// Rows that are written once, to stand in many messages.
#[derive(Clone, Debug, Default)]
pub struct Rows(Vec<u8>);

impl Rows {
    /// Adds a row with a raw value.
    #[must_use]
    pub fn raw(mut self, name: Name, value: &[u8]) -> Self {
        if name != Name::ContentLength {
            row::known(name, &mut self.0, |text| text.extend_from_slice(value));
        }
        self
    }
}

impl Draft {
    /// Begins a request.
    pub fn request(method: Method<'_>, uri: &[u8]) -> Self {
        let mut wire = Vec::with_capacity(512);
        row::token(method.as_str(), &mut wire);
        wire.push(b' ');
        row::uri(uri, &mut wire);
        wire.extend_from_slice(b" SIP/2.0\r\n");
        Self { wire, body: Vec::new() }
    }

    /// Begins a response with the usual phrase.
    pub fn response(status: Status) -> Self {
        Self::response_saying(status, status.phrase())
    }

    /// Begins a response with a phrase of our own.
    pub fn response_saying(status: Status, phrase: &str) -> Self {
        let mut wire = Vec::with_capacity(512);
        wire.extend_from_slice(b"SIP/2.0 ");
        row::decimal(status.code().into(), &mut wire);
        wire.push(b' ');
        row::one_line(&mut wire, |text| text.extend_from_slice(phrase.as_bytes()));
        wire.extend_from_slice(b"\r\n");
        Self { wire, body: Vec::new() }
    }

    /// The response to a request: its Vias, From, To, Call-ID and CSeq, as they came (RFC 3261 §8.2.6.2); for a 100
    /// its Timestamp too (§8.2.6.1). The To tag is the caller's: [`Draft::reply_tagged`].
    pub fn reply(request: &Message, status: Status) -> Self {
        Self::response(status).copied_from(request, None)
    }

    /// The 100 to a request that came so long ago: what its Timestamp measures is not our dawdling (RFC 3261 §8.2.6.1).
    pub fn late_trying(request: &Message, delay: Duration) -> Self {
        let Some(Timestamp { sent, delay: None }) = request.get() else {
            return Self::reply(request, Status::TRYING);
        };
        let delay = format!("{}.{:03}", delay.as_secs(), delay.subsec_millis());
        let timestamp = Timestamp { sent, delay: Some(&delay) };
        Self::response(Status::TRYING).same_call(request, None).header(&timestamp)
    }

    /// The response to a request with a phrase and, where the request's To has none, a To tag of ours.
    pub fn reply_tagged(
        request: &Message,
        status: Status,
        phrase: &str,
        tag: impl AsRef<[u8]>,
    ) -> Self {
        Self::response_saying(status, phrase).copied_from(request, Some(tag.as_ref()))
    }

    fn copied_from(self, request: &Message, tag: Option<&[u8]>) -> Self {
        let is_trying = self.wire.starts_with(b"SIP/2.0 100");
        let draft = self.same_call(request, tag);
        if is_trying { draft.copy(request, Name::Timestamp) } else { draft }
    }

    /// With what says whose answer it is.
    fn same_call(mut self, request: &Message, tag: Option<&[u8]>) -> Self {
        let is_tagged = || request.to_tag().is_some() || request.get::<To<'_>>().is_none();
        let tag = tag.filter(|_| !is_tagged());
        for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
            match tag {
                Some(tag) if name == Name::To => self = self.with_tag(request, tag),
                _ => request.copy_rows(name, &mut self.wire),
            }
        }
        self
    }

    /// The request's To, with a tag. One that is there and empty is filled: two would be read in two ways.
    fn with_tag(mut self, request: &Message, tag: &[u8]) -> Self {
        let to = request.rows(Name::To).next().unwrap_or_default();
        let parts = match empty_tag(request, to) {
            Some((before, after)) => [before, b"=", tag, after],
            None => [to, b";tag=", tag, b""],
        };
        self.row(Name::To, |text| {
            for part in parts {
                text.extend_from_slice(part);
            }
        });
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn header<'a, H: Header<'a>>(mut self, header: &H) -> Self {
        self.row(H::NAME, |text| header.write(text));
        self
    }

    /// Adds a row with a raw value.
    #[must_use]
    pub fn raw(mut self, name: Name, value: &[u8]) -> Self {
        self.row(name, |text| text.extend_from_slice(value));
        self
    }

    /// Adds a row, its value written by `write`.
    #[must_use]
    pub fn written(mut self, name: Name, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.row(name, write);
        self
    }

    fn row(&mut self, name: Name, value: impl FnOnce(&mut Vec<u8>)) {
        if name != Name::ContentLength {
            row::known(name, &mut self.wire, value);
        }
    }

    /// Adds a row of any name with a raw value. Content-Length is not among them: [`Draft::wire`] counts.
    #[must_use]
    pub fn named(mut self, name: &str, value: &[u8]) -> Self {
        if Name::of(name.as_bytes()) != Name::ContentLength {
            row::row(name, &mut self.wire, |text| text.extend_from_slice(value));
        }
        self
    }

    /// Adds rows that are written already.
    #[must_use]
    pub fn rows(mut self, rows: &Rows) -> Self {
        self.wire.extend_from_slice(&rows.0);
        self
    }

    /// Adds every row called `name` of another message, as written there.
    #[must_use]
    pub fn copy(mut self, other: &Message, name: Name) -> Self {
        if name != Name::ContentLength {
            other.copy_rows(name, &mut self.wire);
        }
        self
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self = self.raw(Name::ContentType, content_type.as_bytes());
        self.body = body.to_vec();
        self
    }

    /// The octets, with Content-Length.
    pub fn wire(mut self) -> Bytes {
        let length = self.body.len() as u64;
        row::known(Name::ContentLength, &mut self.wire, |text| row::decimal(length, text));
        self.wire.extend_from_slice(b"\r\n");
        self.wire.extend_from_slice(&self.body);
        self.wire.into()
    }
}

/// What stands before and behind the `=` of a To tag that is named and empty.
fn empty_tag<'a>(request: &'a Message, row: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let to = request.get::<To<'_>>().filter(|to| to.params.has("tag"))?;
    let tag = to.params.iter().find(|param| param.name.eq_ignore_ascii_case("tag"))?;
    let end =
        (request.offset(tag.name.as_bytes()) + tag.name.len()).checked_sub(request.offset(row))?;
    let (before, after) = row.split_at_checked(end)?;
    let after = after.trim_ascii_start();
    Some((before, after.strip_prefix(b"=").unwrap_or(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_copies_what_section_8_2_6_2_names_and_tags_the_to_once() {
        let request = Message::parse(
            "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
             Call-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
        )
        .unwrap();
        let reply = Draft::reply_tagged(&request, Status::NOT_FOUND, "Nobody Here", "t").wire();
        let expected = "SIP/2.0 404 Nobody Here\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                        To: <sip:b@h>;tag=t\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(reply, expected);
    }

    #[test]
    fn an_empty_tag_is_filled() {
        for (to, expected) in [
            ("<sip:b@h>;tag=", "<sip:b@h>;tag=t"),
            ("<sip:b@h>;tag", "<sip:b@h>;tag=t"),
            ("<sip:b@h>;a=b;TAG = ;c", "<sip:b@h>;a=b;TAG=t ;c"),
            ("<sip:b@h>;tag=x", "<sip:b@h>;tag=x"),
        ] {
            let request = format!("OPTIONS sip:h SIP/2.0\r\nTo: {to}\r\n\r\n");
            let request = Message::parse(request).unwrap();
            let reply = Draft::reply_tagged(&request, Status::OK, "OK", "t").wire();
            let reply = Message::parse(reply).unwrap();
            assert_eq!(reply.rows(Name::To).next(), Some(expected.as_bytes()));
        }
    }
}
