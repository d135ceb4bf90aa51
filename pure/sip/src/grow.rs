//! Octets that come into a header where it stands: what is in nobody else's hands need not be copied for it.

use bytes::Bytes;
use memchr::memchr2;

use crate::read::offset;
use crate::{Message, limits};

impl Message {
    /// Has `write` put octets into a header, at an octet of this message behind the first of that header's value: [`end_of`](Self::end_of)
    /// says where a part of it ends. False, and nothing is changed, when there is no header, when line ends were written, or when the head
    /// would be too long.
    pub fn insert_behind(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let in_row = |row: &crate::read::Row| {
            usize::from(row.value) < place && place <= usize::from(row.end)
        };
        let Some(row) = self.head().rows.iter().position(in_row) else { return false };
        // They are copied only when somebody else holds them too, or there is no room behind them.
        let mut octets = Vec::from(std::mem::take(self.wire_mut()));
        let end = octets.len();
        octets.reserve_exact(ROOM);
        write(&mut octets);
        let text = octets.get(end..).unwrap_or_default();
        let fits = self.head().body.saturating_add(text.len()) <= limits::HEAD;
        let fits = fits && memchr2(b'\r', b'\n', text).is_none();
        if fits {
            self.shift(row, place, text);
            let length = text.len();
            octets.get_mut(place..).unwrap_or_default().rotate_right(length);
        } else {
            octets.truncate(end);
        }
        *self.wire_mut() = Bytes::from(octets);
        fits
    }

    /// Where a part of this message ends.
    pub fn end_of(&self, part: &[u8]) -> usize {
        self.offset(part).saturating_add(part.len())
    }

    /// All that stands behind `place` has moved. Heads are shorter than `limits::HEAD`, so every offset fits.
    fn shift(&mut self, changed: usize, place: usize, text: &[u8]) {
        let by = offset(text.len());
        let (head, core) = self.index_mut();
        head.body = head.body.wrapping_add(usize::from(by));
        let behind = head.rows.get_mut(changed..).unwrap_or_default();
        let Some((row, rows)) = behind.split_first_mut() else { return };
        core.grown(changed, place.saturating_sub(row.value.into()), text);
        row.end = row.end.wrapping_add(by);
        for row in rows {
            row.line = row.line.wrapping_add(by);
            row.colon = row.colon.wrapping_add(by);
            row.value = row.value.wrapping_add(by);
            row.end = row.end.wrapping_add(by);
        }
    }
}

/// What comes in is short. Without this twice the room would be taken, and some messages are kept for long.
const ROOM: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{CSeq, Via};
    use crate::{Header as _, Name};

    const TEXT: &str = "OPTIONS sip:b@h SIP/2.0\r\nX: 1\r\nVia: SIP/2.0/UDP a;rport;branch=z9hG4bK1 , SIP/2.0/UDP b\r\n\
                        From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\nbody";

    fn grown(mut message: Message) -> Message {
        let via = message.get::<Via<'_>>().unwrap();
        let rport = via.params.iter().next().unwrap().name.as_bytes();
        let place = message.end_of(rport);
        let text = b"=5060;received=192.0.2.1";
        assert!(message.insert_behind(place, |out| out.extend_from_slice(text)));
        message
    }

    #[test]
    fn what_comes_in_is_read_and_the_rest_is_where_it_was() {
        let parse = || Message::parse(TEXT.to_owned()).unwrap();
        let (mut checked, shared) = (parse(), parse());
        checked.checked().unwrap();
        let holds = [shared.clone(), checked.clone()];
        for message in [parse(), shared, checked] {
            let message = grown(message);
            let again = Message::parse(message.wire().clone()).unwrap();
            assert_eq!(message.head(), again.head());
            let vias: Vec<_> = message.all::<Via<'_>>().map(|via| via.unwrap().text()).collect();
            let first = "SIP/2.0/UDP a;rport=5060;received=192.0.2.1;branch=z9hG4bK1";
            assert_eq!(vias, [first, "SIP/2.0/UDP b"]);
            assert_eq!(message.get::<Via<'_>>(), again.get::<Via<'_>>());
            assert_eq!(message.get::<CSeq<'_>>(), again.get::<CSeq<'_>>());
            assert_eq!(message.body(), b"body");
        }
        assert!(holds.iter().all(|other| other.wire() == TEXT.as_bytes()));
    }

    #[test]
    fn what_is_no_part_of_a_header_does_not_grow() {
        let mut message = Message::parse(TEXT).unwrap();
        let end = message.wire().len();
        let row = message.offset(message.rows(Name::Via).next().unwrap());
        for (place, text) in [(3, &b"x"[..]), (row, b"x"), (end, b"x"), (row + 3, b"\r\nEvil: 1")] {
            assert!(!message.insert_behind(place, |out| out.extend_from_slice(text)), "{place}");
        }
        assert!(!message.insert_behind(row + 3, |out| out.resize(out.len() + limits::HEAD, b'x')));
        assert_eq!(message.wire(), TEXT.as_bytes());
    }
}
