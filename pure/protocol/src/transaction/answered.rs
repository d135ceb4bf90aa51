//! `Answered`: requests that came in datagrams, no INVITEs, and were answered for good. For 32 s a repeat of them gets the same answer (RFC
//! 3261 §17.2.2, timer J), and that is all that is left of them.
//!
//! A busy registrar has hundreds of thousands, so each is as small as it can be, and lies behind the one before: they are written,
//! forgotten, and given back to the system a page at a time.

use std::collections::VecDeque;

use machine::{Index, Time};
use sip::Bytes;

use super::key::Key;
use crate::limits;
use crate::transport::Flow;

/// The answers, and where each lies.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// By their keys: a place is the number of a page, and which of its answers it is. A key stands there, and nowhere else: to look for one that is
    /// new, as most are, takes a look at four octets for each that there are.
    places: Index,
    pages: VecDeque<Page>,
    /// How many pages were forgotten: the number of the first that is there. It begins anew long after all of that number are forgotten.
    forgotten: u32,
    count: usize,
}

/// Answers that were given one after another.
#[derive(Debug)]
struct Page {
    answers: Vec<Answer>,
    octets: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    key: Key,
    until: Time,
    back: Flow,
    /// Where its octets begin; they end where those of the next one begin.
    from: usize,
}

/// Octets of a page, and answers in it.
const OCTETS: usize = 64 << 10;
const ANSWERS: usize = 128;

/// Numbers of pages that places tell apart.
const PAGES: u32 = u32::MAX / ANSWERS as u32 + 1;

impl Answered {
    /// Keeps an answer, and the way by which it went. When there are too many, the oldest are forgotten.
    pub(super) fn keep(&mut self, (key, until): (Key, Time), (back, octets): (Flow, &[u8])) {
        if self.pages.back().is_none_or(|page| page.is_full(octets.len())) {
            if self.pages.len() >= limits::ANSWERED_PAGES {
                self.forget_first();
            }
            self.pages.push_back(Page::new());
        }
        let number = self.pages.len().saturating_sub(1);
        let Some(page) = self.pages.back_mut() else { return };
        let place = place(self.forgotten, number, page.answers.len());
        page.answers.push(Answer { key, until, back, from: page.octets.len() });
        page.octets.extend_from_slice(octets);
        self.count += 1;
        let (forgotten, pages) = (self.forgotten, &self.pages);
        let hash_of =
            |place| at(forgotten, pages, place).map_or(0, |(_, answer, _)| hash(answer.key));
        self.places.insert(hash(key), place, hash_of);
    }

    /// What a repeat is answered with, and by which way.
    pub(super) fn find(&self, now: Time, key: Key) -> Option<(Flow, Bytes)> {
        let found = |place| at(self.forgotten, &self.pages, place);
        let is_it = |place| {
            found(place).is_some_and(|(_, answer, _)| answer.key == key && answer.until > now)
        };
        let (page, answer, next) = found(self.places.find(hash(key), is_it)?)?;
        let end = next.map_or(page.octets.len(), |next| next.from);
        let octets = page.octets.get(answer.from..end)?;
        Some((answer.back, Bytes::copy_from_slice(octets)))
    }

    /// Forgets the pages whose time is over.
    pub(super) fn forget(&mut self, now: Time) {
        while self.deadline().is_some_and(|until| until <= now) {
            self.forget_first();
        }
    }

    /// When the next page is over.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.pages.front()?.answers.last().map(|last| last.until)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    fn forget_first(&mut self) {
        let Some(page) = self.pages.pop_front() else { return };
        for (nth, answer) in page.answers.iter().enumerate() {
            self.places.remove(hash(answer.key), place(self.forgotten, 0, nth));
        }
        self.count = self.count.saturating_sub(page.answers.len());
        self.forgotten = self.forgotten.wrapping_add(1);
        if self.pages.is_empty() {
            self.places = Default::default();
        }
    }
}

impl Page {
    fn new() -> Self {
        Self { answers: Vec::with_capacity(ANSWERS), octets: Vec::with_capacity(OCTETS) }
    }

    /// An answer that is larger than a page has one for itself.
    fn is_full(&self, more: usize) -> bool {
        self.answers.len() >= ANSWERS || self.octets.len().saturating_add(more) > OCTETS
    }
}

/// A key was hashed when it was made.
const fn hash(key: Key) -> u64 {
    key as u64
}

/// The place of an answer, by its page among those that are there and its number in that.
const fn place(forgotten: u32, page: usize, nth: usize) -> u32 {
    forgotten.wrapping_add(page as u32).wrapping_mul(ANSWERS as u32) + nth as u32
}

/// What is at a place: its page, the answer, and the next one in that page.
fn at(
    forgotten: u32,
    pages: &VecDeque<Page>,
    place: u32,
) -> Option<(&Page, &Answer, Option<&Answer>)> {
    let page = (place / ANSWERS as u32).wrapping_sub(forgotten) % PAGES;
    let (page, nth) = (pages.get(page as usize)?, place as usize % ANSWERS);
    Some((page, page.answers.get(nth)?, page.answers.get(nth + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    fn way(port: u16) -> Flow {
        let peer = ([192, 0, 2, 1], port).into();
        let identity = crate::Identity::NONE;
        Flow { transport: Transport::Udp, listener: 0, connection: 0, peer, identity }
    }

    fn text(number: u64) -> String {
        "x".repeat((number % 700) as usize) + &number.to_string()
    }

    #[test]
    fn each_answer_is_found_until_its_time_and_then_all_is_given_back() {
        // The numbers of pages begin anew one day.
        for forgotten in [0, u32::MAX - 9] {
            lives(Answered { forgotten, ..Answered::default() });
        }
    }

    fn lives(mut answered: Answered) {
        for number in 0..5000_u64 {
            let key = Key::from(number) << 40 | 1;
            answered
                .keep((key, Time(1000 + number)), (way(number as u16), text(number).as_bytes()));
        }
        assert_eq!(answered.len(), 5000);
        for number in 0..5000_u64 {
            let key = Key::from(number) << 40 | 1;
            let found = answered.find(Time(999 + number), key);
            assert_eq!(found, Some((way(number as u16), text(number).into())));
            assert_eq!(answered.find(Time(1000 + number), key), None, "its time is over");
        }
        assert_eq!(answered.find(Time(0), 2), None);
        answered.forget(Time(3000));
        assert!((2998..3130).contains(&answered.len()), "{}", answered.len());
        while let Some(until) = answered.deadline() {
            answered.forget(until);
        }
        assert_eq!((answered.len(), answered.places.len()), (0, 0));
    }

    #[test]
    fn the_oldest_give_way_and_what_is_large_fits() {
        let mut answered = Answered::default();
        let large = vec![b'x'; OCTETS * 2];
        let all = limits::ANSWERED_PAGES + 10;
        for number in 0..all {
            answered.keep((number as Key, Time(9)), (way(1), &large));
        }
        assert_eq!((answered.len(), answered.pages.len()), (limits::ANSWERED_PAGES, all - 10));
        assert_eq!(answered.find(Time(0), 9), None);
        assert!(answered.find(Time(0), 10).is_some_and(|(_, octets)| octets == large));
    }
}
