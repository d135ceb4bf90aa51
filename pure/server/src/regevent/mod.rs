//! Reg-event: a user watches its own registrations (RFC 3680, with the GRUUs of RFC 5628). The registrar's bindings are the state; here
//! is who watches them, and what each watcher has been told.
//!
//! Nobody is asked to report changes: whoever writes bindings says whose they were, and what has become of them is found by comparing.

mod changes;
mod reginfo;
mod watcher;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::{Alarms, Time};
use protocol::dialog::DialogId;
use protocol::subscription::{Bounds, Wish};
use protocol::transaction::{ClientId, ServerId};
use protocol::{Fault, Flow};
use sip::header::{Event, From, To};
use sip::{Header as _, Message, Method, Name, Status};

use crate::limits;
use crate::location::{Binding, aor_of};
use crate::turn::Turn;
use changes::between;
use watcher::{Owed, Watcher};

/// The package, as Event and Allow-Events name it.
pub(crate) const PACKAGE: &str = "reg";

/// How long a subscription lasts (RFC 3680 §4.4).
const BOUNDS: Bounds = Bounds {
    min: Duration::from_secs(60),
    default: Duration::from_secs(3761),
    max: Duration::from_secs(7200),
};

/// Changes are told no faster than this (RFC 3680 §4.8).
const PACE: Duration = Duration::from_secs(5);

/// Who watches whom on this shard.
#[derive(Debug, Default)]
pub(crate) struct RegEvent {
    watched: BTreeMap<Box<[u8]>, Watched>,
    watchers: BTreeMap<u64, Watcher>,
    /// NOTIFYs on their way.
    sent: BTreeMap<ClientId, u64>,
    alarms: Alarms<u64>,
    next: u64,
}

/// An address of record that is watched.
#[derive(Debug, Default)]
struct Watched {
    /// Its bindings as its watchers were told, or will be.
    known: Vec<Binding>,
    by: BTreeSet<u64>,
}

/// True for a SUBSCRIBE that is for us to answer, wherever it is sent.
pub(crate) fn is_meant(request: &Message) -> bool {
    let event = request.rows(Name::Event).next().map(Event::parse);
    request.method() == Some(Method::Subscribe)
        && event.is_some_and(|event| event.is_ok_and(|event| event.package == PACKAGE))
}

/// Whose registrations a SUBSCRIBE within a dialog of ours watches: that is sent to our own address, and its To says it.
pub(crate) fn watched_within(request: &Message) -> Result<Box<[u8]>, Fault> {
    if !is_meant(request) {
        return Err(Fault::BadEvent);
    }
    let to = request.get::<To>().filter(|to| to.tag().is_some());
    to.and_then(|to| aor_of(to.uri)).ok_or(Fault::NotFound)
}

impl RegEvent {
    /// How many subscriptions there are.
    pub(crate) fn len(&self) -> usize {
        self.watchers.len()
    }

    /// A SUBSCRIBE: answered with 200, and told everything at once.
    pub(crate) fn subscribe(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        (came, request): (Flow, &Message),
        (aor, bindings): (Box<[u8]>, Vec<Binding>),
    ) -> Result<(), Fault> {
        let wish = Wish::read(request)?;
        if !owns(request, &aor) {
            return Err(Fault::WrongIdentity);
        }
        if !Wish::accepts(request, "application", "reginfo+xml") {
            return Err(Fault::NotAcceptable);
        }
        let lasts = wish.granted(&BOUNDS)?;
        let until = turn.now + lasts;
        let within = request.get::<To>().is_some_and(|to| to.tag().is_some());
        let number = if within {
            self.refresh(request, &aor, until)?
        } else {
            self.begin(turn, (came, request), &aor, until)?
        };
        let Some(watcher) = self.watchers.get(&number) else { return Err(Fault::NoSubscription) };
        let seconds = lasts.as_secs().to_string();
        let ok = turn
            .reply(request, Status::OK, Status::OK.phrase())
            .copy(request, Name::RecordRoute)
            .raw(Name::Contact, watcher.contact(turn.house).as_bytes())
            .raw(Name::Expires, seconds.as_bytes())
            .raw(Name::AllowEvents, PACKAGE.as_bytes());
        turn.answer(id, ok.wire());
        // Whoever watched before hears of what has changed meanwhile by itself.
        self.changed(turn, &aor, bindings);
        self.mail(turn, number);
        Ok(())
    }

    fn begin(
        &mut self,
        turn: &Turn<'_>,
        (came, request): (Flow, &Message),
        aor: &[u8],
        until: Time,
    ) -> Result<u64, Fault> {
        let many = self.watched.get(aor).map_or(0, |watched| watched.by.len());
        if many >= limits::WATCHERS || self.watchers.len() >= limits::SUBSCRIPTIONS {
            return Err(Fault::Overloaded(60));
        }
        let watcher = Watcher::begin(turn, (came, request), aor, until)?;
        self.next += 1;
        self.watchers.insert(self.next, watcher);
        self.watched.entry(aor.into()).or_default().by.insert(self.next);
        Ok(self.next)
    }

    fn refresh(&mut self, request: &Message, aor: &[u8], until: Time) -> Result<u64, Fault> {
        let dialog = DialogId::of_request(request).ok_or(Fault::NoSubscription)?;
        let by = self.watched.get(aor).into_iter().flat_map(|watched| &watched.by);
        for number in by {
            let Some(watcher) = self.watchers.get_mut(number) else { continue };
            let subscription = &mut watcher.subscription;
            if *subscription.id() == dialog && subscription.is_named_by(request) {
                subscription.refresh(request, until).map_err(|_| Fault::OutOfOrder)?;
                watcher.owed = Owed::Everything;
                return Ok(*number);
            }
        }
        Err(Fault::NoSubscription)
    }

    /// True when somebody watches an address.
    pub(crate) fn is_watched(&self, aor: &[u8]) -> bool {
        self.watched.contains_key(aor)
    }

    /// The bindings of an address may have changed: its watchers are told what has.
    pub(crate) fn changed(&mut self, turn: &mut Turn<'_>, aor: &[u8], now: Vec<Binding>) {
        let Some(watched) = self.watched.get_mut(aor) else { return };
        let changes = between(turn.now, &watched.known, &now);
        watched.known = now;
        if changes.is_empty() {
            return;
        }
        for number in watched.by.clone() {
            if let Some(watcher) = self.watchers.get_mut(&number) {
                watcher.owe(&changes);
                self.mail(turn, number);
            }
        }
    }

    /// Sends what is owed and due, and sets the alarm for what is not.
    fn mail(&mut self, turn: &mut Turn<'_>, number: u64) {
        let Some(watcher) = self.watchers.get_mut(&number) else { return };
        let is_over = watcher.subscription.until() <= turn.now;
        let due = watcher.subscription.next_mail();
        if is_over || due.is_some_and(|due| due <= turn.now) {
            let Some(watched) = self.watched.get(&watcher.aor) else { return };
            let client = watcher.notify(turn, &watched.known, PACE);
            if is_over {
                return self.end(number);
            }
            if let Some(client) = client {
                self.sent.insert(client, number);
            }
        }
        let Some(watcher) = self.watchers.get_mut(&number) else { return };
        let until = watcher.subscription.until();
        let next = watcher.subscription.next_mail().map_or(until, |due| due.min(until));
        if next < watcher.alarm {
            watcher.alarm = next;
            self.alarms.set(next, number);
        }
    }

    /// True for a NOTIFY of ours; then its answer is taken, or the news that there is none.
    pub(crate) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientId,
        answer: Option<Status>,
    ) -> bool {
        let is_final = answer.is_none_or(Status::is_final);
        let Some(number) = self.sent.get(&client).copied() else { return false };
        if is_final {
            self.sent.remove(&client);
            let watcher = self.watchers.get_mut(&number);
            match watcher.map(|watcher| watcher.subscription.answered(answer)) {
                Some(true) => self.mail(turn, number),
                Some(false) => self.end(number),
                None => {}
            }
        }
        true
    }

    fn end(&mut self, number: u64) {
        let Some(watcher) = self.watchers.remove(&number) else { return };
        if let Some(watched) = self.watched.get_mut(&watcher.aor) {
            watched.by.remove(&number);
            if watched.by.is_empty() {
                self.watched.remove(&watcher.aor);
            }
        }
    }

    /// Does what is due: subscriptions that end, changes that had to wait.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        while let Some(number) = self.alarms.due(turn.now) {
            if let Some(watcher) = self.watchers.get_mut(&number) {
                watcher.alarm = Time::NEVER;
                self.mail(turn, number);
            }
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.next()
    }
}

/// Registrations are their user's to watch, and nobody else's (RFC 3680 §4.6, RFC 8599 §13): who it is was proven before.
fn owns(request: &Message, aor: &[u8]) -> bool {
    request.get::<From>().and_then(|from| aor_of(from.uri)).is_some_and(|from| *from == *aor)
}
