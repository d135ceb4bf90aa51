//! What waits for the disk: a REGISTER gets its 200 when its bindings are safe, and 503 when they cannot be made so. What was taken away from somebody
//! is written again until it is kept: it must not be back after a restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use machine::Time;
use protocol::doors::{Question, Ticket};
use protocol::transaction::ServerId;
use protocol::{Answer, Fault, Flow, Output, Record};
use sip::{Bytes, Message};

use crate::limits;
use crate::location::Location;
use crate::turn::Turn;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// The last ticket.
    asked: u64,
    /// By ticket, from that of the first who waits on: the store answers in the order in which it was asked. Nothing where nobody waits.
    waiting: VecDeque<Option<Waits>>,
    /// How many REGISTERs wait.
    count: usize,
    /// The tickets of those of each address, in their order.
    of: BTreeMap<Box<[u8]>, VecDeque<Ticket>>,
    /// Addresses of which the store has, or may get, what is not so: from which something was taken away, or who was given up. As many as there
    /// are addresses, at most.
    owed: BTreeSet<Box<[u8]>>,
    /// When these are written again.
    again: Option<Time>,
    /// How many were looked at to find who is next.
    #[cfg(test)]
    looked: usize,
}

/// What waits for the answer to a ticket.
#[derive(Debug)]
enum Waits {
    /// A phone, for its 200.
    Phone(Box<Waiting>),
    /// What was taken away from an address.
    Loss { aor: Box<[u8]>, until: Time },
}

impl Waits {
    const fn until(&self) -> Time {
        match self {
            Self::Phone(waiting) => waiting.until,
            Self::Loss { until, .. } => *until,
        }
    }
}

/// What has become of what was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It will not come back.
    Kept,
    /// The store has not answered yet.
    Waits,
    /// The store has not taken it: after a restart it would be back.
    Refused,
}

/// One that waits. Its bindings are in force already; who calls meanwhile finds the phone.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: ServerId,
    pub(super) flow: Flow,
    pub(super) request: Message,
    /// Its 200.
    pub(super) ok: Bytes,
    /// What its 200 will tell the readers of events.
    pub(super) news: Option<Output>,
    pub(super) aor: Box<[u8]>,
    /// The bindings that there were before, as they are kept.
    pub(super) before: Box<[u8]>,
    /// What was written.
    pub(super) value: Box<[u8]>,
    pub(super) until: Time,
}

impl Keeping {
    /// True when too many wait.
    pub(super) fn is_full(&self) -> bool {
        self.count >= limits::UNKEPT
    }

    /// Has the bindings of an address written, and answers `waiting` then.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, record: Record, waiting: Waiting) {
        let ticket = self.ask(turn, record);
        self.of.entry(waiting.aor.clone()).or_default().push_back(ticket);
        self.waiting.push_back(Some(Waits::Phone(Box::new(waiting))));
        self.count += 1;
    }

    /// Has the bindings of an address written from which some were taken away: again and again, until they are kept.
    pub(super) fn owe(&mut self, turn: &mut Turn<'_>, record: Record) {
        let (aor, until) = (record.key.clone(), turn.now + PATIENCE);
        self.ask(turn, record);
        self.waiting.push_back(Some(Waits::Loss { aor, until }));
    }

    /// Addresses that are to be written again now: a few, until it is seen that the store works.
    pub(super) fn due(&mut self, now: Time) -> Vec<Box<[u8]>> {
        if self.again.take_if(|again| *again <= now).is_none() {
            return Vec::new();
        }
        std::iter::from_fn(|| self.owed.pop_first()).take(limits::OWED_AT_ONCE).collect()
    }

    /// What has become of what was taken away from an address.
    pub(super) fn removal(&self, aor: &[u8]) -> Removal {
        let is_its = |waits: &Waits| matches!(waits, Waits::Loss { aor: its, .. } if **its == *aor);
        if self.owed.contains(aor) {
            return Removal::Refused;
        }
        let waits = self.waiting.iter().flatten().any(is_its);
        if waits { Removal::Waits } else { Removal::Kept }
    }

    /// Has the bindings of an address written that changed by themselves: nobody waits for that.
    pub(super) fn note(&mut self, turn: &mut Turn<'_>, record: Record) {
        self.ask(turn, record);
        if !self.waiting.is_empty() {
            self.waiting.push_back(None);
        }
    }

    fn ask(&mut self, turn: &mut Turn<'_>, record: Record) -> Ticket {
        self.asked = self.asked.saturating_add(1);
        let ticket = Ticket(self.asked);
        turn.out.push(Output::Ask(ticket, Question::Keep(record)));
        ticket
    }

    /// Where it stands that waits for the answer to this ticket.
    fn place(&self, ticket: Ticket) -> Option<usize> {
        let behind = usize::try_from(self.asked.checked_sub(ticket.0)?).ok()?;
        self.waiting.len().checked_sub(behind.checked_add(1)?)
    }

    /// What waits for the answer to this ticket waits no longer.
    fn take(&mut self, ticket: Ticket) -> Option<Waits> {
        let place = self.place(ticket)?;
        let waits = self.waiting.get_mut(place)?.take()?;
        self.close_ranks();
        self.leaves(&waits, ticket);
        Some(waits)
    }

    /// It waits no longer.
    fn leaves(&mut self, waits: &Waits, ticket: Ticket) {
        let Waits::Phone(waiting) = waits else { return };
        self.count = self.count.saturating_sub(1);
        let Some(of_it) = self.of.get_mut(&waiting.aor) else { return };
        if let Ok(place) = of_it.binary_search(&ticket) {
            of_it.remove(place);
        }
        if of_it.is_empty() {
            self.of.remove(&waiting.aor);
        }
    }

    fn close_ranks(&mut self) {
        while self.waiting.front().is_some_and(Option::is_none) {
            self.waiting.pop_front();
        }
    }

    /// The store has answered. How long somebody has waited for its 200, who gets it now.
    pub(super) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        location: &mut Location,
        (ticket, answer): (Ticket, Answer),
    ) -> Option<Duration> {
        let waits = self.take(ticket)?;
        if answer != Answer::Kept {
            self.not_kept(turn, location, (waits, ticket));
            return None;
        }
        match waits {
            Waits::Phone(waiting) => {
                // That was all that there is of this address.
                self.owed.remove(&waiting.aor);
                turn.out.extend(waiting.news);
                turn.answer(waiting.id, waiting.ok);
                Some(PATIENCE.saturating_sub(waiting.until - turn.now))
            }
            Waits::Loss { .. } => {
                // It works: the others need not wait.
                self.again = (!self.owed.is_empty()).then_some(turn.now);
                None
            }
        }
    }

    fn not_kept(
        &mut self,
        turn: &mut Turn<'_>,
        location: &mut Location,
        (waits, ticket): (Waits, Ticket),
    ) {
        match waits {
            Waits::Phone(waiting) => self.give_up(turn, location, (*waiting, ticket)),
            Waits::Loss { aor, .. } => {
                self.owed.insert(aor);
                self.again.get_or_insert(turn.now + AGAIN);
            }
        }
    }

    /// Answers those whom the store has not answered in time. It may still do what it was asked, so what is so is written behind that.
    pub(super) fn wake(&mut self, turn: &mut Turn<'_>, location: &mut Location) {
        while let Some(first) = self.waiting.front() {
            if first.as_ref().is_some_and(|waits| waits.until() > turn.now) {
                return;
            }
            let behind = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX) - 1;
            let ticket = Ticket(self.asked.saturating_sub(behind));
            let Some(waits) = self.waiting.pop_front().flatten() else { continue };
            self.leaves(&waits, ticket);
            if let Waits::Phone(waiting) = &waits {
                self.owed.insert(waiting.aor.clone());
                self.again.get_or_insert(turn.now);
            }
            self.not_kept(turn, location, (waits, ticket));
        }
    }

    /// Puts the bindings back as they were, unless somebody has changed them since, and says that it did not work.
    fn give_up(
        &mut self,
        turn: &mut Turn<'_>,
        location: &mut Location,
        (waiting, ticket): (Waiting, Ticket),
    ) {
        let Waiting { id, flow, request, aor, before, value, .. } = waiting;
        if location.written(&aor) == &*value {
            location.replace(&aor, &Location::unpacked(&aor, &before).unwrap_or_default());
        } else if let Some(next) = self.next(&aor, (ticket, &value)) {
            // Should that one not work either, what this one wanted is not to be there.
            next.before = before;
        }
        turn.refuse_in(id, flow, &request, &Fault::Overloaded(limits::UNKEPT_RETRY));
    }

    /// Who waits with what was made of this state of an address: the next one behind this ticket, or nobody.
    fn next(&mut self, aor: &[u8], (ticket, value): (Ticket, &[u8])) -> Option<&mut Waiting> {
        let of_it = self.of.get(aor)?;
        let next = *of_it.get(of_it.partition_point(|one| *one <= ticket))?;
        let place = self.place(next)?;
        #[cfg(test)]
        (self.looked += 1);
        match self.waiting.get_mut(place)? {
            Some(Waits::Phone(next)) if *next.before == *value => Some(next),
            _ => None,
        }
    }

    /// When the first one has waited too long: they wait equally long, so tickets and deadlines have one order. Or when something is tried again.
    pub(super) fn deadline(&self) -> Option<Time> {
        let first = self.waiting.front().and_then(Option::as_ref).map(Waits::until);
        first.into_iter().chain(self.again).min()
    }
}

/// How long the disk may take. Its phone repeats itself meanwhile, and has 32 s in all.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// How long what was taken away waits until it is written again.
const AGAIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use machine::Dice;
    use protocol::doors::Event;
    use protocol::{Identity, Transport};

    use super::*;
    use crate::house::House;
    use crate::settings::Settings;

    /// Somebody who waits, from now on.
    fn somebody(now: Time) -> Waiting {
        let request = "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\n\
                       Call-ID: 1\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
        let request = Message::parse(request).unwrap();
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let peer = "192.0.2.1:5060".parse().unwrap();
        Waiting {
            id: ServerId::FIRST,
            flow: Flow { transport, listener: 0, connection: 0, peer, identity },
            ok: request.wire().clone(),
            request,
            news: Some(Output::Report(Event::Tampered { aor: "a".into() })),
            aor: Box::default(),
            before: Box::default(),
            value: Box::default(),
            until: now + PATIENCE,
        }
    }

    fn record() -> Record {
        Record { key: Box::default(), value: Box::default(), until: Time::default() }
    }

    /// A desk at which REGISTERs wait.
    struct Desk {
        keeping: Keeping,
        location: Location,
        house: House,
    }

    impl Desk {
        fn new() -> Self {
            let mut dice = Dice::new(1);
            let house = House::new(Settings::of("h", Vec::new()), &mut dice);
            Self { keeping: Keeping::default(), location: Location::new(&mut dice), house }
        }

        fn at(&mut self, now: Time, what: impl FnOnce(&mut Keeping, &mut Turn<'_>, &mut Location)) {
            let (keeping, location) = (&mut self.keeping, &mut self.location);
            Turn::lend(now, &self.house, |turn| what(keeping, turn, location));
        }

        /// So many come, and wait; the last ticket.
        fn come(&mut self, now: Time, many: usize) -> Ticket {
            self.at(now, |keeping, turn, _| {
                (0..many).for_each(|_| keeping.keep(turn, record(), somebody(now)));
            });
            Ticket(self.keeping.asked)
        }

        fn answered(&mut self, now: Time, ticket: Ticket, answer: Answer) {
            self.at(now, |keeping, turn, location| {
                keeping.answered(turn, location, (ticket, answer));
            });
        }
    }

    #[test]
    fn who_waits_is_counted_and_no_place_that_is_empty() {
        let (mut desk, start) = (Desk::new(), Time(1_000_000_000_000));
        let first = desk.come(start, 1);
        let last = desk.come(start, limits::UNKEPT - 2);
        assert!(!desk.keeping.is_full());
        // The disk is asked for others too, for whom nobody waits, and answers who came last.
        desk.at(start, |keeping, turn, _| (0..10).for_each(|_| keeping.note(turn, record())));
        assert!(!desk.keeping.is_full() && desk.keeping.waiting.len() > limits::UNKEPT);
        desk.come(start, 1);
        assert!(desk.keeping.is_full());
        desk.answered(start, last, Answer::Kept);
        assert!(!desk.keeping.is_full(), "one has its 200, though the first still waits");
        desk.answered(start, last, Answer::Kept);
        assert_eq!(desk.keeping.count, limits::UNKEPT - 1, "it is answered once");
        desk.answered(start, first, Answer::NotKept);
        assert_eq!(desk.keeping.count, limits::UNKEPT - 2);
        let late = desk.come(start + Duration::from_secs(1), 3);
        desk.at(start + PATIENCE, |keeping, turn, location| keeping.wake(turn, location));
        assert_eq!(desk.keeping.count, 3, "the others were given up");
        desk.answered(start + PATIENCE, late, Answer::Kept);
        desk.at(start + 2 * PATIENCE, |keeping, turn, location| keeping.wake(turn, location));
        assert_eq!((desk.keeping.count, desk.keeping.waiting.len()), (0, 0));
        assert!(desk.keeping.of.is_empty());
    }

    /// Two REGISTERs of each of so many numbers wait, the second ones behind all the first, and the disk takes none: whoever is given up hands on what was before to
    /// who comes next, which is looked up and not looked for.
    #[test]
    fn who_is_next_is_found_at_once_however_many_wait() {
        let (mut desk, start) = (Desk::new(), Time(1_000_000_000_000));
        let numbers = limits::UNKEPT / 2;
        let states = [&b""[..], b"first", b"second"];
        let of = |number: usize, states: &[&[u8]]| {
            let (before, value) = (states[0].into(), states[1].into());
            let aor = number.to_string().into_bytes().into();
            Waiting { aor, before, value, ..somebody(start) }
        };
        for states in states.windows(2) {
            desk.at(start, |keeping, turn, _| {
                (0..numbers).for_each(|number| keeping.keep(turn, record(), of(number, states)));
            });
        }
        let looked = desk.keeping.looked;
        (1..=numbers as u64)
            .for_each(|ticket| desk.answered(start, Ticket(ticket), Answer::NotKept));
        let looked = desk.keeping.looked - looked;
        assert!(looked <= numbers, "{looked} were looked at for {numbers}");
        assert_eq!(desk.keeping.count, numbers);
        let seconds = desk.keeping.waiting.iter().flatten().filter_map(|waits| match waits {
            Waits::Phone(waiting) => Some(waiting),
            Waits::Loss { .. } => None,
        });
        assert!(
            seconds.into_iter().all(|second| second.before.is_empty()),
            "of nobody it is there"
        );
    }
}
