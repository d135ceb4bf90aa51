//! The registrar: REGISTER, all of it or nothing (RFC 3261 §10.3, Path of RFC 3327).

mod answer;

use machine::{Dice, Time};
use protocol::doors::{Event, Reach};
use protocol::{Fault, Flow, Output};
use sip::header::{CSeq, Contact, Expires, Path, Supported, To};
use sip::{Bytes, Message, Name};

use crate::admission::lists;
use crate::house::{House, Place};
use crate::limits;
use crate::location::{Binding, Location, Said, flow_to_keep};
use crate::turn::Turn;

/// Writes bindings.
#[derive(Debug)]
pub(crate) struct Registrar {
    location: Location,
}

/// What is the same for all contacts of one REGISTER.
struct Common<'a> {
    call_id: &'a [u8],
    cseq: u32,
    flow: Option<Flow>,
    path: Vec<&'a [u8]>,
}

impl Registrar {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self { location: Location::new(dice) }
    }

    /// How to reach an address of record now.
    pub(crate) fn reach(&self, now: Time, aor: &[u8]) -> Vec<Reach> {
        self.location.reach(now, aor)
    }

    /// How many addresses of record have bindings.
    pub(crate) fn len(&self) -> usize {
        self.location.len()
    }

    /// Does what a REGISTER asks for, wholly or not at all, and writes its 200.
    pub(crate) fn register(
        &mut self,
        turn: &mut Turn<'_>,
        flow: Flow,
        request: &Message,
    ) -> Result<Bytes, Fault> {
        let aor = self.address_of_record(turn.house, request)?;
        if request.has(Name::Contact) {
            let common = common(flow, request)?;
            let next = self.changed(turn, &aor, request, &common)?;
            if next.len() > turn.house.settings.registrar.max_contacts {
                return Err(Fault::TooManyContacts(turn.house.settings.registrar.max_contacts));
            }
            if self.location.len() >= limits::AORS && !next.is_empty() {
                return Err(Fault::Overloaded(60));
            }
            let contacts = next.len();
            if !self.location.replace(&aor, &next) {
                return Err(Fault::Overloaded(60));
            }
            turn.out.push(Output::Report(registered(turn.house, &aor, contacts, flow)));
        }
        Ok(answer::ok(turn, request, &self.location.bindings(turn.now, &aor)))
    }

    /// Step 5: the To, which must be one of our users.
    fn address_of_record(&self, house: &House, request: &Message) -> Result<Box<[u8]>, Fault> {
        let to = request.get::<To>().ok_or(Fault::BadContact)?;
        let uri = to.parsed().map_err(Fault::Malformed)?;
        match house.place(&uri) {
            Place::User(user) if house.knows(&user) || house.trusts_everybody() => Ok(user),
            _ => Err(Fault::NotFound),
        }
    }

    /// Steps 6 and 7: the bindings as they would be. Nothing is changed yet.
    fn changed(
        &self,
        turn: &Turn<'_>,
        aor: &[u8],
        request: &Message,
        common: &Common<'_>,
    ) -> Result<Vec<Binding>, Fault> {
        let mut next = self.location.bindings(turn.now, aor);
        let mut added = Vec::new();
        let header = request.first::<Expires>().map(|value| value.map_or(3600, |value| value.0));
        for contact in request.all::<Contact>() {
            let contact = contact.map_err(Fault::Malformed)?;
            let Some(address) = contact.address() else {
                return remove_all(next, request, header, common);
            };
            let rules = &turn.house.settings.registrar;
            let wish = contact.expires().or(header).unwrap_or(seconds(rules.default));
            if wish > 0 && wish < seconds(rules.min) {
                return Err(Fault::IntervalTooBrief(seconds(rules.min)));
            }
            let lasts = std::time::Duration::from_secs(wish.into()).min(rules.max);
            let flow = common.flow.and_then(|flow| flow_to_keep(flow, request, address.uri));
            let said = Said {
                uri: address.uri,
                call_id: common.call_id,
                cseq: common.cseq,
                q: contact.q(),
                until: turn.now + lasts,
                flow,
            };
            if let Some(old) = next.iter().position(|binding| binding.is(address.uri)) {
                in_order(&next.remove(old), common)?;
            }
            // Named twice in one REGISTER: the later says how it is.
            added.retain(|binding: &Binding| !binding.is(address.uri));
            if wish > 0 {
                let binding = Binding::new(said, common.path.iter().copied());
                added.push(binding.ok_or(Fault::BadContact)?);
            }
        }
        next.append(&mut added);
        Ok(next)
    }

    /// Forgets what has expired.
    pub(crate) fn wake(&mut self, turn: &mut Turn<'_>) {
        for (aor, contacts) in self.location.wake(turn.now) {
            turn.out.push(Output::Report(Event::Unregistered {
                aor: address(turn.house, &aor),
                contacts,
            }));
        }
    }

    /// Takes the news that a connection is gone.
    pub(crate) fn failed(&mut self, turn: &mut Turn<'_>, flow: Flow) {
        for (aor, contacts) in self.location.failed(turn.now, flow) {
            turn.out.push(Output::Report(Event::Unregistered {
                aor: address(turn.house, &aor),
                contacts,
            }));
        }
    }

    /// When something expires.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.location.deadline()
    }
}

fn common(flow: Flow, request: &Message) -> Result<Common<'_>, Fault> {
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
    let direct = request.elements(Name::Via).count() == 1;
    let flow = (direct && path.is_empty()).then_some(flow);
    Ok(Common { call_id: request.call_id(), cseq, flow, path })
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

fn seconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

fn address(house: &House, aor: &[u8]) -> Box<str> {
    format!("sip:{}@{}", String::from_utf8_lossy(aor), house.domain()).into()
}

fn registered(house: &House, aor: &[u8], contacts: usize, flow: Flow) -> Event {
    Event::Registered { aor: address(house, aor), contacts, from: flow.peer }
}
