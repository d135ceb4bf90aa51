//! `Node`: one shard of the server. It only dispatches; the roles lie in the folders beside it.

mod bans;
mod calls;
mod figures;
mod newcomers;
mod others;
mod registrations;
mod restored;
mod targets;

use machine::{Dice, HashKey, Machine, Time};
use protocol::bans::Caution;
use protocol::doors::Event;
use protocol::transaction::{Met, ServerId, Transactions, Up};
use protocol::transport::{alias, stamp};
use protocol::{Answer, Fault, Flow, Input, Output};
use sip::{Bytes, Malformed, Message, Status};

use crate::admission::{self, Door, Entry, Merged};
use crate::bans::{Bans, Visit};
use crate::calls::Calls;
use crate::explain::{Explanation, Passed};
use crate::figures::Figures;
use crate::gate::{Gate, Waiting};
use crate::house::House;
use crate::location::{Change, Touched};
use crate::options;
use crate::proxy::{Found, Lead, Loss, Plan, Proxy};
use crate::purpose::{self, Purpose};
use crate::push::Push;
use crate::regevent::RegEvent;
use crate::registrar::{Registrar, Then};
use crate::settings::{Bindings, Farewell, Settings};
use crate::tolls::Tolls;
use crate::turn::Turn;

pub use registrations::{Contact, Listing, Registration};
pub use targets::{Address, Member, Targets};

/// A server, or one shard of it.
#[derive(Debug)]
pub struct Node {
    house: House,
    dice: Dice,
    transactions: Transactions,
    calls: Calls,
    roles: Roles,
    /// What transactions had to say in this turn, kept to be lent again.
    up: Vec<Up>,
    figures: Figures,
    farewell: Farewell,
    /// Whether somebody follows what happens every day.
    followed: bool,
}

/// One field a role.
#[derive(Debug)]
struct Roles {
    entry: Entry,
    door: Door,
    merged: Merged,
    gate: Gate,
    bans: Bans,
    tolls: Tolls,
    waiting: Waiting,
    registrar: Registrar,
    regevent: RegEvent,
    push: Push,
    proxy: Proxy,
}

impl Node {
    /// A server that knows what its settings say, and has no bindings yet.
    pub fn new(settings: Settings, mut dice: Dice) -> Self {
        let transactions = Transactions::new(settings.timers, &mut dice);
        let merged = Merged::new(settings.timers.patience(), &mut dice);
        let gate = Gate::new(&settings, &mut dice);
        let bans = Bans::new(&settings);
        let registrar = Registrar::new(&mut dice);
        let house = House::new(settings, &mut dice);
        let door = Door::new(HashKey::of(house.settings.secret));
        let roles = Roles {
            entry: Entry::Open,
            door,
            merged,
            gate,
            bans,
            tolls: Tolls::default(),
            waiting: Waiting::default(),
            registrar,
            regevent: RegEvent::default(),
            push: Push::default(),
            proxy: Proxy::new(&house),
        };
        let longest = house.settings.calls.map(|calls| calls.longest);
        let calls = Calls::new(longest);
        let (figures, farewell) = (Figures::default(), Farewell::default());
        let (up, followed) = (Vec::new(), true);
        Self { house, dice, transactions, calls, roles, up, figures, farewell, followed }
    }

    /// Takes other settings, and gives back the earlier ones, to be dropped where nobody waits: what is under way goes on as it began,
    /// registrations stay, and those of users who are gone go soon. Shard, secrets and timers must be the same as before.
    #[must_use]
    pub fn renew(&mut self, mut house: House) -> House {
        house.succeed(&mut self.house);
        self.calls.renewed(house.settings.calls.map(|calls| calls.longest));
        self.roles.registrar.renewed();
        self.roles.proxy.renewed(&house);
        std::mem::replace(&mut self.house, house)
    }

    /// Which settings it has: 1 for the first, and one more for each change.
    pub const fn generation(&self) -> u32 {
        self.house.generation
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// Begins nothing new from now on: such requests are answered 503, with a time to come back.
    pub const fn drain(&mut self, farewell: Farewell) {
        self.roles.entry = Entry::Draining;
        self.farewell = farewell;
    }

    /// How much is unfinished: what a server that drains waits for.
    pub fn pending(&self, now: Time) -> usize {
        let calls = if self.farewell == Farewell::Calls { self.calls.len() } else { 0 };
        let waiting = self.roles.door.waiting();
        self.transactions.unfinished(now).saturating_add(calls).saturating_add(waiting)
    }

    /// How many addresses of record have bindings.
    pub fn registered(&self) -> usize {
        self.roles.registrar.len()
    }

    /// How many requests wait for an answer from elsewhere.
    pub fn forwarding(&self) -> usize {
        self.roles.proxy.len() + self.roles.waiting.len()
    }

    /// The end of this server: the calls that go on without it are reported, as far as they were followed.
    pub fn close(&mut self, now: Time, out: &mut Vec<Output>) {
        self.calls.close(now, out);
    }

    /// Nothing more can be sent on a flow; how many requests that concerned.
    fn failed(&mut self, now: Time, flow: Flow, loss: Loss, out: &mut Vec<Output>) -> usize {
        let mut up = std::mem::take(&mut self.up);
        let (mut turn, roles) = self.turn(now, out);
        match loss {
            // Who has not proven to be whom we meant is sent nothing a second time.
            Loss::Untrusted => turn.transactions.failed(flow, &mut up, turn.out),
            _ => turn.transactions.ended(now, flow, &mut up, turn.out),
        }
        roles.registrar.failed(&mut turn, flow);
        let concerned = up.len();
        up.drain(..).for_each(|up| roles.failed(&mut turn, (flow, loss), up));
        self.up = up;
        concerned
    }

    /// What would become of a request that begins something, and why. Nothing is kept of it, nothing is sent.
    pub fn explain(&mut self, now: Time, flow: Flow, request: &Message) -> Explanation {
        let mut out = Vec::new();
        let (mut turn, roles) = self.turn(now, &mut out);
        let plan = roles.proxy.plan(&turn, flow, request);
        let mut explanation = Explanation::default();
        let judged = roles.weigh(&turn, flow, (request, &plan), &mut |route, miss, asked| {
            let passed = &mut explanation.passed;
            let (name, why) = (route.name.to_string(), miss.words(route, asked));
            passed.push(Passed { place: passed.len(), name, why });
        });
        let judged = judged.and_then(|purpose| {
            explanation.take(&turn, &purpose);
            explanation.challenged = purpose::must_prove(&turn, flow, (request, &plan), &purpose);
            purpose::permitted(&turn, &plan, &purpose).map(|()| purpose)
        });
        explanation.finish(&mut turn, &roles.proxy, (request, &plan), judged)
    }

    /// The end of a turn: what is to be told to others, and what was said in it.
    fn conclude(&mut self, now: Time, before: usize, out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        roles.say_goodbye(&mut turn);
        roles.spread(&mut turn);
        let said = out.get_mut(before..).unwrap_or_default();
        if self.roles.door.has_neighbours() {
            self.roles.door.tell(now, said);
        }
        self.figures.said(said);
    }

    /// What there is to lend, and to whom.
    fn turn<'a>(&'a mut self, now: Time, out: &'a mut Vec<Output>) -> (Turn<'a>, &'a mut Roles) {
        let Self { house, dice, transactions, calls, roles, followed, .. } = self;
        let followed = *followed;
        (Turn { now, house, transactions, calls, dice, out, followed, info: None }, roles)
    }
}

impl Machine for Node {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        self.figures.received(&input);
        let before = out.len();
        let (mut turn, roles) = self.turn(now, out);
        match input {
            Input::Received(flow, message) => roles.received(&mut turn, flow, message),
            Input::Malformed(flow, malformed) => roles.unreadable(&mut turn, flow, &malformed),
            Input::Failed(flow) => drop(self.failed(now, flow, Loss::Unreachable, out)),
            Input::Untrusted(flow, distrust) => {
                // Every shard is told; who wanted something there says so.
                if self.failed(now, flow, Loss::Untrusted, out) > 0 {
                    out.push(Output::Report(Event::Untrusted { distrust }));
                }
            }
            Input::Answered(
                ticket,
                answer @ (Answer::Kept | Answer::NotKept | Answer::Differs(_)),
            ) => {
                roles.registrar.answered(&mut turn, ticket, answer);
            }
            Input::Answered(ticket, answer @ (Answer::Recalled(_) | Answer::NotRecalled)) => {
                if let Some((aor, then)) = roles.registrar.recalled(&mut turn, ticket, &answer) {
                    roles.go_on(&mut turn, &aor, then);
                }
            }
            Input::Answered(ticket, answer) if roles.push.answered(&mut turn, ticket, &answer) => {}
            Input::Answered(ticket, answer) => match roles.waiting.answered(ticket) {
                Some(visitor) => roles.told_of(&mut turn, *visitor, &answer),
                None => roles.proxy.answered(&mut turn, ticket, answer),
            },
            Input::Asked(asker, question) => roles.asked(&mut turn, asker, question),
            Input::Warned(warning) => roles.proxy.warned(now, warning),
            Input::Announced(aor) => roles.proxy.appeared(&mut turn, &aor),
            Input::Cautioned(caution) => {
                roles.tolls.cautioned(now, turn.house, &caution);
                roles.bans.cautioned(&mut turn, caution);
            }
            Input::Followed(followed) => self.followed = followed,
            Input::Waited(backlog) => roles.door.waited(&mut turn, backlog),
            // We send no signs of life: phones do.
            Input::Media(..) | Input::Alive(..) => {}
        }
        self.conclude(now, before, out);
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        let before = out.len();
        let mut up = std::mem::take(&mut self.up);
        self.transactions.wake(now, out, &mut up);
        let (mut turn, roles) = self.turn(now, out);
        for up in up.drain(..) {
            roles.told(&mut turn, up);
        }
        while let Some(visitor) = roles.waiting.overdue(now) {
            roles.told_of(&mut turn, *visitor, &Answer::Nothing);
        }
        while let Some((aor, then)) = roles.registrar.overdue(now) {
            roles.go_on(&mut turn, &aor, then);
        }
        roles.door.wake(&mut turn);
        roles.begin(&mut turn);
        roles.proxy.wake(&mut turn);
        roles.registrar.wake(&mut turn);
        roles.regevent.wake(&mut turn);
        roles.bans.wake(&mut turn);
        roles.ring(&mut turn);
        self.calls.wake(now, out);
        self.up = up;
        self.conclude(now, before, out);
    }

    fn deadline(&self) -> Option<Time> {
        let roles = &self.roles;
        let proxy = roles.proxy.deadline();
        let watched =
            [roles.registrar.deadline(), roles.regevent.deadline(), roles.bans.deadline()];
        [self.transactions.deadline(), proxy, roles.push.deadline(), roles.waiting.deadline()]
            .into_iter()
            .chain(watched)
            .chain([self.calls.deadline()])
            .chain([roles.door.deadline()])
            .flatten()
            .min()
    }
}

impl Roles {
    fn received(&mut self, turn: &mut Turn<'_>, flow: Flow, mut message: Message) {
        if self.bans.shuns(flow) {
            return;
        }
        // What the driver has judged are the octets as they came: they are changed below.
        let heard = self.door.heard(turn, flow, &message);
        if let Err(fault) = admission::well_formed(&mut message) {
            // A broken response goes nowhere; a request whose Via can be read is told what is wrong.
            let is_told = message.is_request() && message.get::<sip::header::Via>().is_some();
            if is_told && self.door.has_answer(turn, flow) {
                turn.refuse(flow, &message, &fault);
            }
            return;
        }
        if message.is_request() {
            if let Some(stripped) = self.door.strip(turn, flow, &message) {
                message = stripped;
            }
            stamp(&mut message, flow);
            turn.out.extend(alias(&message, flow).map(|peer| Output::Alias(flow, peer)));
        }
        match turn.transactions.meet(turn.now, flow, message, turn.out) {
            Met::Known(up) => up.into_iter().for_each(|up| self.told(turn, up)),
            Met::New(newcomer) => self.newcomer(turn, newcomer, heard),
        }
    }

    /// Octets came that are no message.
    fn unreadable(&mut self, turn: &mut Turn<'_>, flow: Flow, malformed: &Malformed) {
        if !self.bans.shuns(flow) {
            if self.door.has_answer(turn, flow) {
                admission::unreadable(turn, flow, malformed);
            }
            self.bans.unreadable(turn, flow, malformed.error.what);
        }
    }

    /// What the transactions say.
    fn told(&mut self, turn: &mut Turn<'_>, up: Up) {
        match up {
            Up::Response(client, flow, response) => {
                if !self.regevent.answered(turn, client, response.status()) {
                    self.proxy.response(turn, client, flow, response);
                }
            }
            Up::Ack(flow, request) => self.proxy.ack(turn, flow, request),
            // RFC 6026 §7.3: a response without a transaction is not forwarded.
            Up::Stray(..) => {}
            Up::TimedOut(client) if self.regevent.answered(turn, client, None) => {}
            Up::TimedOut(client) => self.proxy.timed_out(turn, client),
            Up::Cancel { cancel, invite, flow, request } => match invite {
                None => turn.refuse_in(cancel, flow, &request, &Fault::NoTransaction),
                Some(invite) => {
                    let ok = turn.reply(&request, Status::OK, Status::OK.phrase()).wire();
                    turn.answer(cancel, ok);
                    match self.waiting.cancelled(invite) {
                        Some(visitor) => {
                            let (status, request) = (Status::REQUEST_TERMINATED, &visitor.way.1);
                            let over = turn.reply(request, status, status.phrase()).wire();
                            turn.answer(invite, over);
                        }
                        None => self.proxy.cancel(turn, invite, &request),
                    }
                }
            },
            // A new request is admitted by `newcomer`, a failure comes with its flow.
            Up::Request(..) | Up::Failed(_) | Up::Unanswerable(_) | Up::Unacknowledged(_) => {}
        }
    }

    fn failed(&mut self, turn: &mut Turn<'_>, how: (Flow, Loss), up: Up) {
        match up {
            Up::Failed(client) if self.regevent.answered(turn, client, None) => {}
            Up::Failed(client) => self.proxy.failed(turn, client, how),
            Up::Unanswerable(server) => self.proxy.unanswerable(turn, server),
            _ => {}
        }
    }

    /// Reminds phones that sleep, and gives up on those that do not wake.
    fn ring(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        self.push.ring(turn, |aor| self.registrar.bindings(now, aor));
    }

    /// Tells who waits for it that bindings have changed.
    fn spread(&mut self, turn: &mut Turn<'_>) {
        for Touched { aor, what } in self.registrar.touched() {
            if what == Change::Appeared {
                self.proxy.appeared(turn, &aor);
                let others = turn.house.settings.shard.count > 1;
                turn.out.extend(others.then(|| Output::Announce(aor.clone())));
            }
            if turn.house.settings.push.is_some() || self.regevent.is_watched(&aor) {
                let bindings = self.registrar.bindings(turn.now, &aor);
                self.push.changed(turn, &aor, &bindings);
                self.regevent.changed(turn, &aor, bindings);
            }
        }
        let shard = turn.house.settings.shard;
        for (account, calls) in turn.calls.changed() {
            let caution = Caution::Calls { account, shard: shard.number, calls };
            turn.out.extend((shard.count > 1).then_some(Output::Caution(caution)));
        }
        for user in self.bans.besieged() {
            let bindings = self.registrar.bindings(turn.now, &user);
            self.bans.vouch(turn, &user, &bindings);
        }
    }

    /// Does what an admitted request is for; once the other nodes' bindings are known, when it is about those.
    fn serve(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        mut way: (Flow, Message, Plan),
        purpose: Purpose,
    ) {
        way.2.call = turn.call_begins((way.0, &way.1, &way.2), &purpose);
        match self.registrar.must_recall(turn, &way.1, &purpose) {
            Some(aor) => {
                let then = Then::Serve(Box::new((id, way, purpose)));
                self.registrar.recall(turn, &aor, then);
            }
            None => self.serve_now(turn, id, way, purpose),
        }
    }

    fn register(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        way: (Flow, &Message),
    ) -> Result<Option<Bytes>, Fault> {
        let aor = self.registrar.address_of_record(turn.house, way.1)?;
        let done = self.registrar.register(turn, id, way, &aor)?;
        let is_noted = self.registrar.comes(&aor, Bans::visit(turn, way.0));
        let visit = if is_noted { Visit::AsBefore } else { Visit::Anew };
        self.bans.welcome(turn, (way.0, &aor), visit);
        turn.vouch(way.0);
        Ok(done)
    }

    fn serve_now(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        way: (Flow, Message, Plan),
        purpose: Purpose,
    ) {
        let found = match purpose {
            Purpose::Register => {
                return match self.register(turn, id, (way.0, &way.1)) {
                    // Without an answer yet: it is sent once all is safe.
                    Ok(done) => done.into_iter().for_each(|wire| turn.answer(id, wire)),
                    Err(fault) => turn.refuse_in(id, way.0, &way.1, &fault),
                };
            }
            Purpose::Watch(aor) => {
                let bindings = self.registrar.bindings(turn.now, &aor);
                let watched = (aor, bindings);
                return match self.regevent.subscribe(turn, id, (way.0, &way.1), watched) {
                    Ok(()) => {}
                    Err(fault) => turn.refuse_in(id, way.0, &way.1, &fault),
                };
            }
            Purpose::Options => {
                let wire = options::answer(turn, &way.1, options::As::Server);
                return turn.answer(id, wire);
            }
            Purpose::LastHop => {
                let wire = options::answer(turn, &way.1, options::As::Proxy);
                return turn.answer(id, wire);
            }
            Purpose::Redirect(wire) => return turn.call_redirected(way.2.call, (id, wire)),
            Purpose::User(aor)
                if turn.is_home_of(&aor) && turn.house.settings.bindings != Bindings::Shared =>
            {
                let bindings = self.registrar.reach(turn, &aor);
                Found::Bound(aor, bindings)
            }
            Purpose::User(aor) => Found::Elsewhere(aor),
            Purpose::Relay(target) => Found::At(vec![*target]),
            Purpose::Routed(errand) => match self.proxy.lead(turn, &errand, &way.1) {
                Ok(Lead::To(targets)) => Found::At(targets),
                Ok(Lead::Ask(asked)) => Found::Number(asked),
                Ok(Lead::Answer(wire)) => return turn.call_redirected(way.2.call, (id, wire)),
                Err(fault) => {
                    turn.call_refused(way.2.call, fault.status(), None);
                    return turn.refuse_in(id, way.0, &way.1, &fault);
                }
            },
            Purpose::Nobody => return,
        };
        self.proxy.forward(turn, id, way, found);
    }
}
