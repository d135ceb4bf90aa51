//! The members of a group as targets: in which order they are tried, and who of them has room for a call (RFC 3261 §16.5, §16.6).

use std::time::Duration;

use protocol::doors::Warning;
use protocol::locate::{Domain, Failure};
use protocol::transaction::ClientId;
use protocol::{Answer, Fault, Output};
use sip::header::{From, SessionExpires};
use sip::{Bytes, Message, Method, Status};

use super::context::Context;
use super::target::{Onward, Way};
use super::{Proxy, Target, Wait, session_timer};
use crate::call::Call;
use crate::groups::{self, Place, Said};
use crate::routes::{Errand, Outcome};
use crate::settings::{Balance, Member};
use crate::turn::Turn;

/// Where a route leads.
#[derive(Debug)]
pub(crate) enum Lead {
    /// To the first of these that takes it.
    To(Vec<Target>),
    /// To wherever the DNS says, when this name is asked for.
    Ask(Box<(Box<Errand>, Domain)>),
    /// To an answer of ours: try there.
    Answer(Bytes),
}

impl Proxy {
    /// Where the route of a request leads, in the order to try: those that are alive first.
    pub(crate) fn lead(
        &self,
        turn: &mut Turn<'_>,
        errand: &Errand,
        request: &Message,
    ) -> Result<Lead, Fault> {
        match errand.outcome(turn, request)? {
            Outcome::Answer(wire) => Ok(Lead::Answer(wire)),
            Outcome::Ask(name) => Ok(Lead::Ask(Box::new((Box::new(errand.clone()), name)))),
            Outcome::Group(group) => self.members(turn, (errand, &group), request).map(Lead::To),
            Outcome::Targets(mut targets) => {
                let known = (turn.now, &self.states);
                let rank = |target: &Target| match &target.way {
                    Way::Hop(hop) => std::str::from_utf8(hop)
                        .map_or(0, |hop| groups::rank_of_hop(turn.house, hop, known)),
                    _ => 0,
                };
                targets.sort_by_cached_key(rank);
                for (target, q) in targets.iter_mut().zip((1..=Q).rev()) {
                    target.q = q;
                }
                Ok(Lead::To(targets))
            }
        }
    }

    /// The members of the group that a route leads to.
    fn members(
        &self,
        turn: &mut Turn<'_>,
        (errand, group): (&Errand, &str),
        request: &Message,
    ) -> Result<Vec<Target>, Fault> {
        let Some(route) = turn.house.route(errand) else { return Err(Fault::NoRoute) };
        let Some((group, places)) = turn.house.group(errand.generation, group) else {
            return Err(Fault::Unroutable("The Route Leads to No Group"));
        };
        let from = request.get::<From>();
        let drawn = match &from {
            Some(from) if group.balance == Balance::Caller => from.uri,
            _ => request.call_id(),
        };
        let lot = |member: &Member| self.seal.number([b"group", drawn, member.to.as_bytes()]);
        let known = (turn.now, &self.states);
        let places = (group, places);
        let places = self.groups.order(turn.house, places, known, (&lot, turn.dice));
        if places.is_empty() {
            return Err(Fault::NoLine);
        }
        let best_first = (1..=Q).rev();
        let targets = places.into_iter().zip(best_first).filter_map(|(at, q)| {
            let member = groups::member(turn.house, at)?;
            let target = errand.target(route, Some(&member.to));
            Some(target.map(|target| Target { q, onward: Onward::Failing(Some(at)), ..target }))
        });
        targets.collect()
    }

    /// A request goes to a group: the next one begins with the next member.
    pub(crate) fn took_turn(&mut self, targets: &[Target]) {
        if let Some(Onward::Failing(Some(at))) = targets.first().map(|target| target.onward) {
            self.groups.turned(at.group);
        }
    }

    /// A branch begins: a new call takes a line of the member.
    pub(super) fn take_line(
        &mut self,
        turn: &Turn<'_>,
        context: &Context,
        target: &Target,
    ) -> Result<(), Fault> {
        let Onward::Failing(Some(at)) = target.onward else { return Ok(()) };
        if !context.is_invite() || !context.begins() {
            return Ok(());
        }
        let call = Call::of(&self.seal, &context.request);
        self.groups.take(turn.house, at, call, turn.now).map_err(|groups::Full| Fault::NoLine)
    }

    /// May the next member be tried after this answer? If not, nobody of the group is.
    pub(super) fn judge_onward(turn: &Turn<'_>, context: &mut Context, at: usize, status: Status) {
        let onward = context.branches.get(at).map(|branch| branch.target.onward);
        let Some(Onward::Failing(place)) = onward else { return };
        if !groups::sends_on(turn.house, place, status.code()) {
            context.waiting.retain(|target| !target.stands_in());
        }
    }

    /// A call was answered, or its session goes on.
    pub(super) fn hold_line(&mut self, turn: &mut Turn<'_>, context: &Context, response: &Message) {
        if !matches!(context.request.method(), Some(Method::Invite | Method::Update)) {
            return;
        }
        let session = response.get::<SessionExpires<'_>>();
        let session = session.map(|session| Duration::from_secs(session.seconds.into()));
        for call in calls(self, &context.request).into_iter().flatten() {
            self.groups.answered(turn.house, call, turn.now, session);
        }
        if !context.begins() {
            let timer = turn.house.settings.proxy.session_timer;
            let owed = session_timer::owed(timer, &context.request, response);
            turn.call_renewed(&context.request, (response, owed));
        }
    }

    /// A call is over: its caller was refused, or somebody hangs up.
    pub(super) fn free_line(&mut self, request: &Message) {
        for call in calls(self, request).into_iter().flatten() {
            self.groups.hung_up(call);
        }
    }

    /// Asks those whose time has come whether they are there.
    pub(super) fn probe(&mut self, turn: &mut Turn<'_>) {
        let mut said = Vec::new();
        for (place, question) in self.probes.wake(turn, &mut said) {
            self.ask(turn, question, Wait::Probe(place));
        }
        said.into_iter().for_each(|said| self.believe(turn, said));
        self.groups.wake(turn.now);
    }

    /// The name of a member that is probed was looked up.
    pub(super) fn probe_looked_up(&mut self, turn: &mut Turn<'_>, place: Place, answer: Answer) {
        let Answer::Targets(targets) = answer else { return };
        let keys = targets.iter().map(|target| target.key());
        self.groups.found(place, keys.collect());
        self.probes.ask(turn, place, &targets);
    }

    /// True for the answer to a probe, and for its loss.
    pub(super) fn is_probe(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientId,
        response: Option<&Message>,
    ) -> bool {
        let Some(said) = self.probes.heard(turn, client, response) else { return false };
        if let Some(said) = said {
            self.believe(turn, said);
        }
        true
    }

    /// What a probe found out counts for all, on every shard.
    fn believe(&mut self, turn: &mut Turn<'_>, said: Said) {
        match said {
            Said::Down(key, pause) => self.failing(turn, key, Failure::Watched(pause)),
            Said::Alive((transport, address)) => {
                if self.states.is_back(turn.now, (transport, address)) {
                    let warning = Warning { transport, address, failure: None };
                    turn.out.push(Output::Warn(warning));
                }
            }
        }
    }

    /// The name of a member was looked up for a request.
    pub(super) fn found_member(&mut self, target: &Target, keys: Vec<groups::Key>) {
        if let Onward::Failing(Some(at)) = target.onward {
            self.groups.found(at, keys);
        }
    }
}

/// The preference of the first.
const Q: u16 = 1000;

/// The call that a request belongs to, whoever of the two sends it; nothing when no call has a seat at all.
fn calls(proxy: &Proxy, request: &Message) -> Option<[Call; 2]> {
    let of = |request| [Call::of(&proxy.seal, request), Call::of_callee(&proxy.seal, request)];
    (!proxy.groups.are_empty()).then(|| of(request))
}
