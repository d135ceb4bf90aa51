//! What the nodes of a cluster share. The store that they share has the truth; what lies here is a copy of it.
//!
//! A REGISTER is worked out on the copy, and offered as the edition after it. When another node was faster, the store says what it has:
//! that becomes the copy, and the REGISTER is worked out anew. So the rules of RFC 3261 §10.3 hold over all nodes, and no binding is lost
//! or comes back. Who calls has the store asked first; only when that cannot be reached, the copy must do, as long as its bindings last.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::doors::{Asker, Event, Share, Sleeper};
use protocol::transaction::ServerId;
use protocol::{Answer, Fault, Flow, Output, Question, Record, Ticket};
use sip::{Bytes, Message, Name};

use super::edition::{Edition, Spoilt, for_all};
use super::losses::{Debt, Gone, Losses};
use super::{Registrar, Removal, answer, common, registered};
use crate::house::House;
use crate::limits;
use crate::location::{Binding, Lost, What};
use crate::proxy::Plan;
use crate::purpose::Purpose;
use crate::push;
use crate::settings::Bindings;
use crate::turn::Turn;

/// What waits for the store, and which editions the copies are of.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    asked: u64,
    /// How far the fastest clock of all nodes is ahead of ours, as far as editions have shown: they are numbered by that one. So when the store
    /// falls back to an earlier edition, what was written after the lost one has a higher number than that, whoever wrote it.
    ahead: Duration,
    copies: BTreeMap<Box<[u8]>, Held>,
    writing: BTreeMap<Ticket, Writing>,
    /// How many of these each address has.
    offered: BTreeMap<Box<[u8]>, u32>,
    reading: BTreeMap<Ticket, Reading>,
    losses: Losses,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// The edition that our copy is of.
    copy: u64,
    /// What the store calls its own: another number, when it has fallen back, or somebody else has written there.
    there: u64,
}

/// An edition that was offered.
#[derive(Debug)]
struct Writing {
    aor: Box<[u8]>,
    edition: Edition,
    why: Why,
    /// How often it was worked out.
    tries: u8,
    until: Time,
}

/// What it was offered for.
#[derive(Debug)]
enum Why {
    /// A phone wants it so.
    Register(Box<Registering>),
    /// Bindings went.
    Gone(Gone),
    /// The store has bindings that went when it could not be told.
    GoneLong,
    /// The store has lost it.
    Again,
}

/// A REGISTER that waits.
#[derive(Debug)]
struct Registering {
    id: ServerId,
    flow: Flow,
    request: Message,
    /// What its 200 will say in its Authentication-Info.
    info: Option<Box<str>>,
    /// The bindings that it says anew.
    over: Vec<Binding>,
    ok: Bytes,
    news: Option<Event>,
}

/// Somebody who wants to know what the store has.
#[derive(Debug)]
struct Reading {
    aor: Box<[u8]>,
    then: Then,
    until: Time,
}

/// What is done once the bindings are known.
#[derive(Debug)]
pub(crate) enum Then {
    /// Another shard is told.
    Tell(Asker),
    /// A request that is for us is served.
    Serve(Box<(ServerId, (Flow, Message, Plan), Purpose)>),
    /// A phone is woken.
    Wake(Asker, Box<Sleeper>),
    /// Bindings are to be taken away: the one with this Contact URI, or all. The store could not be asked which there are.
    TakeAway(Option<Box<[u8]>>),
    /// Bindings that have ended in our copy are forgotten, and those that have not been refreshed elsewhere are told of.
    Forget(Vec<Binding>),
    /// Nothing: who watches is told.
    Nothing,
}

impl Sharing {
    fn ticket(&mut self) -> Ticket {
        self.asked = self.asked.wrapping_add(1);
        Ticket(self.asked)
    }

    fn begin(&mut self, ticket: Ticket, writing: Writing) {
        *self.offered.entry(writing.aor.clone()).or_default() += 1;
        self.writing.insert(ticket, writing);
    }

    fn end(&mut self, ticket: Ticket) -> Option<Writing> {
        let writing = self.writing.remove(&ticket)?;
        let offered = self.offered.get_mut(&writing.aor);
        if offered.is_none_or(|count| {
            *count = count.saturating_sub(1);
            *count == 0
        }) {
            self.offered.remove(&writing.aor);
        }
        Some(writing)
    }

    /// The copy of an address is gone.
    pub(super) fn forget(&mut self, aor: &[u8]) {
        self.copies.remove(aor);
    }

    /// When somebody has waited too long: tickets and deadlines have one order.
    pub(super) fn deadline(&self) -> Option<Time> {
        let writing = self.writing.values().next().map(|writing| writing.until);
        let reading = self.reading.values().next().map(|reading| reading.until);
        writing.into_iter().chain(reading).chain(self.losses.deadline()).min()
    }

    /// What has become of what was taken away from an address.
    pub(super) fn removal(&self, aor: &[u8]) -> Removal {
        let is_its = |writing: &Writing| {
            *writing.aor == *aor && matches!(writing.why, Why::Gone(Gone::TakenAway(..)))
        };
        let asks =
            |reading: &Reading| *reading.aor == *aor && matches!(reading.then, Then::TakeAway(_));
        if self.losses.owes(aor) {
            return Removal::Refused;
        }
        let waits = self.writing.values().any(is_its) || self.reading.values().any(asks);
        if waits { Removal::Waits } else { Removal::Kept }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.writing.len() + self.reading.len()
    }
}

impl Registrar {
    /// Offers what a REGISTER asks for.
    pub(super) fn offer(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        (flow, request): (Flow, &Message),
        tries: u8,
    ) -> Result<(), Fault> {
        let aor = self.address_of_record(turn.house, request)?;
        let outbound = super::Outbound::of(request)?;
        push::capabilities(turn.house, request)?;
        let next = self.changed(turn, &aor, request, &common(flow, request, outbound)?)?;
        let is_full = self.location.len() >= limits::AORS && !next.is_empty();
        if is_full || self.sharing.writing.len() >= limits::UNKEPT || tries >= limits::OFFERS {
            return Err(Fault::Overloaded(limits::UNSHARED_RETRY));
        }
        let ok = answer::ok(turn, request, next.iter().map(Binding::said), outbound);
        let news = registered(turn, (&aor, next.len()), (flow, request));
        let info = turn.info.clone();
        let request = request.clone();
        let mut over = self.location.bindings(turn.now, &aor);
        over.retain(|old| next.iter().any(|new| new.is_of(old) && !new.is_said_as(old)));
        let why = Registering { id, flow, request, info, over, ok, news };
        let why = Why::Register(Box::new(why));
        self.write(turn, &aor, next, (why, tries));
        Ok(())
    }

    /// Offers an edition.
    fn write(
        &mut self,
        turn: &mut Turn<'_>,
        aor: &[u8],
        next: Vec<Binding>,
        (why, tries): (Why, u8),
    ) {
        let Some(cluster) = turn.house.settings.cluster else { return };
        let Held { copy, there } = self.sharing.copies.get(aor).copied().unwrap_or_default();
        let number = Edition::after(copy, turn.now + self.sharing.ahead, turn.dice);
        let known = self.location.bindings(turn.now, aor);
        // As long as somebody may still have the bindings that are gone, it is to be known that they are. Nor is what was given up, and comes late, to
        // find nothing where it was overtaken.
        let least = match why {
            Why::Gone(_) | Why::GoneLong => turn.house.settings.registrar.max,
            Why::Register(_) | Why::Again if next.is_empty() => turn.house.settings.registrar.max,
            Why::Register(_) | Why::Again => LATE,
        };
        let all = next.iter().chain(&known).map(|binding| binding.until);
        let until = all.fold(turn.now + least, Time::max);
        let value = Edition::write(turn.house, aor, number, &for_all(cluster.us, &next));
        let record = Record { key: aor.into(), value, until };
        // What is gone is gone from our copy already.
        let told = matches!(why, Why::Gone(_) | Why::GoneLong)
            || !is_same(&known, &next)
            || is_awake(turn.house, aor, (&known, &next));
        let share = Share { record, before: there.to_be_bytes(), told };
        let edition = Edition { number, bindings: next };
        let until = turn.now + super::keeping::PATIENCE;
        let ticket = self.sharing.ticket();
        let aor = aor.into();
        self.sharing.begin(ticket, Writing { aor, edition, why, tries, until });
        turn.out.push(Output::Ask(ticket, Question::Share(share)));
    }

    /// Asks the store for the bindings of an address, for somebody.
    pub(crate) fn recall(&mut self, turn: &mut Turn<'_>, aor: &[u8], then: Then) {
        let until = turn.now + RECALL;
        let ticket = self.sharing.ticket();
        self.sharing.reading.insert(ticket, Reading { aor: aor.into(), then, until });
        turn.out.push(Output::Ask(ticket, Question::Recall(aor.into())));
    }

    /// Whose bindings must be asked for before a request can be served.
    pub(crate) fn must_recall(
        &self,
        turn: &Turn<'_>,
        request: &Message,
        purpose: &Purpose,
    ) -> Option<Box<[u8]>> {
        if turn.house.settings.bindings != Bindings::Shared || self.sharing.len() > limits::CONTEXTS
        {
            return None;
        }
        match purpose {
            Purpose::Register if !request.has(Name::Contact) => {
                self.address_of_record(turn.house, request).ok()
            }
            Purpose::Watch(aor) => Some(aor.clone()),
            _ => None,
        }
    }

    /// True when there is a copy of an address.
    pub(crate) fn has_copy(&self, aor: &[u8]) -> bool {
        self.sharing.copies.contains_key(aor)
    }

    /// Another node has changed the bindings of an address: our copy is drawn anew.
    pub(crate) fn draw_anew(&mut self, turn: &mut Turn<'_>, aor: &[u8]) {
        if self.sharing.len() < limits::CONTEXTS {
            self.recall(turn, aor, Then::Nothing);
        }
    }

    /// The store has answered somebody who wanted to know: what is to be done now, and for whose address.
    pub(crate) fn recalled(
        &mut self,
        turn: &mut Turn<'_>,
        ticket: Ticket,
        answer: &Answer,
    ) -> Option<(Box<[u8]>, Then)> {
        let Reading { aor, then, .. } = self.sharing.reading.remove(&ticket)?;
        match answer {
            Answer::Recalled(Some(octets)) => self.compare(turn, &aor, octets),
            // A binding that is removed leaves an edition without it. So this is lost, and our copy is what is left.
            Answer::Recalled(None) => self.restore_lost(turn, &aor),
            _ => {}
        }
        self.tidy(turn.now, &aor);
        match then {
            Then::TakeAway(_) if matches!(answer, Answer::Recalled(_)) => None,
            then => Some((aor, then)),
        }
    }

    /// Somebody whom the store has not answered in time: the copy must do.
    pub(crate) fn overdue(&mut self, now: Time) -> Option<(Box<[u8]>, Then)> {
        let first = self.sharing.reading.first_entry().filter(|first| first.get().until <= now)?;
        let Reading { aor, then, .. } = first.remove();
        Some((aor, then))
    }

    /// Bindings end in our copies. Their phones may have refreshed them at another node, which tells that nobody: the store knows.
    pub(super) fn copies_end(&mut self, turn: &mut Turn<'_>) {
        for (aor, ended) in self.location.ending(turn.now) {
            if self.sharing.len() < limits::CONTEXTS {
                self.recall(turn, &aor, Then::Forget(ended));
            } else {
                self.forget(turn, &aor, &ended);
            }
        }
    }

    /// Forgets what has ended. What has not been refreshed is told of.
    pub(crate) fn forget(&mut self, turn: &mut Turn<'_>, aor: &[u8], ended: &[Binding]) {
        self.location.forget_expired(turn.now, aor);
        let all = self.location.bindings(turn.now, aor);
        if ended.iter().any(|old| !all.iter().any(|new| new.is_of(old))) {
            let lost = Lost { aor: aor.into(), left: all.len(), what: What::Binding };
            self.lost(turn, vec![lost], &Gone::Expired);
        }
    }

    /// The store has answered somebody who wrote.
    pub(super) fn shared(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: Answer) {
        let Some(writing) = self.sharing.end(ticket) else { return };
        match answer {
            Answer::Kept => self.kept(turn, writing),
            Answer::Differs(octets) => match self.adopt(turn, &writing.aor, &octets) {
                Ok(debt) => self.again(turn, writing, debt),
                Err(fault) => refuse(turn, writing.why, &fault),
            },
            _ => self.untaken(turn, writing),
        }
    }

    /// Those whom the store has not answered in time, and what it is still to be told.
    pub(super) fn wake_sharing(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let due =
            |(ticket, writing): (&Ticket, &Writing)| (writing.until <= now).then_some(*ticket);
        while let Some(ticket) = self.sharing.writing.first_key_value().and_then(due) {
            let ended = self.sharing.end(ticket);
            ended.into_iter().for_each(|writing| self.untaken(turn, writing));
        }
        for aor in self.sharing.losses.due(turn.now) {
            self.recall(turn, &aor, Then::Nothing);
        }
    }

    /// The store has not taken it, or nobody knows. What is gone is told to it later.
    fn untaken(&mut self, turn: &mut Turn<'_>, writing: Writing) {
        let Writing { aor, edition, why, .. } = writing;
        match why {
            Why::Gone(gone) => self.owe(turn, &aor, (gone, edition.number)),
            why => {
                refuse(turn, why, &Fault::Overloaded(limits::UNSHARED_RETRY));
                self.tidy(turn.now, &aor);
            }
        }
    }

    /// What is gone is not to come back meanwhile, whatever the store has.
    fn owe(&mut self, turn: &mut Turn<'_>, aor: &[u8], (gone, number): (Gone, u64)) {
        let until = turn.now + turn.house.settings.registrar.max;
        self.sharing.losses.owe(turn.now, aor, gone, (number, until));
        let number = self.sharing.copies.get(aor).map_or(0, |held| held.copy);
        let bindings = self.location.bindings(turn.now, aor);
        if !bindings.is_empty() {
            let copy = Edition { number, bindings };
            let left = self.sharing.losses.left(turn.house, aor, copy);
            self.location.replace(aor, &left.bindings);
        }
    }

    /// Bindings are to be taken away that the store may have, and could not be asked for: it is told as soon as it can be. Those that are known here are
    /// left to who takes them away.
    pub(crate) fn take_away(
        &mut self,
        turn: &mut Turn<'_>,
        aor: &[u8],
        contact: Option<Box<[u8]>>,
    ) {
        let known = self.location.bindings(turn.now, aor);
        let gone = Gone::TakenAway(contact, Vec::new());
        if known.into_iter().all(|binding| gone.leaves(turn.house, aor, binding).is_some()) {
            let copy = self.sharing.copies.get(aor).map_or(0, |held| held.copy);
            let number = Edition::after(copy, turn.now + self.sharing.ahead, turn.dice);
            self.owe(turn, aor, (gone, number));
        }
    }

    /// Bindings of an address are gone from our copy.
    pub(super) fn share_loss(&mut self, turn: &mut Turn<'_>, aor: &[u8], gone: Gone) {
        let left = self.location.bindings(turn.now, aor);
        match gone {
            Gone::Expired if left.is_empty() => self.sharing.forget(aor),
            Gone::Expired => {}
            Gone::With(_) | Gone::TakenAway(..) | Gone::WithTheirUser => {
                self.write(turn, aor, left, (Why::Gone(gone), 0));
            }
        }
    }

    fn kept(&mut self, turn: &mut Turn<'_>, writing: Writing) {
        let Writing { aor, edition, why, .. } = writing;
        self.sharing.losses.settle(turn.house, &aor, &edition);
        // Another may have taken its place already.
        if self.sharing.copies.get(&aor).is_none_or(|held| held.copy <= edition.number) {
            self.take(turn.house, &aor, edition);
        }
        self.tidy(turn.now, &aor);
        if let Why::Register(registering) = why {
            turn.out.extend(registering.news.map(Output::Report));
            turn.answer(registering.id, registering.ok);
        }
    }

    /// Works it out anew on what the store has.
    fn again(&mut self, turn: &mut Turn<'_>, writing: Writing, debt: Debt) {
        let Writing { aor, edition, why, tries, .. } = writing;
        let tries = tries.saturating_add(1);
        match why {
            Why::Register(registering)
                if self.is_taken_away(turn.now, &aor, (&edition, &registering.over)) =>
            {
                self.tidy(turn.now, &aor);
                let fault = Fault::Overloaded(limits::UNSHARED_RETRY);
                refuse(turn, Why::Register(registering), &fault);
            }
            Why::Register(registering) => {
                let Registering { id, flow, request, info, .. } = *registering;
                let before = std::mem::replace(&mut turn.info, info);
                if let Err(fault) = self.offer(turn, id, (flow, &request), tries) {
                    self.tidy(turn.now, &aor);
                    turn.refuse_in(id, flow, &request, &fault);
                }
                turn.info = before;
            }
            Why::Gone(gone) if tries < limits::OFFERS => {
                let all = self.location.bindings(turn.now, &aor);
                let before = all.clone();
                let leaves = |binding| gone.leaves(turn.house, &aor, binding);
                let left: Vec<_> = all.into_iter().filter_map(leaves).collect();
                let changed = left.len() < before.len()
                    || left.iter().zip(&before).any(|(left, before)| left.flow != before.flow);
                if changed {
                    self.write(turn, &aor, left, (Why::Gone(gone), tries));
                }
            }
            Why::Gone(gone) => self.owe(turn, &aor, (gone, edition.number)),
            Why::GoneLong if debt == Debt::Losses && tries < limits::OFFERS => {
                self.tell_losses(turn, &aor, tries);
            }
            Why::GoneLong | Why::Again => {}
        }
    }

    /// Whether bindings went at another node after this edition was made, which says them anew: then they are gone, and their phone may ask for
    /// new ones.
    fn is_taken_away(&self, now: Time, aor: &[u8], (ours, over): (&Edition, &[Binding])) -> bool {
        let is_later = self.sharing.copies.get(aor).is_some_and(|held| held.copy > ours.number);
        let left = self.location.bindings(now, aor);
        let is_gone =
            |old: &Binding| old.until > now && !left.iter().any(|binding| binding.is_of(old));
        is_later && over.iter().any(is_gone)
    }

    /// The store has what is gone: it is told what is left.
    fn tell_losses(&mut self, turn: &mut Turn<'_>, aor: &[u8], tries: u8) {
        if self.sharing.writing.len() < limits::UNKEPT {
            let left = self.location.bindings(turn.now, aor);
            self.write(turn, aor, left, (Why::GoneLong, tries));
        }
    }

    /// Compares what the store has with our copy. An older edition than ours is one that the store has fallen back to.
    fn compare(&mut self, turn: &mut Turn<'_>, aor: &[u8], octets: &[u8]) {
        // Who only wants to know changes nothing in what cannot be read.
        let Ok(debt) = self.adopt(turn, aor, octets) else { return };
        if debt == Debt::Losses {
            self.tell_losses(turn, aor, 0);
        } else if self.sharing.copies.get(aor).is_some_and(|held| held.copy != held.there) {
            self.restore_lost(turn, aor);
        }
    }

    /// Takes what the store has for our copy. What no node has written, and an edition older than ours, tell only what is to be replaced.
    fn adopt(&mut self, turn: &mut Turn<'_>, aor: &[u8], octets: &[u8]) -> Result<Debt, Fault> {
        let copy = self.sharing.copies.get(aor).map_or(0, |held| held.copy);
        let name = || String::from_utf8_lossy(aor).into();
        let read = Edition::read(turn.house, turn.now, aor, octets);
        let lead = read.as_ref().map_or(Duration::ZERO, |edition| edition.lead(turn.now));
        self.sharing.ahead = self.sharing.ahead.max(lead);
        let debt = match &read {
            Ok(edition) => self.sharing.losses.settle(turn.house, aor, edition),
            Err(_) => self.sharing.losses.forgive(aor),
        };
        match read {
            Ok(edition) if edition.number > copy => self.take(turn.house, aor, edition),
            Ok(Edition { number: there, .. }) => {
                self.sharing.copies.insert(aor.into(), Held { copy, there });
            }
            Err(Spoilt::Tampered(there)) => {
                turn.out.push(Output::Report(Event::Tampered { aor: name() }));
                self.sharing.copies.insert(aor.into(), Held { copy, there });
            }
            Err(Spoilt::Newer) => {
                turn.out.push(Output::Report(Event::Newer { aor: name() }));
                return Err(Fault::Overloaded(limits::UNSHARED_RETRY));
            }
        }
        Ok(debt)
    }

    /// The store has less than we know: it is told again.
    fn restore_lost(&mut self, turn: &mut Turn<'_>, aor: &[u8]) {
        let bindings = self.location.bindings(turn.now, aor);
        let waits = self.sharing.writing.len() >= limits::UNKEPT;
        if !bindings.is_empty() && !waits {
            self.write(turn, aor, bindings, (Why::Again, 0));
        }
    }

    fn take(&mut self, house: &House, aor: &[u8], edition: Edition) {
        let Edition { number, bindings } = self.sharing.losses.left(house, aor, edition);
        // Without room for its bindings it is only known what is to be replaced.
        let copied = self.location.replace(aor, &bindings);
        let copy = if copied { number } else { 0 };
        self.sharing.copies.insert(aor.into(), Held { copy, there: number });
    }

    /// Of an address without bindings nothing need be known, once nobody waits for it.
    fn tidy(&mut self, now: Time, aor: &[u8]) {
        if !self.sharing.offered.contains_key(aor) && self.location.bindings(now, aor).is_empty() {
            self.sharing.forget(aor);
        }
    }
}

/// The same phones at the same places, however long they last.
fn is_same(known: &[Binding], next: &[Binding]) -> bool {
    let all = |these: &[Binding], those: &[Binding]| {
        these.iter().all(|one| those.iter().any(|other| one.uri() == other.uri()))
    };
    all(known, next) && all(next, known)
}

/// A phone that can be woken has registered, at the same place: another node may have woken it for a caller who waits.
fn is_awake(house: &House, aor: &[u8], (known, next): (&[Binding], &[Binding])) -> bool {
    let spoke = |binding: &&Binding| !known.iter().any(|old| old.is_said_as(binding));
    let sleeper = |binding: &Binding| push::can_be_woken(house, aor, binding.uri());
    next.iter().filter(spoke).any(|binding| sleeper(binding).is_some())
}

/// It did not work: a phone that waits is told so. Nothing is changed.
fn refuse(turn: &mut Turn<'_>, why: Why, fault: &Fault) {
    if let Why::Register(registering) = why {
        let Registering { id, flow, request, .. } = *registering;
        turn.refuse_in(id, flow, &request, fault);
    }
}

/// How late what the store is asked may come to it: it is told later that nobody waits any more.
const LATE: Duration = Duration::from_secs(60);

/// How long who calls waits for the store.
const RECALL: Duration = Duration::from_secs(2);
