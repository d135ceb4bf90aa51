//! `Late`: requests that were not heard, so that their repeats are known: whoever is served by one is served late, and thinks little of it.

use std::collections::VecDeque;
use std::time::Duration;

use machine::{HashKey, Numbers, Time};
use sip::Message;

use crate::limits;

/// Requests that were not heard, as numbers.
#[derive(Debug)]
pub(crate) struct Late {
    key: HashKey,
    unheard: Numbers<()>,
    order: VecDeque<(Time, u128)>,
}

/// How long somebody repeats a request: 64·T1 (RFC 3261 §17.1.1.2).
const REPEATED: Duration = Duration::from_secs(32);

impl Late {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { key, unheard: Numbers::default(), order: VecDeque::new() }
    }

    /// A request is not heard.
    pub(crate) fn note(&mut self, now: Time, request: &Message) {
        while let Some((until, number)) = self.order.front() {
            if *until > now && self.order.len() < limits::UNHEARD {
                break;
            }
            self.unheard.remove(number);
            self.order.pop_front();
        }
        let number = self.number(request);
        if self.unheard.insert(number, ()).is_none() {
            self.order.push_back((now + REPEATED, number));
        }
    }

    /// Is this the repeat of one?
    pub(crate) fn has(&self, request: &Message) -> bool {
        !self.order.is_empty() && self.unheard.contains_key(&self.number(request))
    }

    /// It is over: who comes late is welcome.
    pub(crate) fn clear(&mut self) {
        (self.unheard, self.order) = (Numbers::default(), VecDeque::new());
    }

    fn number(&self, request: &Message) -> u128 {
        self.key.number([request.branch().unwrap_or_default(), request.call_id()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(nth: usize) -> Message {
        Message::parse(format!(
            "INVITE sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{nth}\r\nCall-ID: {nth}\r\n\r\n"
        ))
        .unwrap()
    }

    #[test]
    fn repeats_are_known_for_as_long_as_they_come_and_no_more_than_there_is_room_for() {
        let mut late = Late::new(HashKey::of(1));
        late.note(Time(1), &request(1));
        assert!(late.has(&request(1)) && !late.has(&request(2)));
        late.note(Time(33_000_000_000), &request(2));
        assert!(!late.has(&request(1)) && late.has(&request(2)));
        for nth in 0..2 * limits::UNHEARD {
            late.note(Time(34_000_000_000), &request(nth));
        }
        assert_eq!((late.order.len(), late.unheard.len()), (limits::UNHEARD, limits::UNHEARD));
        late.clear();
        assert!(!late.has(&request(2 * limits::UNHEARD - 1)));
    }
}
