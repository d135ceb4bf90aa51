//! `Edit`: changes to a message, spliced in. What is not changed is copied verbatim, once.

use std::ops::Range;

use bytes::Bytes;

use crate::read::{Head, Row, StartLine};
use crate::row;
use crate::scan::elements;
use crate::splice::Splices;
use crate::{Header, Malformed, Message, Name, limits};

/// Changes to a message. Each names a place in the message as it came, not as earlier changes left it; where two change
/// the same octets, the later one counts.
#[derive(Clone, Debug)]
pub struct Edit<'m> {
    message: &'m Message,
    splices: Splices,
    body: Option<Vec<u8>>,
    measured: bool,
}

impl<'m> Edit<'m> {
    pub(crate) fn new(message: &'m Message) -> Self {
        Self { message, splices: Splices::new(), body: None, measured: false }
    }

    /// Replaces the Request-URI.
    pub fn request_uri(&mut self, uri: &[u8]) -> &mut Self {
        if let StartLine::Request { uri: place, .. } = &self.message.head().start {
            let place = usize::from(place.start)..usize::from(place.end);
            self.splices.replace(place, |text| row::uri(uri, text));
        }
        self
    }

    /// Adds a row above the first of its name, or at the top of the headers.
    pub fn push<'a, H: Header<'a>>(&mut self, header: &H) -> &mut Self {
        self.row(self.above(H::NAME), H::NAME, |text| header.write(text))
    }

    /// Adds a row above the first of its name, or at the top of the headers.
    pub fn push_raw(&mut self, name: Name, value: &[u8]) -> &mut Self {
        self.row(self.above(name), name, |text| text.extend_from_slice(value))
    }

    /// Adds a row above the first of its name, its value written by `write`.
    pub fn push_written(&mut self, name: Name, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        self.row(self.above(name), name, write)
    }

    /// Adds a row below all others.
    pub fn append<'a, H: Header<'a>>(&mut self, header: &H) -> &mut Self {
        self.row(self.end(), H::NAME, |text| header.write(text))
    }

    /// Adds a row below all others, of any name.
    pub fn append_raw(&mut self, name: &str, value: &[u8]) -> &mut Self {
        if Name::of(name.as_bytes()) != Name::ContentLength {
            let end = self.end();
            self.splices.insert_named(end, name, |text| text.extend_from_slice(value));
        }
        self
    }

    /// Replaces the topmost element of its name (only that one, when its row has several); adds it when there is none.
    pub fn replace<'a, H: Header<'a>>(&mut self, header: &H) -> &mut Self {
        self.element(H::NAME, |text| header.write(text))
    }

    /// Replaces the topmost element called `name` by a raw value; adds it when there is none.
    pub fn replace_raw(&mut self, name: Name, value: &[u8]) -> &mut Self {
        self.element(name, |text| text.extend_from_slice(value))
    }

    /// Replaces the topmost element called `name` by what `write` writes; adds it when there is none.
    pub fn replace_written(&mut self, name: Name, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        self.element(name, write)
    }

    /// Removes the topmost element called `name`: the row when it was alone in it.
    pub fn remove_first(&mut self, name: Name) -> &mut Self {
        match self.topmost(name) {
            Some((_, place, Some(next))) => self.splices.remove(place.start..next),
            Some((row, _, None)) => self.splices.remove(whole(row)),
            None => {}
        }
        self
    }

    /// Removes every row called `name`.
    pub fn remove_all(&mut self, name: Name) -> &mut Self {
        for row in self.rows(name) {
            self.splices.remove(whole(row));
        }
        self
    }

    /// Replaces the body; Content-Length follows. Content-Type is the caller's to change.
    pub fn body(&mut self, body: &[u8]) -> &mut Self {
        self.body = Some(body.to_vec());
        self.measured()
    }

    /// Writes Content-Length anew, or where there was none: on a stream it must be there (RFC 3261 §20.14). There is no
    /// other way to write one, so no message claims a length that it has not.
    pub fn measured(&mut self) -> &mut Self {
        self.measured = true;
        self.remove_all(Name::ContentLength)
    }

    /// The changed message's octets.
    pub fn wire(&mut self) -> Bytes {
        let (old, end) = (self.message.wire(), self.end());
        let body = self.body.as_deref().unwrap_or_else(|| self.message.body());
        if self.measured {
            self.splices.measure(end, body.len());
        }
        self.splices.sort();
        let old = old.get(..end).unwrap_or_default();
        self.splices.wire(old, body).into()
    }

    /// The changed message's octets, when they are a message still: for who sends them, and needs no index.
    ///
    /// # Errors
    /// When a raw value broke it.
    pub fn octets(&mut self) -> Result<Bytes, Malformed> {
        let wire = self.wire();
        let (old, body) = (self.message.head(), self.body.as_deref());
        let body = body.map_or_else(|| self.message.body().len(), <[u8]>::len);
        let uri = match &old.start {
            StartLine::Request { uri, .. } => wire.get(usize::from(uri.start)..),
            StartLine::Response { .. } => None,
        };
        let is_one = !uri.is_some_and(|uri| matches!(uri, [b' ' | b'<', ..]))
            && wire.len().saturating_sub(body) <= limits::HEAD
            && old.rows.len().saturating_add(self.splices.rows()) <= limits::ROWS;
        if is_one { Ok(wire) } else { Message::parse(wire).map(|message| message.wire().clone()) }
    }

    /// The changed message, its index made from the old one; an error when a raw value broke it.
    pub fn finish(&mut self) -> Result<Message, Malformed> {
        let wire = self.wire();
        let old = (self.message.head(), self.message.core());
        let (head, core) = self.splices.head(old, self.end(), &wire);
        if !may_be_known(&head, &wire) {
            return Message::parse(wire);
        }
        debug_assert_eq!(Head::read(&wire).as_ref(), Ok(&head), "what was known is what is read");
        Ok(Message::known(wire, (head, core)))
    }

    /// A whole row at a place.
    fn row(&mut self, at: usize, name: Name, value: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        if name != Name::ContentLength {
            self.splices.insert(at, name, value);
        }
        self
    }

    /// The topmost element of a name.
    fn element(&mut self, name: Name, value: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let Some((_, place, _)) = self.topmost(name) else {
            return self.row(self.above(name), name, value);
        };
        if name != Name::ContentLength {
            self.splices.replace(place, |text| row::one_line(text, value));
        }
        self
    }

    /// Above the first row of this name.
    fn above(&self, name: Name) -> usize {
        self.rows(name).next().map_or_else(|| self.first_row(), |row| usize::from(row.line))
    }

    /// Where the empty line after the headers stands.
    const fn end(&self) -> usize {
        self.message.head().body.saturating_sub(2)
    }

    fn rows(&self, name: Name) -> impl Iterator<Item = &'m Row> + use<'m> {
        self.message.head().candidates(name).iter().filter(move |row| row.name == name)
    }

    fn first_row(&self) -> usize {
        let head = self.message.head();
        head.rows.first().map_or(head.body.saturating_sub(2), |row| usize::from(row.line))
    }

    /// The topmost element called `name`: its row, its place, and where its neighbour in the row begins. A row of a list may
    /// be empty, and is then passed over.
    fn topmost(&self, name: Name) -> Option<(&'m Row, Range<usize>, Option<usize>)> {
        let message = self.message;
        self.rows(name).find_map(|row| {
            let value = message.value(row);
            let place = |part: &[u8]| message.offset(part)..message.offset(part) + part.len();
            let mut elements = elements(value, name.grammar());
            let first = elements.next()?;
            Some((row, place(first), elements.next().map(|next| message.offset(next))))
        })
    }
}

/// A row with its line end.
fn whole(row: &Row) -> Range<usize> {
    usize::from(row.line)..usize::from(row.end) + 2
}

/// True when nothing has changed that only a reader could judge: the size of the head, or a Request-URI that is none.
fn may_be_known(head: &Head, wire: &[u8]) -> bool {
    let uri = match &head.start {
        StartLine::Request { uri, .. } => wire.get(uri.start.into()..uri.end.into()),
        StartLine::Response { .. } => Some(&b"-"[..]),
    };
    head.body <= limits::HEAD
        && head.rows.len() <= limits::ROWS
        && uri.is_some_and(|uri| !matches!(uri, [] | [b'<', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::parse(
            "INVITE sip:b@h SIP/2.0\r\nX: 1\r\nVia: SIP/2.0/UDP a , SIP/2.0/UDP b\r\nRoute: <sip:r1>\r\n\
             Route: <sip:r2>\r\nContent-Length: 3\r\n\r\nabc",
        )
        .unwrap()
    }

    fn head(edit: &mut Edit<'_>) -> String {
        String::from_utf8(edit.wire().to_vec()).unwrap()
    }

    #[test]
    fn the_first_element_goes_and_its_neighbour_stays() {
        let message = message();
        assert!(head(message.edit().remove_first(Name::Via)).contains("Via: SIP/2.0/UDP b\r\n"));
        let route = head(message.edit().remove_first(Name::Route));
        assert!(!route.contains("r1") && route.contains("Route: <sip:r2>\r\n"));
    }

    /// Found by fuzzing: a proxy that takes off its Via must not take an empty row instead.
    #[test]
    fn an_empty_row_of_a_list_is_no_element() {
        let text =
            "SIP/2.0 200 OK\r\nVia: \r\nv: ,\r\nVia: ,SIP/2.0/UDP a,\r\nVia: SIP/2.0/UDP b\r\n\r\n";
        let message = Message::parse(text).unwrap();
        let vias = |edit: &mut Edit<'_>| {
            let message = edit.finish().unwrap();
            message.elements(Name::Via).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(vias(message.edit().remove_first(Name::Via)), [b"SIP/2.0/UDP b"]);
        let replaced = vias(message.edit().replace_raw(Name::Via, b"SIP/2.0/UDP c"));
        assert_eq!(replaced, [b"SIP/2.0/UDP c", b"SIP/2.0/UDP b"]);
    }

    /// The index of what is written is that which its reader would make.
    #[test]
    fn a_fold_before_the_colon_is_none_of_the_value() {
        for row in ["Route\r\n : <sip:r1>", "Route:\r\n <sip:r1>", "Route : <sip:r1>,\r\n <sip:r3>"]
        {
            let text = format!("INVITE sip:b@h SIP/2.0\r\n{row}, <sip:r2>\r\n\r\n");
            let message = Message::parse(text).unwrap();
            let changed = message.edit().remove_first(Name::Route).finish().unwrap();
            let read = Message::parse(changed.wire().clone()).unwrap();
            assert_eq!(changed.head(), read.head(), "{row}");
        }
    }

    #[test]
    fn what_is_pushed_stands_above_its_kind() {
        let message = message();
        let text = head(message.edit().push_raw(Name::Via, b"SIP/2.0/TCP c").request_uri(b"sip:z"));
        assert!(text.starts_with(
            "INVITE sip:z SIP/2.0\r\nX: 1\r\nVia: SIP/2.0/TCP c\r\nVia: SIP/2.0/UDP a"
        ));
    }

    #[test]
    fn a_new_body_has_its_length() {
        let message = message();
        let changed = message.edit().body(b"hello").finish().unwrap();
        assert_eq!(changed.body(), b"hello");
        assert_eq!(changed.rows(Name::ContentLength).collect::<Vec<_>>(), [b"5"]);
    }

    #[test]
    fn the_later_change_of_the_same_octets_counts() {
        let message = message();
        let mut edit = message.edit();
        edit.replace_raw(Name::Route, b"<sip:x>").replace_raw(Name::Route, b"<sip:y>");
        let text = head(&mut edit);
        assert!(
            text.contains("Route: <sip:y>\r\nRoute: <sip:r2>\r\n") && !text.contains("<sip:x>")
        );
        let gone = head(edit.remove_first(Name::Route));
        assert!(gone.contains("b\r\nRoute: <sip:r2>\r\n") && !gone.contains("<sip:y>"), "{gone}");
    }

    #[test]
    fn a_message_for_a_stream_gets_its_length_once() {
        let message = Message::parse("INFO sip:b@h SIP/2.0\r\nX: 1\r\n\r\nabc").unwrap();
        assert!(
            head(message.edit().measured().measured())
                .ends_with("X: 1\r\nContent-Length: 3\r\n\r\nabc")
        );
        let text = head(message.edit().body(b"a").body(b"hello").append_raw("Y", b"2"));
        assert!(text.ends_with("X: 1\r\nY: 2\r\nContent-Length: 5\r\n\r\nhello"), "{text}");
    }

    #[test]
    fn octets_are_those_of_a_message_or_none() {
        let message = message();
        let wire = message.edit().push_raw(Name::Via, b"c").octets().unwrap();
        assert_eq!(wire, message.edit().push_raw(Name::Via, b"c").wire());
        for bad in [&b""[..], b"<sip:z>"] {
            assert!(message.edit().request_uri(bad).finish().is_err());
            assert!(message.edit().request_uri(bad).octets().is_err());
        }
        let mut many = message.edit();
        (0..limits::ROWS).for_each(|_| _ = many.append_raw("X", b"1"));
        assert!(many.octets().is_err());
    }

    #[test]
    fn no_change_is_no_change() {
        assert_eq!(message().edit().wire(), message().wire());
    }
}
