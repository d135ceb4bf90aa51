//! `Speed`: nobody begins things faster than it may. What anybody can write in the name of a source uses up nothing of what is known to be
//! its own: what comes by its connections, what belongs to its calls, and what answers a question that was sent to it.

use machine::{HashKey, Time};
use protocol::Flow;
use protocol::bans::Source;
use sip::Message;

use super::class::Class;
use super::pace::Pace;
use super::sources::Sources;
use crate::bans::Bans;
use crate::gate::Gate;
use crate::house::House;
use crate::settings::Overload;
use crate::turn::Turn;

/// Who is how fast.
#[derive(Debug)]
pub(crate) struct Speed {
    /// By datagrams, into which anybody can write any address.
    datagrams: Sources,
    /// By datagrams from the port of somebody who is registered: whoever writes that has to know it.
    home: Sources,
    /// By datagrams that say what only the source has been told.
    proven: Sources,
    connections: Sources,
    /// In calls that have our pass.
    calls: Sources,
    /// Calls for help that are more than their source may begin, all together.
    help: Time,
    /// When all refusals of sources that are too fast would have been in time.
    refused: Time,
    /// When the next source may be named that is too fast.
    pub(super) name: Time,
}

/// Those who know whether somebody is who it seems to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Witnesses<'a> {
    pub(crate) bans: &'a Bans,
    pub(crate) gate: &'a Gate,
}

/// Calls for help in a second, beyond those that their sources may begin anyway.
const HELP: u32 = 100;

/// Refusals in a second for sources that are too fast.
const REFUSALS: u32 = 100;

impl Speed {
    pub(crate) fn new(key: HashKey) -> Self {
        Self {
            datagrams: Sources::new(key),
            home: Sources::new(key),
            proven: Sources::new(key),
            connections: Sources::new(key),
            calls: Sources::new(key),
            help: Time::default(),
            refused: Time::default(),
            name: Time::default(),
        }
    }

    /// Is this source no faster than it may be?
    pub(crate) fn lets(
        &mut self,
        turn: &Turn<'_>,
        (flow, request): (Flow, &Message),
        class: Class,
        witnesses: Witnesses<'_>,
    ) -> bool {
        let rules = &turn.house.settings.overload;
        if rules.per_source == 0 {
            return true;
        }
        let pace = pace(rules, turn.house.settings.shard.count);
        let (now, source) = (turn.now, Source::from(flow.peer.ip()));
        if class == Class::Within {
            // What belongs to a call costs little, and there are several of it to each call.
            let pace = Pace { each: pace.each / 8, ..pace };
            return self.calls.lets(now, source, pace) || spared(turn.house, source);
        }
        if self.may_begin(now, flow, pace) || spared(turn.house, source) {
            return true;
        }
        if class == Class::Emergency && Pace::of(HELP, HELP).lets(now, &mut self.help) {
            return true;
        }
        if flow.transport.is_reliable() {
            return false;
        }
        let Witnesses { bans, gate } = witnesses;
        bans.is_from_home(now, flow, request) && self.home.lets(now, source, pace)
            || gate.knows_sender(turn, flow, request) && self.proven.lets(now, source, pace)
    }

    /// The same for what begins nothing, and would only be told what is wrong with it.
    pub(crate) fn lets_hear(&mut self, turn: &Turn<'_>, flow: Flow) -> bool {
        let rules = &turn.house.settings.overload;
        let pace = pace(rules, turn.house.settings.shard.count);
        rules.per_source == 0
            || self.may_begin(turn.now, flow, pace)
            || spared(turn.house, flow.peer.ip().into())
    }

    fn may_begin(&mut self, now: Time, flow: Flow, pace: Pace) -> bool {
        let by =
            if flow.transport.is_reliable() { &mut self.connections } else { &mut self.datagrams };
        by.lets(now, flow.peer.ip().into(), pace)
    }

    /// Who is too fast is told so, as long as that does not cost much: true when there is a word for it.
    pub(crate) fn has_word(&mut self, now: Time) -> bool {
        Pace::of(REFUSALS, REFUSALS / 5).lets(now, &mut self.refused)
    }
}

/// The pace of one source on each shard: its requests are spread over all of them.
fn pace(rules: &Overload, shards: u16) -> Pace {
    let share = |of: u32| of.div_ceil(u32::from(shards.max(1)));
    Pace::of(share(rules.per_source), share(rules.at_once))
}

/// Sources that may be as fast as they like: those that the operator knows, and those that routes lead to.
pub(crate) fn spared(house: &House, source: Source) -> bool {
    let known = &house.settings.overload.unlimited;
    let trusted = &house.settings.proxy.trusted;
    known.iter().chain(trusted).any(|network| network.meets(source)) || house.leads_to(source)
}
