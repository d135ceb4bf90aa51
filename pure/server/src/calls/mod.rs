//! Calls: which ones pass through this shard just now, and what became of those that did.
//!
//! A proxy keeps nothing of a call once it stands, and needs nothing. This is for those who want to see it: a call is followed from its
//! INVITE until it is refused, until a BYE of it is answered, until its session timer has run out (RFC 4028), or until it has lasted too
//! long. Then its record is reported, and it is forgotten. Nothing in here changes what happens to a call, unless an operator wants it to end.

mod endings;
mod follow;
mod hangup;
mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::time::Duration;

use machine::{Index, Shelf, Time};
use protocol::doors::Event;
use protocol::transaction::ServerId;
use protocol::{CallRecord, Ender, Flow, Output};
use sip::Message;

use crate::call::Call;
use crate::figures::Sessions;
use crate::limits;
use endings::Endings;
pub(crate) use hangup::REASON;
pub use hangup::{Ending, Stays, Was};
use line::Line;

/// A call as this shard numbers it; nothing for one that is not followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(Option<NonZeroU64>);

impl Number {
    fn get(self) -> Option<u64> {
        self.0.map(NonZeroU64::get)
    }
}

/// The calls that are followed.
#[derive(Debug)]
pub(crate) struct Calls {
    /// For how long at most; nothing: not at all.
    longest: Option<Duration>,
    shelf: Shelf<Followed>,
    /// Where each is on the shelf.
    places: Index,
    /// When those that stand are given up.
    ends: BTreeSet<(Time, u64)>,
    sessions: Sessions,
    /// How many calls those accounts have whose calls are limited.
    accounts: BTreeMap<u64, u32>,
    /// Accounts that have more or fewer since this was asked last.
    changed: BTreeSet<u64>,
    /// Those that an operator ends, or has ended a moment ago.
    endings: Endings,
    /// What they are still to be told, and from where that seems to come.
    byes: Vec<(Flow, Message)>,
    /// How many of those there were.
    made: u32,
}

/// A call that is followed.
#[derive(Debug)]
struct Followed {
    call: Call,
    stage: Stage,
    /// For whom it counts, when that one's calls are limited.
    account: Option<NonZeroU64>,
    record: CallRecord,
    line: Line,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Nobody is asked yet.
    New,
    /// This INVITE is on its way, and ends by itself.
    Rings(ServerId),
    /// It is up until then at the latest: in `ends`.
    Stands(Time),
}

impl Calls {
    /// Follows them for so long at most.
    pub(crate) fn new(longest: Option<Duration>) -> Self {
        let places = Index::default();
        let (ends, sessions) = (BTreeSet::new(), Sessions::default());
        let (accounts, changed) = (BTreeMap::new(), BTreeSet::new());
        let (endings, byes, shelf) = (Endings::default(), Vec::new(), Shelf::default());
        Self { longest, shelf, places, ends, sessions, accounts, changed, endings, byes, made: 0 }
    }

    /// What became of those that did.
    pub(crate) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The settings have changed: for how long calls are followed that come or are renewed from now on.
    pub(crate) const fn renewed(&mut self, longest: Option<Duration>) {
        self.longest = longest;
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.shelf.len()
    }

    /// One of them.
    pub(crate) fn get(&self, number: u64) -> Option<&CallRecord> {
        self.shelf.get(number).map(|followed| &followed.record)
    }

    /// Those behind this one (none: all), each with its number, in an order that stays.
    pub(crate) fn behind(&self, number: Option<u64>) -> impl Iterator<Item = (u64, &CallRecord)> {
        self.shelf.behind(number).map(|(number, followed)| (number, &followed.record))
    }

    /// Those in so many places behind that of this one, each with its number; and behind which the places go on, when there are more.
    pub(crate) fn stretch(
        &self,
        number: Option<u64>,
        places: usize,
    ) -> (impl Iterator<Item = (u64, &CallRecord)>, Option<u64>) {
        let (calls, next) = self.shelf.stretch(number, places);
        (calls.map(|(number, followed)| (number, &followed.record)), next)
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.ends.first().map(|(end, _)| *end).into_iter().chain(self.endings.deadline()).min()
    }

    /// Gives up those that have lasted too long.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        self.wait_no_more(now, out);
        while let Some((_, number)) = self.ends.first().copied().filter(|(end, _)| *end <= now) {
            let timed = self.get(number).is_some_and(|record| record.session > 0);
            self.end(number, (now, if timed { Ender::Timer } else { Ender::Age }), out);
        }
    }

    /// Nobody follows them any more: each is reported as it is.
    pub(crate) fn close(&mut self, now: Time, out: &mut Vec<Output>) {
        let numbers: Vec<_> = self.shelf.behind(None).map(|(number, _)| number).collect();
        numbers.into_iter().for_each(|number| self.end(number, (now, Ender::Server), out));
    }

    /// Follows a call from now on. One that is followed already, because it passes through us twice, is not followed twice.
    fn begin(&mut self, call: Call, record: CallRecord, out: &mut Vec<Output>) -> Number {
        if self.number(call).is_some() {
            return Number(None);
        }
        if self.shelf.len() >= limits::CALLS {
            let Some((_, first)) = self.ends.first().copied() else { return Number(None) };
            self.end(first, (record.began, Ender::Crowd), out);
        }
        let (stage, line) = (Stage::New, Line::default());
        let number = self.shelf.put(Followed { call, stage, account: None, record, line });
        let others = |place| self.shelf.at(place).map_or(0, |(_, other)| other.call.0);
        self.places.insert(call.0, place(number), others);
        Number(NonZeroU64::new(number))
    }

    /// A call counts for an account.
    fn charge(&mut self, number: Number, account: u64) {
        let followed = number.get().and_then(|number| self.shelf.get_mut(number));
        // Of all the numbers that accounts may have one is not counted.
        let (Some(followed), Some(counts)) = (followed, NonZeroU64::new(account)) else { return };
        followed.account = Some(counts);
        let calls = self.accounts.entry(account).or_default();
        *calls = calls.saturating_add(1);
        self.changed.insert(account);
    }

    fn discharge(&mut self, account: u64) {
        let Some(calls) = self.accounts.get_mut(&account) else { return };
        *calls = calls.saturating_sub(1);
        if *calls == 0 {
            self.accounts.remove(&account);
        }
        self.changed.insert(account);
    }

    /// How many calls count for an account on this shard.
    pub(crate) fn of_account(&self, account: u64) -> u32 {
        self.accounts.get(&account).copied().unwrap_or(0)
    }

    /// Accounts that have more or fewer calls since this was asked last, and how many.
    pub(crate) fn changed(&mut self) -> Vec<(u64, u32)> {
        if self.changed.is_empty() {
            return Vec::new();
        }
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|account| (account, self.of_account(account))).collect()
    }

    /// The number of a call. A call is a keyed number already: strangers cannot aim at its place.
    fn number(&self, call: Call) -> Option<u64> {
        let is_it = |place| self.shelf.at(place).filter(|(_, followed)| followed.call == call);
        let place = self.places.find(call.0, |place| is_it(place).is_some())?;
        is_it(place).map(|(number, _)| number)
    }

    fn record(&mut self, number: Number) -> Option<&mut CallRecord> {
        self.shelf.get_mut(number.get()?).map(|followed| &mut followed.record)
    }

    /// Somebody has answered it.
    fn answered(&mut self, number: u64) {
        if let Some(followed) = self.shelf.get(number) {
            self.sessions.answered(&followed.record);
        }
    }

    /// It stands until then at the latest, unless its session (in seconds; 0: none) ends before.
    fn keep(&mut self, number: u64, now: Time, session: u32) {
        let Some(followed) = self.shelf.get_mut(number) else { return };
        let session_end = match session {
            0 => Time::NEVER,
            session => now + Duration::from_secs(session.into()) + GRACE,
        };
        followed.record.session = session;
        if let Stage::Stands(until) = followed.stage {
            self.ends.remove(&(until, number));
        }
        let began = followed.record.answered.unwrap_or(now);
        let until = session_end.min(began + self.longest.unwrap_or_default());
        followed.stage = Stage::Stands(until);
        self.ends.insert((until, number));
    }

    /// It is over: its record is reported.
    fn end(&mut self, number: u64, (now, ender): (Time, Ender), out: &mut Vec<Output>) {
        let Some(mut record) = self.forget(number) else { return };
        record.ended = Some(now);
        record.ender = if self.is_ending(number) { Ender::Operator } else { ender };
        self.sessions.ended(&record);
        out.push(Output::Report(Event::Called(Box::new(record))));
    }

    fn forget(&mut self, number: u64) -> Option<CallRecord> {
        let Followed { call, stage, account, record, .. } = self.shelf.take(number)?;
        account.into_iter().for_each(|account| self.discharge(account.get()));
        self.places.remove(call.0, place(number));
        if let Stage::Stands(until) = stage {
            self.ends.remove(&(until, number));
        }
        Some(record)
    }
}

/// The place of a number on the shelf.
const fn place(number: u64) -> u32 {
    number as u32
}

/// How long a BYE may be on its way when a session ends: as long as a transaction (RFC 4028 §10, RFC 3261 §17.1.2.2).
const GRACE: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests;
