//! `Trial`: requests that the driver lets pass again. Who began while it did not still repeats itself, and would be served late: only who is
//! heard after the longest pause between two repeats has begun since.

use std::ops::Range;
use std::time::Duration;

use machine::Time;
use protocol::load::part;
use sip::Message;

/// Parts of all requests, and until when those of them that are heard may be repeats.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    key: u32,
    parts: Vec<(Range<u16>, Time)>,
}

/// Whether a message was heard when it was sent first, as the octets say that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was, as such ones always are: that less of the rest is read makes them no less.
    Always,
    /// It was, though the driver may leave such ones out.
    AtOnce,
    /// It may be the repeat of one that was not.
    PerhapsLate,
}

/// The longest pause between two repeats: 32·T1 (RFC 3261 §17.1.1.2).
const PAUSE: Duration = Duration::from_secs(16);

impl Trial {
    pub(crate) const fn new(key: u32) -> Self {
        Self { key, parts: Vec::new() }
    }

    /// These pass from now on.
    pub(crate) fn begin(&mut self, now: Time, parts: Range<u16>) {
        self.parts.retain(|(_, until)| *until > now);
        self.parts.push((parts, now + PAUSE));
    }

    /// Those below do not pass any more.
    pub(crate) fn keep_from(&mut self, first: u16) {
        self.parts.iter_mut().for_each(|(parts, _)| parts.start = parts.start.max(first));
        self.parts.retain(|(parts, _)| !parts.is_empty());
    }

    /// Whoever comes late is welcome.
    pub(crate) fn end(&mut self) {
        self.parts.clear();
    }

    /// How many parts are on trial.
    pub(crate) fn parts(&self, now: Time) -> u64 {
        self.running(now).map(|parts| parts.len() as u64).sum()
    }

    /// May this be the repeat of a request that was dropped?
    pub(crate) fn has(&self, now: Time, request: &Message) -> bool {
        let mut running = self.running(now).peekable();
        running.peek().is_some() && {
            let part = part(self.key, request.wire());
            running.any(|parts| parts.contains(&part))
        }
    }

    fn running(&self, now: Time) -> impl Iterator<Item = &Range<u16>> {
        self.parts.iter().filter(move |(_, until)| *until > now).map(|(parts, _)| parts)
    }
}

#[cfg(test)]
mod tests {
    use protocol::load::PARTS;

    use super::*;

    #[test]
    fn who_may_have_begun_earlier_is_known_for_sixteen_seconds() {
        let invite =
            "INVITE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCall-ID: 1\r\n\r\n";
        let request = Message::parse(invite).unwrap();
        let mine = part(7, request.wire());
        let (mut trial, second) = (Trial::new(7), 1_000_000_000);
        trial.begin(Time(second), 0..mine);
        trial.begin(Time(second), mine + 1..PARTS);
        assert!(!trial.has(Time(2 * second), &request), "others are on trial");
        trial.begin(Time(second), mine..mine + 1);
        assert!(trial.has(Time(2 * second), &request) && trial.has(Time(16 * second), &request));
        assert!(!trial.has(Time(17 * second), &request));
        assert_eq!([16, 17].map(|at| trial.parts(Time(at * second))), [PARTS.into(), 0]);
        trial.begin(Time(20 * second), 10..30);
        trial.keep_from(20);
        trial.begin(Time(20 * second), 15..20);
        assert_eq!(trial.parts(Time(21 * second)), 15, "each is counted once");
        trial.begin(Time(20 * second), mine..mine + 1);
        trial.end();
        assert!(!trial.has(Time(21 * second), &request), "late is welcome");
    }
}
