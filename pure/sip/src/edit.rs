//! `Edit`: changes to a message, spliced in. What is not changed is copied verbatim, once.

use bytes::Bytes;

use crate::name::Grammar;
use crate::read::{Row, StartLine};
use crate::scan::split_list;
use crate::{Header, Malformed, Message, Name};

/// Changes to a message, in the order of the places where they happen.
#[derive(Clone, Debug)]
pub struct Edit<'m> {
    message: &'m Message,
    splices: Vec<Splice>,
    body: Option<Vec<u8>>,
}

/// Octets `from..to` of the original give way to `with`.
#[derive(Clone, Debug)]
struct Splice {
    from: usize,
    to: usize,
    with: Vec<u8>,
}

impl<'m> Edit<'m> {
    pub(crate) const fn new(message: &'m Message) -> Self {
        Self { message, splices: Vec::new(), body: None }
    }

    /// Replaces the Request-URI.
    pub fn request_uri(&mut self, uri: &[u8]) -> &mut Self {
        if let StartLine::Request { uri: place, .. } = &self.message.head().start {
            self.splice(usize::from(place.start), usize::from(place.end), uri.to_vec());
        }
        self
    }

    /// Adds a row above the first of its name, or at the top of the headers.
    pub fn push<'a>(&mut self, header: &impl Header<'a>) -> &mut Self {
        self.push_raw(header_name(header), &written(header))
    }

    /// Adds a row above the first of its name, or at the top of the headers.
    pub fn push_raw(&mut self, name: Name, value: &[u8]) -> &mut Self {
        let at =
            self.rows(name).next().map_or_else(|| self.first_row(), |row| usize::from(row.line));
        self.splice(at, at, line(name.as_str(), value));
        self
    }

    /// Adds a row below all others.
    pub fn append<'a>(&mut self, header: &impl Header<'a>) -> &mut Self {
        self.append_raw(header_name(header).as_str(), &written(header))
    }

    /// Adds a row below all others, of any name.
    pub fn append_raw(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let at = self.message.head().body.saturating_sub(2);
        self.splice(at, at, line(name, value));
        self
    }

    /// Replaces the topmost element of its name (only that one, when its row has several); adds it when there is none.
    pub fn replace<'a>(&mut self, header: &impl Header<'a>) -> &mut Self {
        self.replace_raw(header_name(header), &written(header))
    }

    /// Replaces the topmost element called `name` by a raw value; adds it when there is none.
    pub fn replace_raw(&mut self, name: Name, value: &[u8]) -> &mut Self {
        let Some(row) = self.rows(name).next().copied() else { return self.push_raw(name, value) };
        let (from, first, _) = self.first_element(&row);
        self.splice(from, from + first, value.to_vec());
        self
    }

    /// Removes the topmost element called `name`: the row when it was alone in it.
    pub fn remove_first(&mut self, name: Name) -> &mut Self {
        let Some(row) = self.rows(name).next().copied() else { return self };
        match self.first_element(&row) {
            (from, _, Some(next)) => self.splice(from, next, Vec::new()),
            (_, _, None) => {
                self.splice(usize::from(row.line), usize::from(row.end) + 2, Vec::new())
            }
        }
        self
    }

    /// Removes every row called `name`.
    pub fn remove_all(&mut self, name: Name) -> &mut Self {
        let rows: Vec<_> = self.rows(name).copied().collect();
        for row in rows {
            self.splice(usize::from(row.line), usize::from(row.end) + 2, Vec::new());
        }
        self
    }

    /// Replaces the body; Content-Length follows. Content-Type is the caller's to change.
    pub fn body(&mut self, body: &[u8]) -> &mut Self {
        self.body = Some(body.to_vec());
        self.remove_all(Name::ContentLength);
        self.append_raw(Name::ContentLength.as_str(), body.len().to_string().as_bytes())
    }

    /// The changed message's octets.
    pub fn wire(&mut self) -> Bytes {
        // Stable: what was added first at a place stands first there.
        self.splices.sort_by_key(|splice| (splice.from, splice.to));
        let old = self.message.wire();
        let added: usize = self.splices.iter().map(|splice| splice.with.len()).sum();
        let mut wire =
            Vec::with_capacity(old.len() + added + self.body.as_ref().map_or(0, Vec::len));
        let mut at = 0;
        for splice in &self.splices {
            wire.extend_from_slice(old.get(at..splice.from).unwrap_or_default());
            wire.extend_from_slice(&splice.with);
            at = at.max(splice.to);
        }
        match &self.body {
            Some(body) => {
                wire.extend_from_slice(old.get(at..self.message.head().body).unwrap_or_default());
                wire.extend_from_slice(body);
            }
            None => wire.extend_from_slice(old.get(at..).unwrap_or_default()),
        }
        wire.into()
    }

    /// The changed message, indexed anew; an error when a raw value broke it.
    pub fn finish(&mut self) -> Result<Message, Malformed> {
        Message::parse(self.wire())
    }

    fn splice(&mut self, from: usize, to: usize, with: Vec<u8>) {
        self.splices.push(Splice { from, to, with });
    }

    fn rows(&self, name: Name) -> impl Iterator<Item = &'m Row> + use<'m> {
        self.message.head().rows.iter().filter(move |row| row.name == name)
    }

    fn first_row(&self) -> usize {
        let head = self.message.head();
        head.rows.first().map_or(head.body.saturating_sub(2), |row| usize::from(row.line))
    }

    /// Where the first element of a row begins, its length, and where the next begins.
    fn first_element(&self, row: &Row) -> (usize, usize, Option<usize>) {
        let value = self.message.value(row);
        let place = |part: &[u8]| {
            (part.as_ptr() as usize).saturating_sub(self.message.wire().as_ptr() as usize)
        };
        if row.name.grammar() == Grammar::Single {
            return (place(value), value.len(), None);
        }
        let mut elements = split_list(value);
        let first = elements.next().unwrap_or(value);
        (place(first), first.len(), elements.next().map(place))
    }
}

fn header_name<'a, H: Header<'a>>(_: &H) -> Name {
    H::NAME
}

fn written<'a>(header: &impl Header<'a>) -> Vec<u8> {
    let mut value = Vec::with_capacity(64);
    header.write(&mut value);
    value
}

/// One row with its CRLF.
pub(crate) fn line(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b": ", value, b"\r\n"].concat()
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
    fn no_change_is_no_change() {
        assert_eq!(message().edit().wire(), message().wire());
    }
}
