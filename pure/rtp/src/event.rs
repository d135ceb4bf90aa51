//! `Event`: the telephone-event payload, keys pressed during a call (RFC 4733 §2.3).

use crate::{Malformed, limits};

/// One report of an event: four octets on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// 0 to 15 are the DTMF keys `0`–`9`, `*`, `#`, `A`–`D`; 16 is the hook flash.
    pub event: u8,
    /// The E bit: the event is over.
    pub end: bool,
    /// Level in dBm0 without its sign: 0 (loud) to 63.
    pub volume: u8,
    /// How long it has lasted, in timestamp units.
    pub duration: u16,
}

const KEYS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

impl Event {
    /// Reads one event.
    pub const fn read([event, flags, high, low]: [u8; 4]) -> Self {
        // RFC 4733 §2.3.3: the R bit is ignored.
        Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([high, low]),
        }
    }

    /// Reads a payload, which may hold several consecutive events (RFC 4733 §2.5.1.5).
    pub fn parse(payload: &[u8]) -> Result<impl Iterator<Item = Self> + '_, Malformed> {
        match payload.as_chunks() {
            ([], _) | (_, [_, ..]) => Err(Malformed::Event),
            (events, []) if events.len() > limits::EVENTS => Err(Malformed::TooMany),
            (events, []) => Ok(events.iter().map(|octets| Self::read(*octets))),
        }
    }

    /// The four octets.
    pub const fn octets(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        [self.event, end | self.volume & 0x3F, high, low]
    }

    /// The key, if it is one of the sixteen DTMF keys.
    pub fn key(self) -> Option<char> {
        KEYS.get(usize::from(self.event)).copied()
    }
}

/// The event code of a DTMF key; letters in either case.
pub fn code(key: char) -> Option<u8> {
    let key = key.to_ascii_uppercase();
    (0..).zip(KEYS).find_map(|(code, known)| (known == key).then_some(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_have_the_codes_of_the_rfc() {
        assert_eq!(
            ['0', '9', '*', '#', 'A', 'd', 'x'].map(code),
            [Some(0), Some(9), Some(10), Some(11), Some(12), Some(15), None]
        );
        assert_eq!(
            Event::read([11, 0x8A, 3, 0x20]),
            Event { event: 11, end: true, volume: 10, duration: 800 }
        );
        assert_eq!(Event::read([11, 0, 0, 0]).key(), Some('#'));
        assert_eq!(Event::read([16, 0, 0, 0]).key(), None);
    }

    #[test]
    fn a_payload_is_whole_events() {
        assert_eq!(Event::parse(&[1, 2, 3]).err(), Some(Malformed::Event));
        assert_eq!(Event::parse(&[]).err(), Some(Malformed::Event));
        assert_eq!(Event::parse(&[0; 5]).err(), Some(Malformed::Event));
        assert_eq!(Event::parse(&[0; 8]).unwrap().count(), 2);
        assert_eq!(Event::parse(&[0; 68]).err(), Some(Malformed::TooMany));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(event in any::<u8>(), end in any::<bool>(), volume in 0u8..64, duration in any::<u16>()) {
            let event = Event { event, end, volume, duration };
            prop_assert_eq!(Event::read(event.octets()), event);
        }
    }
}
