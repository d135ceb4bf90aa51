//! `Figures`: what a shard has seen, said and refused, counted (RFC 6076 has the figures of registrations). Nothing here can grow without a
//! limit, and no label is a stranger's to choose.

mod sessions;

use std::collections::BTreeMap;
use std::time::Duration;

use memchr::memchr_iter;
use protocol::doors::Event;
use protocol::transaction::Repeats;
use protocol::{Input, Output};
use sip::Method;
use sip::header::CSeq;

use crate::admission::Tally;
use crate::limits;
pub use sessions::{Outcome, Sessions};

/// What a shard has counted since its start.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Messages that came.
    pub received: Messages,
    /// Messages that were sent, repeats too.
    pub sent: Messages,
    /// Octets that came and were no message.
    pub unreadable: u64,
    /// Requests whose sender was asked who it is.
    pub challenged: u64,
    /// Requests that we refused ourselves, by status and reason.
    pub refused: Refused,
    /// REGISTERs.
    pub registrations: Registrations,
    /// Calls.
    pub sessions: Sessions,
    /// What was turned away because there was too much to do.
    pub turned_away: Tally,
    /// What had to be said again.
    pub repeats: Repeats,
    /// How much of everything there is now.
    pub now: Gauges,
}

/// How much of everything there is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Transactions, those too that only absorb repeats.
    pub transactions: usize,
    /// Requests that wait for an answer from elsewhere.
    pub forwarding: usize,
    /// Addresses of record that have bindings.
    pub users: usize,
    /// Bindings.
    pub bindings: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Calls that are followed, those too that still ring.
    pub calls: usize,
    /// Sources that are not heard.
    pub barred: usize,
}

/// Requests by method, and responses by method and status code.
#[derive(Clone, Debug)]
pub struct Messages {
    /// In the order of [`Method::KNOWN`]; all others behind them.
    requests: [u64; METHODS + 1],
    /// By method in the same order, each from 100 on.
    responses: Box<[[u64; CODES]]>,
}

const METHODS: usize = Method::KNOWN.len();

/// Status codes: 100 to 699.
const CODES: usize = 600;

impl Default for Messages {
    fn default() -> Self {
        Self { requests: [0; METHODS + 1], responses: vec![[0; CODES]; METHODS + 1].into() }
    }
}

impl Messages {
    /// How many requests, by method: every method that has a name, then `other`.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        names().zip(self.requests.iter().copied())
    }

    /// How many responses, by method and status code: those that there were.
    pub fn responses(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let of = |(method, counts): (&'static str, &[u64; CODES])| {
            (100..).zip(*counts).map(move |(code, count)| (method, code, count))
        };
        names().zip(&self.responses).flat_map(of).filter(|(.., count)| *count > 0)
    }

    fn request(&mut self, method: Method<'_>) {
        if let Some(count) = self.requests.get_mut(place(method)) {
            *count += 1;
        }
    }

    fn response(&mut self, method: Method<'_>, code: u16) {
        let counts = self.responses.get_mut(place(method));
        let code = usize::from(code).checked_sub(100);
        if let Some(count) = counts.zip(code).and_then(|(counts, code)| counts.get_mut(code)) {
            *count += 1;
        }
    }

    /// A message as it goes out. We wrote it: its first line is as it should be.
    fn wire(&mut self, wire: &[u8]) {
        match wire.strip_prefix(b"SIP/2.0 ") {
            Some(rest) => {
                let code = text(rest.get(..3)).parse().unwrap_or_default();
                self.response(Method::of(text(answered(rest))), code);
            }
            None => {
                let end = wire.iter().take(LONGEST_WORD).position(|octet| *octet == b' ');
                self.request(Method::of(text(wire.get(..end.unwrap_or_default()))));
            }
        }
    }

    /// Adds what another shard has counted.
    fn add(&mut self, other: &Self) {
        let requests = self.requests.iter_mut().zip(&other.requests);
        let responses = self.responses.iter_mut().flatten().zip(other.responses.iter().flatten());
        requests.chain(responses).for_each(|(count, more)| *count += more);
    }
}

/// Every method that has a name, then `other`.
fn names() -> impl Iterator<Item = &'static str> {
    Method::KNOWN.iter().map(|method| method.as_str()).chain(["other"])
}

fn place(method: Method<'_>) -> usize {
    Method::KNOWN.iter().position(|known| *known == method).unwrap_or(METHODS)
}

/// The method that a response of ours answers: the last word of its CSeq. It is looked for by the only letter of it that is rare.
fn answered(response: &[u8]) -> Option<&[u8]> {
    let row = |at: usize| response.get(at.checked_sub(4)?..)?.strip_prefix(b"\nCSeq: ");
    let row = memchr_iter(b'q', response).find_map(row)?;
    let number = row.iter().position(|octet| *octet == b' ')?;
    let method = row.get(number..)?.get(1..)?;
    method.get(..method.iter().position(|octet| *octet == b'\r')?)
}

fn text(octets: Option<&[u8]>) -> &str {
    std::str::from_utf8(octets.unwrap_or_default()).unwrap_or_default()
}

/// Octets in which a method ends, or it is none that has a name.
const LONGEST_WORD: usize = 16;

/// Refusals, by status and reason. The reasons are our own sentences; past [`limits::REASONS`] they are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused(BTreeMap<(u16, Box<str>), u64>);

impl Refused {
    /// How many, by status and reason.
    pub fn all(&self) -> impl Iterator<Item = (u16, &str, u64)> {
        self.0.iter().map(|((status, reason), count)| (*status, &**reason, *count))
    }

    fn add(&mut self, status: u16, reason: &str, count: u64) {
        let key = (status, Box::from(reason));
        let key = if self.0.len() >= limits::REASONS && !self.0.contains_key(&key) {
            (status, Box::from("another reason"))
        } else {
            key
        };
        *self.0.entry(key).or_default() += count;
    }
}

/// REGISTERs that ended here.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    /// Those that were answered with 200, and how long that took from the request that was let in: the disk's part of the registration
    /// request delay (RFC 6076 §4.1).
    pub delay: Delays,
    /// Those that were refused otherwise than by a challenge: ineffective attempts (RFC 6076 §4.2).
    pub ineffective: u64,
}

impl Registrations {
    /// What part of all attempts was ineffective (RFC 6076 §4.2); nothing before the first.
    pub fn ineffectiveness(&self) -> Option<f64> {
        let effective = self.delay.up_to().last().unwrap_or_default();
        let all = self.ineffective.saturating_add(effective);
        (all > 0).then(|| self.ineffective as f64 / all as f64)
    }
}

/// Durations, counted by how long they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl Delays {
    /// The upper bounds of the buckets, in milliseconds; behind them is the rest.
    pub const BOUNDS: [u64; 18] = [
        1, 5, 10, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 180_000, 600_000,
        1_800_000, 3_600_000, 14_400_000,
    ];

    /// How many there were up to each bound, and of any length at the end: each counts those before it too.
    pub fn up_to(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        })
    }

    /// All of them together.
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    pub(crate) fn note(&mut self, delay: Duration) {
        let millis = u64::try_from(delay.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        let place = Self::BOUNDS.partition_point(|bound| *bound < millis);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(delay);
    }

    fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

impl Figures {
    /// Something is about to be handled.
    pub(crate) fn received(&mut self, input: &Input) {
        match input {
            Input::Received(_, message) => match (message.method(), message.status()) {
                (Some(method), _) => self.received.request(method),
                (None, Some(status)) => {
                    let method = message.get::<CSeq>().map_or(Method::of(""), |cseq| cseq.method);
                    self.received.response(method, status.code());
                }
                (None, None) => {}
            },
            Input::Malformed(..) => self.unreadable += 1,
            _ => {}
        }
    }

    /// What came of it.
    pub(crate) fn said(&mut self, out: &[Output]) {
        for output in out {
            match output {
                Output::Send(_, wire) => self.sent.wire(wire),
                Output::Report(event) => self.reported(event),
                _ => {}
            }
        }
    }

    fn reported(&mut self, event: &Event) {
        match event {
            Event::Challenged { .. } => self.challenged += 1,
            Event::Refused { method, status, reason, .. } => {
                self.refused.add(*status, reason, 1);
                let register = **method == *Method::Register.as_str();
                self.registrations.ineffective += u64::from(register);
            }
            _ => {}
        }
    }

    /// Adds what another shard has counted.
    pub fn add(&mut self, other: &Self) {
        self.received.add(&other.received);
        self.sent.add(&other.sent);
        self.unreadable += other.unreadable;
        self.challenged += other.challenged;
        for (status, reason, count) in other.refused.all() {
            self.refused.add(status, reason, count);
        }
        self.registrations.delay.add(&other.registrations.delay);
        self.registrations.ineffective += other.registrations.ineffective;
        self.sessions.add(&other.sessions);
        let Tally { refused, unheard, too_fast, rate } = other.turned_away;
        self.turned_away.refused += refused;
        self.turned_away.unheard += unheard;
        self.turned_away.too_fast += too_fast;
        self.turned_away.rate = match (self.turned_away.rate, rate) {
            (Some(here), Some(there)) => Some(here + there),
            (here, there) => here.or(there),
        };
        self.repeats.sent += other.repeats.sent;
        self.repeats.received += other.repeats.received;
        let Gauges { transactions, forwarding, users, bindings, subscriptions, calls, barred } =
            other.now;
        self.now.transactions += transactions;
        self.now.forwarding += forwarding;
        self.now.users += users;
        self.now.bindings += bindings;
        self.now.subscriptions += subscriptions;
        self.now.calls += calls;
        // All shards have the same.
        self.now.barred = self.now.barred.max(barred);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_is_counted_by_method_and_code() {
        let mut sent = Messages::default();
        for wire in [
            "INVITE sip:a SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\nVia: x\r\nCSeq: 1 BYE\r\n\r\na\nCSeq: 1 INVITE",
            "SIP/2.0 699 X\r\nCSeq: 1 X\r\n",
            "SIP/2.0 200 OK\r\n",
            "X y\r\n",
        ] {
            sent.wire(wire.as_bytes());
        }
        // No message of ours, but no harm either.
        for wire in [
            "",
            "SIP/2.0 ",
            "SIP/2.0 099 X",
            "SIP/2.0 700 X",
            "SIP/2.0 2\u{fc}",
            "averyveryverylongmethod x",
        ] {
            sent.wire(wire.as_bytes());
        }
        let of = |name: &str| sent.requests().find(|(method, _)| *method == name).unwrap().1;
        assert_eq!((of("INVITE"), of("BYE"), of("other")), (1, 0, 3));
        assert_eq!(
            sent.responses().collect::<Vec<_>>(),
            [("BYE", 200, 1), ("other", 200, 1), ("other", 699, 1)]
        );
    }

    #[test]
    fn delays_fall_into_their_buckets() {
        let mut delays = Delays::default();
        for micros in [0, 1_000, 1_001, 5_000, 20_000_000_000] {
            delays.note(Duration::from_micros(micros));
        }
        let counts: Vec<u64> = delays.up_to().collect();
        assert_eq!((counts[0], counts[1], counts[17], counts[18]), (2, 4, 4, 5));
        let mut twice = delays.clone();
        twice.add(&delays);
        assert_eq!(twice.up_to().last(), Some(10));
        assert_eq!(twice.sum(), delays.sum() * 2);
    }

    #[test]
    fn reasons_are_counted_apart_until_there_are_too_many() {
        let mut refused = Refused::default();
        for number in 0..limits::REASONS * 2 {
            refused.add(400, &number.to_string(), 1);
        }
        assert_eq!(refused.all().count(), limits::REASONS + 1);
        assert_eq!(refused.all().map(|(.., count)| count).sum::<u64>(), limits::REASONS as u64 * 2);
    }
}
