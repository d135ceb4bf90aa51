//! `Node`: one shard of the server. It only dispatches; the roles lie in the folders beside it.

use machine::{Dice, Machine, Time};
use protocol::doors::{Asker as OtherShard, Event};
use protocol::transaction::{Met, Newcomer, ServerId, Transactions, Up};
use protocol::transport::stamp;
use protocol::{Answer, Fault, Flow, Input, Output, Question};
use sip::{Bytes, Draft, Malformed, Message, Method, Name, Status, Uri};

use crate::admission::{self, Entry, Merged};
use crate::gate::{self, Asker, Gate, No};
use crate::house::{House, Place};
use crate::proxy::{Found, Plan, Proxy, Target, Way};
use crate::registrar::Registrar;
use crate::settings::{Match, Settings};
use crate::turn::Turn;
use crate::{options, redirect};

/// A server, or one shard of it.
#[derive(Debug)]
pub struct Node {
    house: House,
    dice: Dice,
    transactions: Transactions,
    roles: Roles,
    /// What transactions had to say in this turn, kept to be lent again.
    up: Vec<Up>,
}

/// One field a role.
#[derive(Debug)]
struct Roles {
    entry: Entry,
    merged: Merged,
    gate: Gate,
    registrar: Registrar,
    proxy: Proxy,
}

/// What a request is for.
enum Purpose {
    Register,
    Options,
    /// OPTIONS to a user, with no hop left: we tell how far it came.
    LastHop,
    /// Somebody who is elsewhere.
    Redirect(Bytes),
    /// A user of ours.
    User(Box<[u8]>),
    /// A user of ours that there is not.
    Nobody,
    /// Strangers, or a number that a route is for.
    Relay(Box<Target>),
}

impl Node {
    /// A server that knows what its settings say, and has no bindings yet.
    pub fn new(settings: Settings, mut dice: Dice) -> Self {
        let transactions = Transactions::new(settings.timers, &mut dice);
        let roles = Roles {
            entry: Entry::Open,
            merged: Merged::new(settings.timers.patience(), &mut dice),
            gate: Gate::new(&settings, &mut dice),
            registrar: Registrar::new(&mut dice),
            proxy: Proxy::new(settings.secret),
        };
        let house = House::new(settings, &mut dice);
        Self { house, dice, transactions, roles, up: Vec::new() }
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// Begins nothing new from now on: such requests are answered 503, with a time to come back.
    pub const fn drain(&mut self) {
        self.roles.entry = Entry::Draining;
    }

    /// How many requests still wait for their final answer: what a server that drains waits for.
    pub fn pending(&self) -> usize {
        self.transactions.unanswered()
    }

    /// How many addresses of record have bindings.
    pub fn registered(&self) -> usize {
        self.roles.registrar.len()
    }

    /// How many requests wait for an answer from elsewhere.
    pub fn forwarding(&self) -> usize {
        self.roles.proxy.len()
    }

    /// What there is to lend, and to whom.
    fn turn<'a>(&'a mut self, now: Time, out: &'a mut Vec<Output>) -> (Turn<'a>, &'a mut Roles) {
        let Self { house, dice, transactions, roles, .. } = self;
        (Turn { now, house, transactions, dice, out }, roles)
    }
}

impl Machine for Node {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        match input {
            Input::Received(flow, message) => roles.received(&mut turn, flow, message),
            Input::Malformed(flow, malformed) => unreadable(&mut turn, flow, malformed),
            Input::Failed(flow) => {
                let mut up = std::mem::take(&mut self.up);
                let (mut turn, roles) = self.turn(now, out);
                turn.transactions.failed(now, flow, &mut up);
                roles.registrar.failed(&mut turn, flow);
                up.drain(..).for_each(|up| roles.failed(&mut turn, flow, up));
                self.up = up;
            }
            Input::Answered(ticket, answer) => roles.proxy.answered(&mut turn, ticket, answer),
            Input::Asked(asker, question) => roles.asked(&mut turn, asker, question),
            Input::Warned(warning) => roles.proxy.warned(now, warning),
            Input::Media(..) => {}
        }
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        let mut up = std::mem::take(&mut self.up);
        self.transactions.wake(now, out, &mut up);
        let (mut turn, roles) = self.turn(now, out);
        for up in up.drain(..) {
            roles.told(&mut turn, up);
        }
        roles.proxy.wake(&mut turn);
        roles.registrar.wake(&mut turn);
        self.up = up;
    }

    fn deadline(&self) -> Option<Time> {
        let roles = &self.roles;
        [self.transactions.deadline(), roles.proxy.deadline(), roles.registrar.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Roles {
    fn received(&mut self, turn: &mut Turn<'_>, flow: Flow, message: Message) {
        if let Err(fault) = admission::well_formed(&message) {
            // A broken response goes nowhere; a request whose Via can be read is told what is wrong.
            if message.is_request() && message.get::<sip::header::Via>().is_some() {
                turn.refuse(flow, &message, &fault);
            }
            return;
        }
        let stamped = if message.is_request() { stamp(&message, flow.peer) } else { None };
        let message = stamped.unwrap_or(message);
        match turn.transactions.meet(turn.now, flow, message, turn.out) {
            Met::Known(up) => up.into_iter().for_each(|up| self.told(turn, up)),
            Met::New(newcomer) => self.newcomer(turn, newcomer),
        }
    }

    /// What the transactions say.
    fn told(&mut self, turn: &mut Turn<'_>, up: Up) {
        match up {
            Up::Response(client, flow, response) => {
                self.proxy.response(turn, client, flow, response);
            }
            Up::Ack(flow, request) => self.proxy.ack(turn, flow, request),
            // RFC 6026 §7.3: a response without a transaction is not forwarded.
            Up::Stray(..) => {}
            Up::TimedOut(client) => self.proxy.timed_out(turn, client),
            Up::Cancel { cancel, invite, flow, request } => match invite {
                None => turn.refuse_in(cancel, flow, &request, &Fault::NoTransaction),
                Some(invite) => {
                    let ok = turn.reply(&request, Status::OK, Status::OK.phrase()).wire();
                    turn.answer(cancel, ok);
                    self.proxy.cancel(turn, invite);
                }
            },
            // A new request is admitted by `newcomer`, a failure comes with its flow.
            Up::Request(..) | Up::Failed(_) | Up::Unacknowledged(_) => {}
        }
    }

    fn failed(&mut self, turn: &mut Turn<'_>, flow: Flow, up: Up) {
        if let Up::Failed(client) = up {
            self.proxy.failed(turn, client, flow);
        }
    }

    /// Another shard asks about one of our addresses.
    fn asked(&mut self, turn: &mut Turn<'_>, asker: OtherShard, question: Question) {
        let answer = match question {
            Question::Locate(aor) => Answer::Bindings(self.registrar.reach(turn.now, &aor)),
            Question::Resolve(_) | Question::MediaSockets | Question::CloseMedia(..) => {
                Answer::Nothing
            }
        };
        turn.out.push(Output::Tell(asker, answer));
    }

    /// A request that begins something: it is judged without a trace first, then admitted, then served.
    fn newcomer(&mut self, turn: &mut Turn<'_>, newcomer: Newcomer) {
        let (flow, request) = (newcomer.flow, newcomer.request.clone());
        if request.method() == Some(Method::Cancel) {
            let up = turn.transactions.admit(turn.now, newcomer, turn.out);
            return up.into_iter().for_each(|up| self.told(turn, up));
        }
        if let Err(fault) = self.entry.admits(&request) {
            return turn.refuse(flow, &request, &fault);
        }
        let plan = self.proxy.plan(turn, flow, &request);
        let purpose = match self.judge(turn, flow, &request, &plan) {
            Ok(purpose) => purpose,
            Err(No::Fault(fault)) => return turn.refuse(flow, &request, &fault),
            Err(No::Challenge(wire, status, why)) => {
                turn.send_back(flow, &request, wire);
                return match why {
                    Some(why) => turn.report_refusal(flow, &request, status, why),
                    None => turn.report_challenge(flow, &request),
                };
            }
        };
        if let Some(Up::Request(id, ..)) = turn.transactions.admit(turn.now, newcomer, turn.out) {
            self.serve(turn, id, (flow, request, plan), purpose);
        }
    }

    /// What is it for, and may it?
    fn judge(
        &mut self,
        turn: &mut Turn<'_>,
        flow: Flow,
        request: &Message,
        plan: &Plan,
    ) -> Result<Purpose, No> {
        let purpose = purpose(turn, request, plan).map_err(No::Fault)?;
        let asker = match purpose {
            Purpose::Register | Purpose::Options => {
                admission::required(request).map_err(No::Fault)?;
                admission::body(request).map_err(No::Fault)?;
                Asker::Server
            }
            // §8.3: whatever it requires, its sender will find it there.
            Purpose::Redirect(_) | Purpose::LastHop => Asker::Server,
            Purpose::User(_) | Purpose::Nobody | Purpose::Relay(_) => {
                self.proxy.validate(turn, flow, request, plan).map_err(No::Fault)?;
                Asker::Proxy
            }
        };
        if must_prove(turn, flow, (request, plan), &purpose) {
            self.gate.ask(turn, request, asker)?;
        }
        if asker == Asker::Server {
            self.merged.note(turn.now, request).map_err(No::Fault)?;
        }
        match purpose {
            Purpose::Nobody => Err(No::Fault(Fault::NotFound)),
            purpose => Ok(purpose),
        }
    }

    /// Does what an admitted request is for.
    fn serve(
        &mut self,
        turn: &mut Turn<'_>,
        id: ServerId,
        way: (Flow, Message, Plan),
        purpose: Purpose,
    ) {
        let found = match purpose {
            Purpose::Register => {
                return match self.registrar.register(turn, way.0, &way.1) {
                    Ok(wire) => turn.answer(id, wire),
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
            Purpose::Redirect(wire) => return turn.answer(id, wire),
            Purpose::User(aor) if turn.is_home_of(&aor) => {
                Found::bindings(self.registrar.reach(turn.now, &aor))
            }
            Purpose::User(aor) => Found::Elsewhere(aor),
            Purpose::Relay(target) => Found::At([*target].into()),
            Purpose::Nobody => return,
        };
        self.proxy.forward(turn, id, way, found);
    }
}

/// What a request is for, by its Request-URI, its routes, and what we know.
fn purpose(turn: &Turn<'_>, request: &Message, plan: &Plan) -> Result<Purpose, Fault> {
    let uri = Uri::parse(&plan.uri).map_err(Fault::Malformed)?;
    let way = plan.onward().map_or(Way::Uri, Way::Flow);
    let relay = |way| Ok(Purpose::Relay(Box::new(Target::of(plan.uri.clone(), way))));
    let method = request.method();
    match turn.house.place(&uri) {
        Place::Us | Place::User(_) if method == Some(Method::Register) => Ok(Purpose::Register),
        Place::Us if method == Some(Method::Options) => Ok(Purpose::Options),
        Place::Us => Err(Fault::MethodNotAllowed),
        Place::User(user) => user_or_number(turn, request, plan, user),
        Place::Foreign => {
            let host = uri.sip().map(|uri| uri.host);
            let route = host.and_then(|host| turn.house.route_for(&host));
            match (&way, route.and_then(|route| route.to.as_deref())) {
                (Way::Uri, Some(to)) => relay(Way::Hop(Bytes::copy_from_slice(to.as_bytes()))),
                _ => relay(way),
            }
        }
        Place::Unknown if plan.routes.is_empty() => Err(Fault::UnsupportedScheme),
        Place::Unknown => relay(way),
    }
}

fn user_or_number(
    turn: &Turn<'_>,
    request: &Message,
    plan: &Plan,
    user: Box<[u8]>,
) -> Result<Purpose, Fault> {
    // §16.3 step 3: whoever asks how far its OPTIONS can go is answered here.
    if request.method() == Some(Method::Options) && admission::hops(request).is_err() {
        return Ok(Purpose::LastHop);
    }
    if let Some(redirect) = redirect::of(turn, &user) {
        let answer = redirect::answer(turn, request, redirect);
        return answer.map(Purpose::Redirect).ok_or(Fault::NotFound);
    }
    if turn.house.knows(&user) {
        return Ok(Purpose::User(user));
    }
    let route = turn.house.route_for_number(&user);
    if let Some(to) = route.and_then(|route| route.to.as_deref()) {
        return number_to(to, &user, plan);
    }
    if turn.house.trusts_everybody() { Ok(Purpose::User(user)) } else { Ok(Purpose::Nobody) }
}

/// A number that a route is for: the same user, at the host that the route names.
fn number_to(to: &str, user: &[u8], plan: &Plan) -> Result<Purpose, Fault> {
    let fault = Fault::Unroutable("The Route of the Number Is No SIP URI");
    let Ok(Uri::Sip(hop)) = Uri::parse(to.as_bytes()) else { return Err(fault) };
    let user = sip::uri::escape_user(user);
    let mut uri = Vec::with_capacity(plan.uri.len());
    sip::uri::SipUri { user: Some(&user), password: None, ..hop }.write(&mut uri);
    let hop = Way::Hop(Bytes::copy_from_slice(to.as_bytes()));
    Ok(Purpose::Relay(Box::new(Target::of(uri.into(), hop))))
}

/// Must the sender prove who it is? For what the settings name, and for everything that leaves the house; not within a dialog that we
/// have let pass, and not for the users of a domain that we have a route for, as long as they call ours.
fn must_prove(turn: &Turn<'_>, flow: Flow, request: (&Message, &Plan), purpose: &Purpose) -> bool {
    let (request, plan) = request;
    if turn.house.trusts_everybody() {
        return false;
    }
    let challenged = request.method().is_some_and(|method| turn.house.challenges(method));
    match purpose {
        // A number leads to somebody who is paid for it: no pass is good for that.
        Purpose::Relay(target) => plan.pass.is_none() || matches!(target.way, Way::Hop(_)),
        Purpose::Register | Purpose::Options | Purpose::LastHop => challenged,
        Purpose::User(_) | Purpose::Nobody | Purpose::Redirect(_) => {
            challenged && plan.pass.is_none() && !is_from_a_peer(turn, flow, request)
        }
    }
}

/// True for a request of another domain that we have a route for, from the address that the route names.
fn is_from_a_peer(turn: &Turn<'_>, flow: Flow, request: &Message) -> bool {
    if gate::claims_to_be_ours(turn, request) {
        return false;
    }
    let Some(from) = request.get::<sip::header::From>() else { return false };
    let Ok(Uri::Sip(from)) = Uri::parse(from.uri) else { return false };
    let Some(route) = turn.house.route_for(&from.host) else { return false };
    let Match::Domain(_) = route.matches else { return false };
    match route.to.as_deref().map(|to| Uri::parse(to.as_bytes())) {
        Some(Ok(Uri::Sip(hop))) => {
            hop.host.ip().is_none_or(|ip| ip.to_canonical() == flow.peer.ip().to_canonical())
        }
        _ => true,
    }
}

/// Octets that are no message. A request whose Vias can still be read is told what is wrong; its driver closes a stream after that.
fn unreadable(turn: &mut Turn<'_>, flow: Flow, malformed: Malformed) {
    let reason = malformed.error.to_string().into();
    turn.out.push(Output::Report(Event::Unreadable { source: flow.peer, reason }));
    let Some(head) = readable_head(&malformed.wire) else { return };
    let Ok(head) = Message::parse(head) else { return };
    if !head.is_request() || head.method() == Some(Method::Ack) {
        return;
    }
    if admission::well_formed(&head).is_err() {
        return;
    }
    let head = stamp(&head, flow.peer).unwrap_or(head);
    let fault = Fault::Malformed(malformed.error);
    turn.refuse(flow, &head, &fault);
}

/// The rows that an answer needs, of a message that is broken elsewhere.
fn readable_head(wire: &[u8]) -> Option<Bytes> {
    let end = wire.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = wire.get(..end)?;
    let mut lines = head.split(|octet| *octet == b'\n').map(|line| line.trim_ascii_end());
    let start = lines.next()?;
    let uri = start.split(|octet| *octet == b' ').nth(1)?;
    let method = start.split(|octet| *octet == b' ').next()?;
    let mut draft = Draft::request(Method::of(std::str::from_utf8(method).ok()?), uri);
    for line in lines {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = Name::of(name.trim_ascii());
        if matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq) {
            draft = draft.raw(name, value.get(1..).unwrap_or_default().trim_ascii());
        }
    }
    Some(draft.wire())
}
