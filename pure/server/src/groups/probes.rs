//! `Probes`: OPTIONS to the members of a group, one after another for ever: who is dead is known before a caller waits for it, and who is
//! back is not avoided any longer (RFC 3261 §11).
//!
//! One shard asks; the others are told what it found out.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::doors::Event;
use protocol::transaction::ClientId;
use protocol::{Flow, Output, Question, Transport, locate};
use sip::header::{MaxForwards, Via};
use sip::{Draft, Header as _, Message, Method, Name, Status, Uri};

use super::{Key, Place, member};
use crate::house::House;
use crate::limits;
use crate::proxy::hop;
use crate::settings::{Group, Member, Probe};
use crate::turn::Turn;

/// All members that are probed, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    watched: BTreeMap<Place, Watched>,
    asked: BTreeMap<ClientId, Asked>,
}

/// A member that is probed.
#[derive(Debug)]
struct Watched {
    probe: Probe,
    /// When it is asked next; `None`: it has not begun.
    next: Option<Time>,
    pulses: BTreeMap<Key, Pulse>,
}

/// What the last answers of an address were.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    /// Answers in a row, and silences in a row.
    good: u32,
    bad: u32,
    down: bool,
}

/// A probe that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    watched: Place,
    key: Key,
    until: Time,
}

/// What a probe found out about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It answers.
    Alive(Key),
    /// It is down, and will be asked again within this time.
    Down(Key, Duration),
}

impl Probes {
    /// Shard 0 probes for all. Whoever was watched before a reload, and still is, is known.
    pub(crate) fn renew(&mut self, house: &House) {
        let mut before = std::mem::take(&mut self.watched);
        let groups = house.settings.groups.iter().zip(house.places.all());
        for (group, (_, places)) in groups.filter(|_| house.settings.shard.number == 0) {
            let Some(probe) = group.probe else { continue };
            for at in places {
                let known = before.remove(at).map(|known| Watched { probe, ..known });
                let watched =
                    known.unwrap_or(Watched { probe, next: None, pulses: BTreeMap::new() });
                self.watched.insert(*at, watched);
            }
        }
    }

    /// Gives up on those that did not answer, and asks those whose time has come. Names are to be looked up: whose, and what to ask.
    pub(crate) fn wake(
        &mut self,
        turn: &mut Turn<'_>,
        said: &mut Vec<Said>,
    ) -> Vec<(Place, Question)> {
        if self.asked.is_empty() && self.watched.is_empty() {
            return Vec::new();
        }
        let late = |asked: &Asked| asked.until <= turn.now;
        let silent: Vec<ClientId> =
            self.asked.iter().filter(|(_, asked)| late(asked)).map(|(client, _)| *client).collect();
        for client in silent {
            turn.transactions.abandon(client);
            said.extend(self.judged(turn, client, Heard::Nothing));
        }
        let mut questions = Vec::new();
        let due = |(at, watched): (&Place, &mut Watched)| watched.is_due(turn).then_some(*at);
        let due: Vec<Place> = self.watched.iter_mut().filter_map(due).collect();
        for place in due {
            match first_hop(turn, place) {
                Some(hop::Hop::At(targets)) => self.ask(turn, place, &targets),
                Some(hop::Hop::Named(question)) => questions.push((place, question)),
                None => {}
            }
        }
        questions
    }

    /// When there is something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let next = self.watched.values().map(|watched| watched.next.unwrap_or_default());
        next.chain(self.asked.values().map(|asked| asked.until)).min()
    }

    /// Asks a member at all its addresses.
    pub(crate) fn ask(&mut self, turn: &mut Turn<'_>, place: Place, targets: &[locate::Target]) {
        let Some(watched) = self.watched.get(&place) else { return };
        let Some(uri) = member(turn.house, place).map(|member| member.to.clone()) else {
            return;
        };
        for target in targets.iter().take(limits::PROBED) {
            let by = turn.house.settings.listeners.first().map_or(0, |listener| listener.number);
            let Some(flow) = hop::flow_of(turn.house, target, by, turn.out) else { continue };
            let Some(message) = options(turn, flow, &uri) else { continue };
            let client = turn.transactions.request(turn.now, flow, message, turn.out);
            let until = turn.now + watched.probe.timeout;
            self.asked.insert(client, Asked { watched: place, key: target.key(), until });
        }
    }

    /// True for a probe of ours. What was heard, and what that means.
    pub(crate) fn heard(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientId,
        response: Option<&Message>,
    ) -> Option<Option<Said>> {
        if !self.asked.contains_key(&client) {
            return None;
        }
        let heard = match response.and_then(Message::status) {
            Some(status) if status.is_provisional() => return Some(None),
            // Whoever refuses is there; whoever says that it is not is not.
            Some(Status::SERVICE_UNAVAILABLE) | None => Heard::Nothing,
            Some(_) => Heard::Something,
        };
        Some(self.judged(turn, client, heard))
    }

    fn judged(&mut self, turn: &mut Turn<'_>, client: ClientId, heard: Heard) -> Option<Said> {
        let Asked { watched: at, key, .. } = self.asked.remove(&client)?;
        let watched = self.watched.get_mut(&at)?;
        let probe = watched.probe;
        if watched.pulses.len() > limits::PROBED {
            // A name that leads elsewhere every time.
            watched.pulses.clear();
        }
        let pulse = watched.pulses.entry(key).or_default();
        let before = pulse.down;
        match heard {
            Heard::Something => {
                (pulse.good, pulse.bad) = (pulse.good.saturating_add(1), 0);
                pulse.down &= pulse.good < probe.up;
            }
            Heard::Nothing => {
                (pulse.bad, pulse.good) = (pulse.bad.saturating_add(1), 0);
                pulse.down |= pulse.bad >= probe.down;
            }
        }
        let pulse = *pulse;
        if pulse.down != before {
            report(turn, at, key, pulse);
        }
        match heard {
            Heard::Something if !pulse.down && pulse.good >= probe.up => Some(Said::Alive(key)),
            Heard::Nothing if pulse.down => {
                let twice = probe.interval.saturating_mul(2).saturating_add(probe.timeout);
                Some(Said::Down(key, twice))
            }
            _ => None,
        }
    }
}

/// What came of a probe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Something,
    Nothing,
}

impl Watched {
    /// Is it to be asked now? Then its next time is set. All begin within a second, not together.
    fn is_due(&mut self, turn: &mut Turn<'_>) -> bool {
        let Some(next) = self.next else {
            let within = turn.dice.below(1_000);
            self.next = Some(turn.now + Duration::from_millis(within));
            return false;
        };
        let due = next <= turn.now;
        if due {
            self.next = Some(turn.now + self.probe.interval);
        }
        due
    }
}

fn first_hop(turn: &Turn<'_>, at: Place) -> Option<hop::Hop> {
    let member = member(turn.house, at)?;
    match Uri::parse(member.to.as_bytes()) {
        Ok(Uri::Sip(uri)) => hop::of(&uri, turn.house).ok(),
        _ => None,
    }
}

/// The request that asks. Its Call-ID is one whose answers come to this shard.
fn options(turn: &mut Turn<'_>, flow: Flow, uri: &str) -> Option<Message> {
    let listener = turn.house.listener(flow.listener)?;
    let domain = turn.house.domain();
    let rport = if flow.transport == Transport::Udp { ";rport" } else { "" };
    let (branch, tag) = (turn.dice.roll(), turn.dice.roll());
    let via = format!(
        "SIP/2.0/{} {};branch=z9hG4bK{branch:016x}{rport}",
        flow.transport, listener.advertised
    );
    let here = turn.house.settings.shard.number;
    let call_id = (0..=MINTS)
        .map(|_| format!("probe-{:016x}@{domain}", turn.dice.roll()))
        .find(|call_id| turn.house.steering.home_of(call_id.as_bytes()) == here)?;
    let mut draft = Draft::request(Method::Options, uri.as_bytes())
        .raw(Via::NAME, via.as_bytes())
        .header(&MaxForwards(limits::HOPS))
        .raw(Name::From, format!("<sip:{domain}>;tag={tag:016x}").as_bytes())
        .raw(Name::To, format!("<{uri}>").as_bytes())
        .raw(Name::CallId, call_id.as_bytes())
        .raw(Name::CSeq, b"1 OPTIONS")
        .raw(Name::Accept, b"application/sdp");
    if !turn.house.settings.software.is_empty() {
        draft = draft.raw(Name::UserAgent, turn.house.settings.software.as_bytes());
    }
    Message::parse(draft.wire()).ok()
}

/// Throws for a Call-ID of this shard: with 1024 shards, one in a million finds none, and is thrown again next time.
const MINTS: u32 = 14_000;

fn report(turn: &mut Turn<'_>, at: Place, (transport, address): Key, pulse: Pulse) {
    let group = |(group, _): (&Group, &Member)| group.name.clone();
    let group = turn.house.member(at).map(group).unwrap_or_default();
    let event = Event::Member { group, transport, address, down: pulse.down };
    turn.out.push(Output::Report(event));
}
