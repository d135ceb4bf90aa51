//! The registrar: REGISTER, all of it or nothing (RFC 3261 §10.3, Path of RFC 3327).

mod answer;
mod contact;
mod edition;
mod expiry;
mod keeping;
mod losses;
mod outbound;
mod queues;
mod refresh;
mod sharing;

use std::time::Duration;

use machine::{Dice, Time};
use protocol::doors::{Event, Reach};
use protocol::transaction::ServerId;
use protocol::{Answer, Fault, Flow, Output, Record, Ticket};
use sip::header::{CSeq, Contact, Expires, Path, Supported, To};
use sip::{Bytes, Message, Name, Uri};

use crate::admission::lists;
use crate::figures::Delays;
use crate::house::{House, Place};
use crate::limits;
use crate::location::{Binding, Lies, Location, Lost, Said, Touched, What, Which, flow_to_reach};
use crate::push;
use crate::routes::Dialled;
use crate::settings::{self, Bindings, WhenFull};
use crate::turn::{Turn, call_id, text};
use contact::Asked;
use keeping::{Keeping, Waiting};
use losses::Gone;
use outbound::Outbound;
use sharing::Sharing;

pub use keeping::Removal;
pub(crate) use sharing::Then;

/// Writes bindings.
#[derive(Debug)]
pub(crate) struct Registrar {
    location: Location,
    keeping: Keeping,
    sharing: Sharing,
    delays: Delays,
    /// How far we have looked for users who are gone, as long as we look.
    swept: Option<usize>,
}

/// What is the same for all contacts of one REGISTER.
struct Common<'a> {
    call_id: &'a [u8],
    cseq: u32,
    /// How it came, when that leads to the phone.
    flow: Option<Flow>,
    path: Vec<&'a [u8]>,
    outbound: Outbound,
}

impl Registrar {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            location: Location::new(dice),
            keeping: Keeping::default(),
            sharing: Sharing::default(),
            delays: Delays::default(),
            swept: None,
        }
    }

    /// Somebody has registered this address in a way that has this number; true when it came like that the last time too.
    pub(crate) fn comes(&mut self, aor: &[u8], how: u16) -> bool {
        self.location.comes(aor, how)
    }

    /// How to reach an address of record now: its bindings, and where the settings say that it is at all times.
    pub(crate) fn reach(&self, turn: &Turn<'_>, aor: &[u8]) -> Vec<Reach> {
        let bindings = self.location.bindings(turn.now, aor).into_iter();
        let way = |binding: Binding| Reach {
            asleep: push::asleep(turn.house, aor, &binding).map(Box::new),
            ..binding.reach()
        };
        let mut ways: Vec<_> = bindings.map(way).collect();
        let always = turn.house.user(aor).into_iter().flat_map(|user| &user.contacts);
        ways.extend(always.map(|uri| Reach::to(uri.as_bytes())));
        ways
    }

    /// The bindings of an address now.
    pub(crate) fn bindings(&self, now: Time, aor: &[u8]) -> Vec<Binding> {
        self.location.bindings(now, aor)
    }

    /// How long the REGISTERs took that were answered with 200.
    pub(crate) const fn delays(&self) -> &Delays {
        &self.delays
    }

    /// Where they are kept.
    pub(crate) const fn location(&self) -> &Location {
        &self.location
    }

    /// Takes bindings of an address away: the one with this Contact URI, or all; how many.
    pub(crate) fn unregister(
        &mut self,
        turn: &mut Turn<'_>,
        aor: &[u8],
        contact: Option<&[u8]>,
    ) -> usize {
        let before = self.location.bindings(turn.now, aor);
        let stays =
            |binding: &Binding| contact.is_some_and(|contact| !binding.is(&Which::Uri(contact)));
        let (left, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(stays);
        let removed = gone.len();
        if removed > 0 && self.location.replace(aor, &left) {
            let gone = Gone::TakenAway(contact.map(Into::into), gone);
            let lost = Lost { aor: aor.into(), left: left.len(), what: What::Binding };
            self.lost(turn, vec![lost], &gone);
        }
        removed
    }

    /// What has become of what was taken away from an address.
    pub(crate) fn removal(&self, aor: &[u8]) -> Removal {
        match self.sharing.removal(aor) {
            Removal::Kept => self.keeping.removal(aor),
            other => other,
        }
    }

    /// Whose bindings were written since this was asked last.
    pub(crate) fn touched(&mut self) -> Vec<Touched> {
        self.location.touched()
    }

    /// How many addresses of record have bindings.
    pub(crate) fn len(&self) -> usize {
        self.location.len()
    }

    /// Does what a REGISTER for this address of record asks for, wholly or not at all, and writes its 200; nothing when its bindings must be
    /// safe before that is sent.
    pub(crate) fn register(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        (flow, request): (Flow, &Message),
        aor: &[u8],
    ) -> Result<Option<Bytes>, Fault> {
        let outbound = Outbound::of(request)?;
        push::capabilities(turn.house, request)?;
        if !request.has(Name::Contact) {
            let bindings = self.location.bindings(turn.now, aor);
            let told = bindings.iter().map(Binding::said);
            return Ok(Some(answer::ok(turn, request, told, outbound)));
        }
        if turn.house.settings.bindings == Bindings::Shared {
            self.offer(turn, id, (flow, request), 0)?;
            return Ok(None);
        }
        let common = common(flow, request, outbound)?;
        let known = self.location.only(turn.now, aor);
        let asked = known.and_then(|_| refresh::alone(request, outbound));
        let refreshed = match known.zip(asked.as_ref()) {
            Some(both) => refresh::refreshed(turn, aor, (request, &common), both)?,
            None => None,
        };
        let next = match refreshed {
            Some(_) => Vec::new(),
            None => self.changed(turn, aor, request, &common)?,
        };
        let (at, alone) = refreshed.unzip();
        let count = next.len() + usize::from(alone.is_some());
        let is_full = self.location.len() >= limits::AORS && count > 0;
        if is_full || self.keeping.is_full() {
            return Err(Fault::Overloaded(60));
        }
        let in_memory = turn.house.settings.bindings == Bindings::InMemory;
        let before = if in_memory { Box::default() } else { self.written(aor, at).into() };
        match at.zip(alone.as_ref()) {
            Some((at, said)) => self.location.refresh(at, aor, *said),
            None if self.location.replace(aor, &next) => {}
            None => return Err(Fault::Overloaded(60)),
        }
        let news = registered(turn, (aor, count), (flow, request));
        let told = alone.iter().copied().chain(next.iter().map(Binding::said));
        let ok = answer::ok(turn, request, told, outbound);
        if in_memory {
            turn.out.extend(news.map(Output::Report));
            self.delays.note(Duration::ZERO);
            return Ok(Some(ok));
        }
        let ends = alone.iter().map(|said| said.until);
        let last = ends.chain(next.iter().map(|binding| binding.until)).max();
        let (value, until) = (self.written(aor, at).into(), last.unwrap_or(turn.now));
        let record = Record { key: aor.into(), value, until }.into();
        let (until, news) = (turn.now + keeping::PATIENCE, news.map(Box::new));
        self.keeping.keep(turn, Waiting { id, flow, ok, news, before, record, until });
        Ok(None)
    }

    /// The bindings of an address as they are kept; where they lie need not be looked for when it is known.
    fn written(&self, aor: &[u8], at: Option<Lies>) -> &[u8] {
        at.map_or_else(|| self.location.written(aor), |at| self.location.written_at(at))
    }

    /// The bindings of an address, to be kept over a restart.
    fn record(&self, now: Time, aor: &[u8], bindings: &[Binding]) -> Record {
        let until = bindings.iter().map(|binding| binding.until).max().unwrap_or(now);
        Record { key: aor.into(), value: self.location.written(aor).into(), until }
    }

    /// The store has answered.
    pub(crate) fn answered(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: Answer) {
        if turn.house.settings.bindings == Bindings::Shared {
            return self.shared(turn, ticket, answer);
        }
        let took = self.keeping.answered(turn, &mut self.location, (ticket, answer));
        took.into_iter().for_each(|took| self.delays.note(took));
    }

    /// Takes bindings of an earlier life, whose clock was set by so many milliseconds since. Connections of that life are gone.
    /// Whoever is no user any more is forgotten.
    pub(crate) fn restore(
        &mut self,
        (now, house): (Time, &House),
        (aor, value): (&[u8], &[u8]),
        shift: i64,
    ) {
        if !house.knows(aor) && !house.trusts_everybody() {
            return;
        }
        let is_open = |flow: Flow| {
            let listener = house.listener(flow.listener);
            flow.connection == 0
                && listener.is_some_and(|listener| listener.transport == flow.transport)
        };
        self.location.restore(aor, value, |mut binding| {
            binding.until = binding.until.shifted(shift);
            match binding.flow {
                _ if binding.until <= now => None,
                Some(flow) if !is_open(flow) => binding.without(flow, |binding| {
                    push::can_be_woken(house, aor, binding.uri()).is_some()
                }),
                _ => Some(binding),
            }
        });
    }

    /// Step 5: the To, which must be one of our users.
    pub(crate) fn address_of_record(
        &self,
        house: &House,
        request: &Message,
    ) -> Result<Box<[u8]>, Fault> {
        let to = request.get::<To>().ok_or(Fault::BadContact)?;
        let uri = to.parsed().map_err(Fault::Malformed)?;
        match house.place(&uri) {
            // A NUL is nobody's name: what begins with one is the store's own.
            Place::User(Dialled { user, .. })
                if !user.contains(&0) && (house.trusts_everybody() || house.knows(&user)) =>
            {
                Ok(user)
            }
            _ => Err(Fault::NotFound),
        }
    }

    /// Steps 6 and 7: the bindings as they would be, those refreshed now behind the others. Nothing is changed yet.
    fn changed(
        &self,
        turn: &mut Turn<'_>,
        aor: &[u8],
        request: &Message,
        common: &Common<'_>,
    ) -> Result<Vec<Binding>, Fault> {
        let mut next = self.location.bindings(turn.now, aor);
        let mut added = Vec::new();
        let header = expires(request);
        for contact in request.all::<Contact>() {
            let contact = contact.map_err(Fault::Malformed)?;
            let Some(asked) = Asked::read(&contact, common.outbound) else {
                return remove_all(next, request, header, common);
            };
            let least = push::least_expiry(turn.house, aor, asked.uri);
            let lasts = expiry::granted(turn, asked.expires.or(header), least)?;
            let (since, first_cseq) = match lasts {
                Some(_) => since(&mut next, &asked, (turn.now, common)),
                None => (turn.now, common.cseq),
            };
            let named = next.extract_if(.., |binding| binding.is(&asked.which));
            named.into_iter().try_for_each(|old| in_order(&old, common))?;
            // Named twice in one REGISTER: the later says how it is.
            added.retain(|binding: &Binding| !binding.is(&asked.which));
            let Some(lasts) = lasts else { continue };
            let times = (turn.now + lasts, since, first_cseq);
            let said = said(turn, aor, (request, common), (&asked, times))?;
            let binding = Binding::new(said, common.path.iter().copied());
            added.push(binding.ok_or(Fault::BadContact)?);
        }
        if added.len() > 1 && added.iter().any(|binding| binding.reg_id().is_some()) {
            return Err(Fault::SeveralFlows);
        }
        make_room(turn.house, &mut next, added.len())?;
        next.append(&mut added);
        Ok(next)
    }

    /// Forgets what has expired.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        self.keeping.wake(turn, &mut self.location);
        self.write_again(turn);
        self.wake_sharing(turn);
        if turn.house.settings.bindings == Bindings::Shared {
            self.copies_end(turn);
        } else {
            let lost = self.location.wake(turn.now);
            self.lost(turn, lost, &Gone::Expired);
        }
        self.sweep(turn);
    }

    /// Has written what the store did not take, and what must not come back.
    fn write_again(&mut self, turn: &mut Turn<'_>) {
        for aor in self.keeping.due(turn.now) {
            let left = self.location.bindings(turn.now, &aor);
            let record = self.record(turn.now, &aor, &left);
            self.keeping.owe(turn, record);
        }
    }

    /// The settings have changed: whoever is no user any more is to be forgotten. That is done bit by bit; who calls meanwhile does not
    /// find them.
    pub(crate) const fn renewed(&mut self) {
        self.swept = Some(0);
    }

    fn sweep(&mut self, turn: &mut Turn<'_>) {
        let Some(from) = self.swept else { return };
        let stays = |aor: &[u8]| turn.house.knows(aor) || turn.house.trusts_everybody();
        let (gone, next) = self.location.sweep((from, limits::SWEPT), stays);
        self.swept = next;
        let lost = gone.into_iter().map(|aor| Lost { aor, left: 0, what: What::Binding });
        self.lost(turn, lost.collect(), &Gone::WithTheirUser);
    }

    /// Takes the news that a connection is gone.
    pub(crate) fn failed(&mut self, turn: &mut Turn<'_>, flow: Flow) {
        let can_be_woken =
            |binding: &Binding| push::can_be_woken(turn.house, b"", binding.uri()).is_some();
        let lost = self.location.failed(turn.now, flow, can_be_woken);
        self.lost(turn, lost, &Gone::With(flow));
    }

    /// Addresses have fewer bindings now, or know fewer ways to them: it is told, and written.
    fn lost(&mut self, turn: &mut Turn<'_>, lost: Vec<Lost>, gone: &Gone) {
        for Lost { aor, left: contacts, what } in lost {
            match turn.house.settings.bindings {
                // That no connection outlives us, the next life knows by itself.
                Bindings::Kept if what == What::Connection => {}
                Bindings::Kept => {
                    let left = self.location.bindings(turn.now, &aor);
                    let record = self.record(turn.now, &aor, &left);
                    match gone {
                        Gone::TakenAway(..) | Gone::WithTheirUser => self.keeping.owe(turn, record),
                        Gone::Expired | Gone::With(_) => self.keeping.note(turn, record),
                    }
                }
                Bindings::Shared => self.share_loss(turn, &aor, gone.clone()),
                Bindings::InMemory => {}
            }
            if what == What::Binding {
                let house = turn.house;
                turn.report_daily(|| Event::Unregistered { aor: address(house, &aor), contacts });
            }
        }
    }

    /// When something expires, or has waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let sweep = self.swept.map(|_| Time::default());
        let waits = [self.keeping.deadline(), self.sharing.deadline()];
        let others = [self.location.deadline()].into_iter().chain(waits);
        others.flatten().chain(sweep).min()
    }
}

fn common(flow: Flow, request: &Message, outbound: Outbound) -> Result<Common<'_>, Fault> {
    let cseq = request.expect::<CSeq>().map_err(Fault::Malformed)?.number;
    // RFC 3327 §5.3: only for a phone that knows what its 200 will say.
    let path = if lists::<Supported<'_>>(request, "path") {
        for value in request.all::<Path>() {
            value.map_err(Fault::Malformed)?;
        }
        request.elements(Name::Path).collect()
    } else {
        Vec::new()
    };
    // Behind another proxy, the flow is that proxy's, and says nothing about the phone.
    let direct = outbound::is_first_hop(request) && path.is_empty();
    Ok(Common { call_id: request.call_id(), cseq, flow: direct.then_some(flow), path, outbound })
}

/// For how long the Expires of a REGISTER asks.
fn expires(request: &Message) -> Option<u32> {
    request.first::<Expires>().map(|value| value.map_or(3600, |value| value.0))
}

/// What a Contact says, as it is kept: until when it holds, since when it is so, and with which CSeq that began.
fn said<'a>(
    turn: &Turn<'_>,
    aor: &[u8],
    (request, common): (&Message, &'a Common<'_>),
    (asked, (until, since, first_cseq)): (&'a Asked<'_>, (Time, Time, u32)),
) -> Result<Said<'a>, Fault> {
    let uri = asked.judge(turn.house, aor)?;
    Ok(Said {
        uri: asked.uri,
        call_id: common.call_id,
        features: &asked.features,
        cseq: common.cseq,
        q: asked.q,
        until,
        since,
        first_cseq,
        flow: flow_of(common, (asked, &uri), request),
    })
}

/// The flow that leads to a Contact, where its URI does not.
fn flow_of(
    common: &Common<'_>,
    (asked, uri): (&Asked<'_>, &Uri<'_>),
    request: &Message,
) -> Option<Flow> {
    common.flow.and_then(|flow| match asked.which {
        Which::Flow { .. } => Some(flow),
        Which::Uri(_) => flow_to_reach(flow, request, uri),
    })
}

/// Since when a phone is registered without a break, and with which CSeq that began (RFC 5627 §5.1): another Call-ID is a new beginning,
/// for all its bindings.
fn since(next: &mut [Binding], asked: &Asked<'_>, common: (Time, &Common<'_>)) -> (Time, u32) {
    let (now, common) = common;
    let anew = (now, common.cseq);
    let Some(instance) = asked.instance() else { return anew };
    let beginning = |binding: &Binding| (binding.since, binding.first_cseq);
    let is_its = |binding: &&mut Binding| binding.instance().as_ref() == Some(&instance);
    // The latest refreshed stands last.
    let same_way = |binding: &&mut Binding| match asked.which {
        Which::Flow { reg_id, .. } => binding.reg_id() == Some(reg_id),
        Which::Uri(_) => true,
    };
    let latest = next
        .iter_mut()
        .filter(is_its)
        .rfind(same_way)
        .map(|latest| (beginning(latest), latest.call_id() == common.call_id));
    match latest {
        Some((since, true)) => since,
        Some((_, false)) => {
            for binding in next.iter_mut().filter(is_its) {
                (binding.since, binding.first_cseq) = anew;
            }
            anew
        }
        // A further flow of a phone that is here.
        None => next.iter_mut().rfind(is_its).map_or(anew, |other| beginning(other)),
    }
}

/// More contacts than an address may have: the new ones are refused, or those that were refreshed longest ago give way.
fn make_room(house: &House, next: &mut Vec<Binding>, added: usize) -> Result<(), Fault> {
    let settings::Registrar { max_contacts, when_full, .. } = &house.settings.registrar;
    let (max_contacts, when_full) = (*max_contacts, *when_full);
    let surplus = (next.len() + added).saturating_sub(max_contacts);
    if surplus == 0 || added == 0 {
        return Ok(());
    }
    if when_full == WhenFull::Refuse || added > max_contacts {
        return Err(Fault::TooManyContacts(max_contacts));
    }
    next.drain(..surplus);
    Ok(())
}

/// Step 6: `*` removes everything, stands alone, and needs `Expires: 0`.
fn remove_all(
    bindings: Vec<Binding>,
    request: &Message,
    expires: Option<u32>,
    common: &Common<'_>,
) -> Result<Vec<Binding>, Fault> {
    if expires != Some(0) || request.elements(Name::Contact).count() != 1 {
        return Err(Fault::StarNotAlone);
    }
    bindings.iter().try_for_each(|binding| in_order(binding, common))?;
    Ok(Vec::new())
}

/// A REGISTER of the same Call-ID must be newer than the one that wrote the binding.
fn in_order(binding: &Binding, common: &Common<'_>) -> Result<(), Fault> {
    let older = binding.call_id() == common.call_id && common.cseq <= binding.cseq;
    if older { Err(Fault::OutOfOrder) } else { Ok(()) }
}

/// An address of record, as events name it.
pub(crate) fn address(house: &House, aor: &[u8]) -> Box<str> {
    ["sip:", &text(aor), "@", house.domain()].concat().into()
}

/// What is told of a REGISTER, if anybody follows that.
fn registered(
    turn: &Turn<'_>,
    (aor, contacts): (&[u8], usize),
    (flow, request): (Flow, &Message),
) -> Option<Event> {
    let event = || {
        let (aor, call_id) = (address(turn.house, aor), call_id(request));
        Event::Registered { aor, contacts, from: flow.peer, call_id }
    };
    turn.followed.then(event)
}
