//! What waits for the disk: a REGISTER gets its 200 when its bindings are safe, and 503 when they cannot be made so. What was taken away from somebody
//! is written again until it is kept: it must not be back after a restart.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use machine::Time;
use protocol::doors::{Event, Question, Ticket};
use protocol::transaction::ServerId;
use protocol::{Answer, Fault, Flow, Output, Record};
use sip::Bytes;

use super::queues::Queues;
use crate::limits;
use crate::location::Location;
use crate::turn::Turn;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// The last ticket.
    asked: u64,
    /// By ticket, from that of the first who waits on: the store answers in the order in which it was asked, but for what it refuses or takes at once. Nothing
    /// where nobody waits.
    waiting: VecDeque<Option<Waits>>,
    /// How many REGISTERs wait.
    count: usize,
    /// The same by address: made when somebody is given up behind whom others may wait, and there until all are gone who waited then.
    queues: Option<Queues>,
    /// Addresses of which the store has, or may get, what is not so: from which something was taken away, or who was given up. As many as there
    /// are addresses, at most.
    owed: BTreeSet<Box<[u8]>>,
    /// When these are written again.
    again: Option<Time>,
    /// How many were looked at to find who is next, or to know who waits for which address.
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

/// One that waits, and whose request its transaction has. Its bindings are in force already; who calls meanwhile finds the phone.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) id: ServerId,
    pub(super) flow: Flow,
    /// Its 200.
    pub(super) ok: Bytes,
    /// What its 200 will tell the readers of events.
    pub(super) news: Option<Box<Event>>,
    /// The bindings that there were before, as they are kept.
    pub(super) before: Box<[u8]>,
    /// What was written.
    pub(super) record: Arc<Record>,
    pub(super) until: Time,
}

impl Keeping {
    /// True when too many wait.
    pub(super) fn is_full(&self) -> bool {
        self.count >= limits::UNKEPT
    }

    /// Has the bindings of an address written, and answers `waiting` then.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, waiting: Waiting) {
        self.ask(turn, Arc::clone(&waiting.record));
        if let Some(queues) = &mut self.queues {
            queues.joins(&waiting.record.key, Ticket(self.asked));
        }
        self.waiting.push_back(Some(Waits::Phone(Box::new(waiting))));
        self.count += 1;
    }

    /// Has the bindings of an address written from which some were taken away: again and again, until they are kept.
    pub(super) fn owe(&mut self, turn: &mut Turn<'_>, record: Record) {
        let (aor, until) = (record.key.clone(), turn.now + PATIENCE);
        self.ask(turn, record.into());
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
        self.ask(turn, record.into());
        if !self.waiting.is_empty() {
            self.waiting.push_back(None);
        }
    }

    fn ask(&mut self, turn: &mut Turn<'_>, record: Arc<Record>) {
        self.asked = self.asked.saturating_add(1);
        turn.out.push(Output::Ask(Ticket(self.asked), Question::Keep(record)));
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
        self.leaves(&waits, ticket);
        Some(waits)
    }

    /// It waits no longer.
    fn leaves(&mut self, waits: &Waits, ticket: Ticket) {
        let Waits::Phone(waiting) = waits else { return };
        self.count = self.count.saturating_sub(1);
        if let Some(queues) = &mut self.queues {
            queues.leaves(&waiting.record.key, ticket);
        }
    }

    /// Forgets places in which nobody waits any more, and who waits for which address when nobody needs to know.
    fn close_ranks(&mut self) {
        while self.waiting.front().is_some_and(Option::is_none) {
            self.waiting.pop_front();
        }
        let gone = Ticket(self.gone());
        self.queues.take_if(|queues| gone >= queues.last);
    }

    /// A ticket for which nobody waits, nor for any before it: the first place is that of the next one.
    fn gone(&self) -> u64 {
        self.asked.saturating_sub(self.waiting.len() as u64)
    }

    /// The store has answered. How long somebody has waited for its 200, who gets it now.
    pub(super) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        location: &mut Location,
        (ticket, answer): (Ticket, Answer),
    ) -> Option<Duration> {
        let waits = self.take(ticket)?;
        let took = match (waits, answer) {
            (Waits::Phone(waiting), Answer::Kept) => Some(self.kept(turn, *waiting)),
            (Waits::Loss { .. }, Answer::Kept) => {
                // It works: the others need not wait.
                self.again = (!self.owed.is_empty()).then_some(turn.now);
                None
            }
            (waits, _) => {
                self.not_kept(turn, location, (waits, ticket));
                None
            }
        };
        self.close_ranks();
        took
    }

    /// It gets its 200; how long it has waited.
    fn kept(&mut self, turn: &mut Turn<'_>, waiting: Waiting) -> Duration {
        // That was all that there is of this address.
        if !self.owed.is_empty() {
            self.owed.remove(&waiting.record.key);
        }
        turn.out.extend(waiting.news.map(|news| Output::Report(*news)));
        turn.answer(waiting.id, waiting.ok);
        PATIENCE.saturating_sub(waiting.until - turn.now)
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
                break;
            }
            let ticket = Ticket(self.gone().saturating_add(1));
            let Some(waits) = self.waiting.pop_front().flatten() else { continue };
            self.leaves(&waits, ticket);
            if let Waits::Phone(waiting) = &waits {
                self.owed.insert(waiting.record.key.clone());
                self.again.get_or_insert(turn.now);
            }
            self.not_kept(turn, location, (waits, ticket));
        }
        self.close_ranks();
    }

    /// Puts the bindings back as they were, unless somebody has changed them since, and says that it did not work.
    fn give_up(
        &mut self,
        turn: &mut Turn<'_>,
        location: &mut Location,
        (waiting, ticket): (Waiting, Ticket),
    ) {
        let Waiting { id, flow, before, record, .. } = waiting;
        let Record { key: aor, value, .. } = &*record;
        if location.written(aor) == &**value {
            location.replace(aor, &Location::unpacked(aor, &before).unwrap_or_default());
        } else if let Some(next) = self.next(aor, (ticket, value)) {
            // Should that one not work either, what this one wanted is not to be there.
            next.before = before;
        }
        // It is there for 32 s, if it was not answered.
        if let Some(request) = turn.transactions.server_request(id) {
            turn.refuse_in(id, flow, &request, &Fault::Overloaded(limits::UNKEPT_RETRY));
        }
    }

    /// Who waits with what was made of this state of an address: the next one behind this ticket, or nobody.
    fn next(&mut self, aor: &[u8], (ticket, value): (Ticket, &[u8])) -> Option<&mut Waiting> {
        if self.queues.is_none() {
            self.queues = Some(self.by_address());
            #[cfg(test)]
            (self.looked += self.waiting.len());
        }
        let next = self.queues.as_ref()?.behind(aor, ticket)?;
        let place = self.place(next)?;
        #[cfg(test)]
        (self.looked += 1);
        match self.waiting.get_mut(place)? {
            Some(Waits::Phone(next)) if *next.before == *value => Some(next),
            _ => None,
        }
    }

    /// Who waits, by address.
    fn by_address(&self) -> Queues {
        let mut queues = Queues::new(Ticket(self.asked));
        for (ticket, waits) in (self.gone().saturating_add(1)..).zip(&self.waiting) {
            if let Some(Waits::Phone(waiting)) = waits {
                queues.joins(&waiting.record.key, Ticket(ticket));
            }
        }
        queues
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
    use protocol::Transport;

    use super::*;
    use crate::house::House;
    use crate::location::{Binding, Said};
    use crate::settings::Settings;

    /// What `aor` has waits, from now on.
    fn waits(now: Time, aor: &[u8], [before, value]: [&[u8]; 2]) -> Waiting {
        let (transport, identity) = (Transport::Udp, protocol::Identity::NONE);
        let peer = "192.0.2.1:5060".parse().unwrap();
        Waiting {
            id: ServerId::FIRST,
            flow: Flow { transport, listener: 0, connection: 0, peer, identity },
            ok: Bytes::new(),
            news: Some(Box::new(Event::Tampered { aor: "a".into() })),
            before: before.into(),
            record: Record { key: aor.into(), value: value.into(), until: now }.into(),
            until: now + PATIENCE,
        }
    }

    fn binding(uri: &str, now: Time) -> Binding {
        let said = Said {
            uri: uri.as_bytes(),
            call_id: b"c",
            features: b"",
            cseq: 1,
            q: 1000,
            until: now + PATIENCE,
            since: now,
            first_cseq: 1,
            flow: None,
        };
        Binding::new(said, [].into_iter()).unwrap()
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
                (0..many).for_each(|_| keeping.keep(turn, waits(now, b"", [b"", b""])));
            });
            Ticket(self.keeping.asked)
        }

        /// An address registers, and waits: its bindings are others from now on.
        fn registers(&mut self, now: Time, aor: &[u8], uri: &str) -> Ticket {
            self.at(now, |keeping, turn, location| {
                let before = location.written(aor).to_vec();
                assert!(location.replace(aor, &[binding(uri, now)]));
                keeping.keep(turn, waits(now, aor, [&before, location.written(aor)]));
            });
            Ticket(self.keeping.asked)
        }

        fn answered(&mut self, now: Time, ticket: Ticket, answer: Answer) {
            self.at(now, |keeping, turn, location| {
                keeping.answered(turn, location, (ticket, answer));
            });
        }

        /// Nothing is heard of those who wait, for as long as they may.
        fn is_late(&mut self, now: Time) {
            self.at(now + PATIENCE, |keeping, turn, location| keeping.wake(turn, location));
        }

        fn bindings(&self, aor: &[u8]) -> Vec<Vec<u8>> {
            let all = self.location.bindings(Time::default(), aor);
            all.iter().map(|binding| binding.uri().to_vec()).collect()
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
        desk.is_late(start);
        assert_eq!(desk.keeping.count, 3, "the others were given up");
        desk.answered(start + PATIENCE, late, Answer::Kept);
        desk.is_late(start + PATIENCE);
        assert_eq!((desk.keeping.count, desk.keeping.waiting.len()), (0, 0));
    }

    /// Two REGISTERs of each of so many numbers wait, the second ones behind all the first, and the disk takes none: whoever is given up hands on what was before to
    /// who comes next, which is looked up and not looked for.
    #[test]
    fn who_is_next_is_found_at_once_however_many_wait() {
        let (mut desk, start) = (Desk::new(), Time(1_000_000_000_000));
        let numbers = limits::UNKEPT / 2;
        for states in [&b""[..], b"first", b"second"].windows(2) {
            let waits =
                |number: usize| waits(start, number.to_string().as_bytes(), [states[0], states[1]]);
            desk.at(start, |keeping, turn, _| {
                (0..numbers).for_each(|number| keeping.keep(turn, waits(number)));
            });
        }
        let looked = desk.keeping.looked;
        (1..=numbers as u64)
            .for_each(|ticket| desk.answered(start, Ticket(ticket), Answer::NotKept));
        let looked = desk.keeping.looked - looked;
        assert!(looked <= 3 * numbers, "{looked} were looked at for {numbers}");
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

    /// Whatever becomes of each of four REGISTERs of an address, and in whatever order that is heard of, also when nothing is heard of some: what was kept last is in
    /// force, or what was there before.
    #[test]
    fn what_is_in_force_is_what_was_kept_last() {
        let now = Time(1_000_000_000_000);
        let uris = ["sip:1@h", "sip:2@h", "sip:3@h", "sip:4@h"];
        let outcomes = [Some(Answer::Kept), Some(Answer::NotKept), None];
        let orders = (0..256_usize).map(|all| [0, 2, 4, 6].map(|place| all >> place & 3));
        let orders = orders.filter(|order| (0..4).all(|one| order.contains(&one)));
        for (order, all) in orders.flat_map(|order| (0..81).map(move |all| (order, all))) {
            let outcome = [1, 3, 9, 27].map(|power| &outcomes[all / power % 3]);
            let mut desk = Desk::new();
            // Others wait before and behind.
            let first = desk.registers(now, b"b", "sip:b@h");
            assert!(desk.location.replace(b"a", &[binding("sip:0@h", now)]));
            let tickets = uris.map(|uri| desk.registers(now, b"a", uri));
            desk.registers(now, b"b", "sip:c@h");
            desk.answered(now, first, Answer::Kept);
            for one in order {
                let heard = outcome[one].clone().into_iter();
                heard.for_each(|answer| desk.answered(now, tickets[one], answer));
            }
            desk.is_late(now);
            let is_kept = |one: &usize| *outcome[*one] == Some(Answer::Kept);
            let last = (0..4).rfind(is_kept).map_or("sip:0@h", |one| uris[one]);
            assert_eq!(desk.bindings(b"a"), [last.as_bytes()], "{order:?}, {outcome:?}");
            assert_eq!(desk.bindings(b"b"), [b"sip:b@h"]);
            assert!(desk.keeping.queues.is_none() && desk.keeping.waiting.is_empty());
        }
    }

    /// A disk that refuses now and then: who waits for which address is made out anew no more often than all have gone who waited then.
    #[test]
    fn who_waits_for_which_address_is_known_only_while_somebody_needs_to_know() {
        let (mut desk, now) = (Desk::new(), Time(1_000_000_000_000));
        for round in 0..3 {
            let looked = desk.keeping.looked;
            let first = desk.registers(now, b"a", "sip:1@h");
            let second = desk.registers(now, b"a", "sip:2@h");
            assert!(desk.keeping.queues.is_none());
            desk.answered(now, first, Answer::NotKept);
            let third = desk.registers(now, b"a", "sip:3@h");
            let fourth = desk.registers(now, b"a", "sip:4@h");
            desk.answered(now, third, Answer::NotKept);
            assert!(desk.keeping.queues.is_some(), "{round}");
            desk.answered(now, second, Answer::Kept);
            assert!(desk.keeping.queues.is_none(), "all who waited then are gone");
            desk.answered(now, fourth, Answer::NotKept);
            assert_eq!(desk.bindings(b"a"), [b"sip:2@h"]);
            // Two places when it was made out, and two who were next.
            assert_eq!(desk.keeping.looked - looked, 4);
        }
    }
}
