//! Contexts, as they are kept. One whose phones ring has nothing to do for a minute, and there are many of them: what can be read again from
//! its request is given back meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::Flow;
use protocol::transaction::{ClientId, ServerId};
use sip::{Bytes, Message, ParseError};

use super::best::Best;
use super::context::{Addressee, Branch, Context, Leg, State};
use super::copy::Routing;
use super::pass::Shown;
use super::plan::Plan;
use super::target::{Onward, Target, Way};
use crate::calls::Number;
use crate::groups::Place as Member;
use crate::gruu::Aim;
use crate::house::Place;
use crate::outbound::Token;

/// How long a phone rings before its call is put to sleep: most of what is answered by a machine is answered by then.
pub(super) const DOZE: Duration = Duration::from_secs(1);

/// All contexts of this shard.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    awake: BTreeMap<ServerId, Box<Context>>,
    asleep: BTreeMap<ServerId, Box<Asleep>>,
}

/// A request whose phones ring, and nothing else.
#[derive(Debug)]
struct Asleep {
    came: Flow,
    began: Time,
    request: Bytes,
    plan: Planned,
    addressee: Addressee,
    branches: Box<[Rings]>,
    breadth: u32,
}

/// A plan, with a box for what few have.
#[derive(Debug)]
struct Planned {
    uri: Bytes,
    place: Result<Place, ParseError>,
    proven: Option<Box<[u8]>>,
    call: Number,
    led: Option<Box<Led>>,
}

/// What routes and a GRUU say of where a request goes.
#[derive(Debug, PartialEq, Eq)]
struct Led {
    routes: Vec<Bytes>,
    rerouted: bool,
    pass: Option<Box<Shown>>,
    token: Token,
    aim: Aim,
}

/// A branch that rings, and has no other address or way. Its routing follows from the plan.
#[derive(Debug)]
struct Rings {
    uri: Box<[u8]>,
    way: Way,
    /// Of one that stands for others: the member of its group.
    stands_in: Option<Box<Option<Member>>>,
    client: ClientId,
    until: Time,
    q: u16,
    rank: u16,
    diverted: bool,
    /// Nobody has looked where its URI leads.
    unread: bool,
    breadth: u32,
    said: u16,
}

impl Contexts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.awake.len().saturating_add(self.asleep.len())
    }

    /// True while it is there.
    pub(super) fn has(&self, id: ServerId) -> bool {
        self.awake.contains_key(&id) || self.asleep.contains_key(&id)
    }

    /// Keeps one.
    pub(super) fn put(&mut self, context: Box<Context>) {
        self.awake.insert(context.id, context);
    }

    /// Keeps one that has rung for a while: asleep, when that is all that it does. Its alarm is set for its deadline then.
    pub(super) fn lay(&mut self, context: Box<Context>) {
        if only_rings(&context) && context.alarm == context.deadline() {
            self.asleep.insert(context.id, Box::new(Asleep::of(*context)));
        } else {
            self.put(context);
        }
    }

    /// Takes one out, awake.
    pub(super) fn take(&mut self, id: ServerId) -> Option<Box<Context>> {
        self.awake.remove(&id).or_else(|| self.asleep.remove(&id)?.wake(id))
    }

    /// Is it on its way to a user of ours?
    pub(super) fn calls(&self, id: ServerId, aor: &[u8]) -> bool {
        let awake = self.awake.get(&id).filter(|context| context.state == State::Open);
        let addressee = awake.map(|context| &context.addressee);
        let addressee = addressee.or_else(|| Some(&self.asleep.get(&id)?.addressee));
        matches!(addressee, Some(Addressee::User(user)) if **user == *aor)
    }
}

/// Nothing has been said but that it rings, nobody waits to be tried, and nobody is to be told why it is over.
fn only_rings(context: &Context) -> bool {
    context.state == State::Open
        && context.gives_way == Time::NEVER
        && context.waiting.is_empty()
        && context.best.is_empty()
        && context.detours.is_none()
        && context.reason.is_none()
        && context.branches.iter().all(Rings::is_all)
}

impl Asleep {
    fn of(context: Context) -> Self {
        let Context { came, began, request, plan, addressee, branches, breadth, .. } = context;
        let (request, plan) = (request.wire().clone(), Planned::of(plan));
        let branches = branches.into_iter().filter_map(Rings::of).collect();
        Self { came, began, request, plan, addressee, branches, breadth }
    }

    /// Nothing, should its request be no message: it was one when it came.
    fn wake(self, id: ServerId) -> Option<Box<Context>> {
        let Self { came, began, request, plan, addressee, branches, breadth } = self;
        let plan = plan.wake();
        let branches = branches.into_iter().map(|branch| branch.wake(&plan)).collect();
        let mut context = Box::new(Context {
            id,
            came,
            began,
            request: Message::parse(request).ok()?,
            plan,
            state: State::Open,
            addressee,
            gives_way: Time::NEVER,
            dozes: Time::NEVER,
            waiting: Default::default(),
            branches,
            best: Best::default(),
            detours: None,
            reason: None,
            breadth,
            alarm: Time::NEVER,
        });
        context.alarm = context.deadline();
        Some(context)
    }
}

impl Planned {
    fn of(plan: Plan) -> Self {
        let Plan { uri, place, routes, rerouted, pass, token, aim, proven, call } = plan;
        let led = Led { routes, rerouted, pass, token, aim };
        let led = (led != Led::nowhere()).then(|| Box::new(led));
        Self { uri, place, proven, call, led }
    }

    fn wake(self) -> Plan {
        let Self { uri, place, proven, call, led } = self;
        let led = led.map_or_else(Led::nowhere, |led| *led);
        let Led { routes, rerouted, pass, token, aim } = led;
        Plan { uri, place, routes, rerouted, pass, token, aim, proven, call }
    }
}

impl Led {
    /// That of most, which have neither.
    fn nowhere() -> Self {
        let (routes, token, aim) = (Vec::new(), Token::None, Aim::Anybody);
        Self { routes, rerouted: false, pass: None, token, aim }
    }
}

impl Rings {
    /// True for a branch of which this is all.
    fn is_all(branch: &Branch) -> bool {
        let Target { path, spares, asleep, .. } = &branch.target;
        matches!(branch.state, Leg::Ringing { .. })
            && (path.is_empty() && spares.is_empty() && asleep.is_none())
            && branch.attempts.is_empty()
    }

    fn of(branch: Branch) -> Option<Self> {
        let Branch { target, breadth, unread, state, said, .. } = branch;
        let Target { uri, way, onward, q, rank, diverted, .. } = target;
        let Leg::Ringing { client, until } = state else { return None };
        let stands_in = match onward {
            Onward::Always => None,
            Onward::Failing(member) => Some(Box::new(member)),
        };
        let uri = Vec::from(uri).into();
        Some(Self { uri, way, stands_in, client, until, q, rank, diverted, unread, breadth, said })
    }

    fn wake(self, plan: &Plan) -> Branch {
        let Self { uri, way, stands_in, client, until, q, rank, diverted, unread, breadth, said } =
            self;
        let onward = stands_in.map_or(Onward::Always, |member| Onward::Failing(*member));
        let target = Target { onward, q, rank, diverted, ..Target::of(uri.into(), way) };
        let (routing, state) = (Routing::of(plan, &target), Leg::Ringing { client, until });
        Branch { unread, said, ..Branch::new(target, routing, breadth, state) }
    }
}

#[cfg(test)]
mod tests {
    use machine::Dice;
    use protocol::transaction::{Timers, Transactions};
    use protocol::{Identity, Transport};

    use super::*;

    #[test]
    fn what_sleeps_wakes_as_it_was() {
        let led = Plan {
            uri: "sip:102@example.test".into(),
            place: Ok(Place::Foreign),
            routes: vec!["<sip:192.0.2.9;lr>".into()],
            rerouted: true,
            pass: None,
            token: Token::Forged,
            aim: Aim::Nobody,
            proven: Some(b"101"[..].into()),
            call: Number::default(),
        };
        let (routes, token) = (Vec::new(), Token::None);
        let bare = Plan { routes, rerouted: false, token, aim: Aim::Anybody, ..led.clone() };
        assert!(Planned::of(bare.clone()).led.is_none());
        let (listener, peer) = (1, ([192, 0, 2, 4], 5060).into());
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let flow = Flow { transport, listener, connection: 0, peer, identity };
        let invite = Message::parse("INVITE sip:b@h SIP/2.0\r\n\r\n").unwrap();
        let mut transactions = Transactions::new(Timers::default(), &mut Dice::new(1));
        let client = transactions.request(Time(0), flow, invite, &mut Vec::new());
        let member = Member { group: 1, member: 2 };
        for plan in [led, bare] {
            let before = format!("{plan:?}");
            for onward in [Onward::Always, Onward::Failing(None), Onward::Failing(Some(member))] {
                let target = Target { onward, q: 7, ..Target::of("sip:x".into(), Way::Flow(flow)) };
                let (routing, until) = (Routing::of(&plan, &target), Time(9));
                let branch = Branch::new(target, routing, 3, Leg::Ringing { client, until });
                let branch = Branch { unread: true, said: 408, ..branch };
                let before = format!("{branch:?}");
                assert_eq!(format!("{:?}", Rings::of(branch).unwrap().wake(&plan)), before);
            }
            assert_eq!(format!("{:?}", Planned::of(plan).wake()), before);
        }
    }
}
