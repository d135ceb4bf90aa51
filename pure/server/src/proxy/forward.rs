//! Request forwarding (RFC 3261 §16.6): targets become branches, a branch tries its addresses one by one.

use std::collections::VecDeque;

use protocol::doors::Reach;
use protocol::locate::{self, Risk, States};
use protocol::transaction::{self, ClientId, ServerId};
use protocol::transport::fits_udp;
use protocol::{Answer, Fault, Flow, Ticket, Transport};
use sip::uri::{Host, HostPort};
use sip::{Message, Method, Status, Uri};

use super::best::Candidate;
use super::context::{Addressee, Attempt, Branch, Context, Leg, Size, State};
use super::copy::{Copy, Original, Routing, Written};
use super::disposition::{Disposition, Order};
use super::history::Past;
use super::plan::Plan;
use super::preferences::Preferences;
use super::response::Loss;
use super::target::{self, Target, Way};
use super::{Proxy, Sent, Wait, hop, identity};
use crate::admission::{Class, Whence};
use crate::gruu::Aim;
use crate::house::House;
use crate::limits;
use crate::turn::Turn;

impl Proxy {
    /// The bindings of the user are known: all of them are meant, or those of one phone (RFC 5627 §6.1).
    pub(super) fn bound(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        bindings: Vec<Reach>,
    ) {
        self.called.note(&self.seal, context);
        let mut bindings = context.plan.aim.meant(turn.house, bindings);
        if let Aim::Phone(phone) = &context.plan.aim {
            if bindings.is_empty() && phone.is_temporary() {
                let fault = Fault::NotFound;
                context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
                return self.settle(turn, context);
            }
            if !context.plan.routes.is_empty() {
                // The routes of its dialog lead there already: with the Path it would go in a spiral.
                bindings.iter_mut().for_each(|binding| binding.path.clear());
            }
        }
        let preferences = Preferences::of(&context.request);
        let mut targets = target::of_bindings(preferences.choose(bindings), &preferences);
        if Disposition(&context.request).no_fork() {
            targets.truncate(1);
        }
        self.found(turn, context, targets);
    }

    /// The targets are known.
    pub(super) fn found(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        mut targets: VecDeque<Target>,
    ) {
        if turn.house.only_redirects() {
            return Self::tell_targets(turn, context, targets.make_contiguous());
        }
        if targets.is_empty() {
            let fault = Fault::Unregistered;
            context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
        }
        context.waiting = targets;
        self.settle(turn, context);
    }

    /// Starts what can be started, and ends what has ended: after every change of a branch.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        // Those who are cancelled and have not answered have their breadth yet: when nothing is left of it, who waits waits on for them.
        while context.state == State::Open
            && !context.is_calling()
            && !context.waiting.is_empty()
            && context.breadth_left() > 0
        {
            self.launch(turn, context);
        }
        if !context.is_answered()
            && !context.is_pending()
            && !matches!(context.state, State::Locating { .. })
        {
            self.finish(turn, context);
        }
    }

    /// The next group: targets of equal preference ring together, as many as Max-Breadth lets (RFC 5393 §5.3.3); the others after
    /// them.
    fn launch(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        let like = |target: &Target| (target.q, target.rank);
        let Some(best) = context.waiting.front().map(like) else { return };
        let stand_in = context.waiting.front().is_some_and(Target::stands_in);
        let group = match Disposition(&context.request).order() {
            // Who stands for another is never asked beside it, whatever the caller wishes.
            _ if stand_in => 1,
            Order::ByPreference => {
                context.waiting.iter().take_while(|target| like(target) == best).count()
            }
            Order::Parallel => context.waiting.len(),
            Order::Sequential => 1,
        };
        let left = context.breadth_left();
        let together = group.min(left as usize).max(1);
        let rest = context.waiting.split_off(together);
        let group = std::mem::replace(&mut context.waiting, rest);
        context.branches.reserve_exact(together);
        let breadth = left.saturating_sub(context.spare(left));
        let each = u32::try_from(together).ok().and_then(|n| breadth.checked_div(n));
        // A carrier that rings is not left for the next one: only the phones of a user take turns.
        let takes_turns = context.is_invite()
            && matches!(context.addressee, Addressee::User(_))
            && !context.waiting.is_empty();
        let ring_each = turn.house.settings.proxy.ring_each;
        context.gives_way = if takes_turns { turn.now + ring_each } else { machine::Time::NEVER };
        for target in group {
            self.begin(turn, context, target, each.unwrap_or(1).max(1));
        }
    }

    pub(super) fn begin(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        mut target: Target,
        breadth: u32,
    ) {
        if context.branches.len() >= limits::TARGETS {
            return context.passes_over(target);
        }
        if let Way::User(..) = target.way {
            return self.ask_for(turn, context, target);
        }
        if let Some(sleeper) = target.asleep.take() {
            return self.rouse(turn, context, (target, sleeper), breadth);
        }
        if let Err(fault) = self.take_line(turn, context, &target) {
            context.passes_over(target);
            return context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
        }
        let node = self.visit(turn, &context.request, &mut target);
        let routing = Routing::of(&context.plan, &target);
        let mut branch = Branch::new(target, routing, breadth, Leg::Done);
        let at = context.branches.len();
        let until = turn.now + turn.house.settings.timers.patience();
        let first = match node {
            Some(flow) => {
                let attempt = Attempt { flow, size: Size::DoesNotCount };
                Ok(First::Try(vec![attempt]))
            }
            None => first_hop(turn, (context.came, &context.plan), &mut branch),
        };
        match first {
            Ok(First::Try(attempts)) => {
                branch.attempts = attempts;
                context.branches.push(branch);
                self.attempt(turn, context, at);
            }
            Ok(First::Ask(question)) => {
                let ticket = self.ask(turn, question, Wait::Addresses(context.id, at));
                branch.state = Leg::Looking { ticket, until };
                context.branches.push(branch);
            }
            Err(fault) => {
                context.branches.push(branch);
                if !self.other_way(turn, context, at) {
                    context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
                }
            }
        }
    }

    /// The addresses of a next hop are known.
    pub(super) fn looked_up(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        answer: (Ticket, Answer),
    ) {
        let (ticket, answer) = answer;
        let came = context.came;
        let Some(branch) = context.branches.get_mut(at) else { return };
        if !matches!(branch.state, Leg::Looking { ticket: asked, .. } if asked == ticket) {
            return;
        }
        branch.state = Leg::Done;
        match answer {
            Answer::Targets(targets) => {
                branch.attempts = attempts_to(turn, &targets, came);
                let keys = targets.iter().map(|target| target.key()).collect();
                self.found_member(&branch.target, keys);
                self.attempt(turn, context, at);
            }
            Answer::Unlocated(why) => {
                let fault = hop::fault(why);
                context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
            }
            Answer::Bindings(_)
            | Answer::Spent(_)
            | Answer::MediaSockets { .. }
            | Answer::Kept
            | Answer::NotKept
            | Answer::Differs(_)
            | Answer::Recalled(_)
            | Answer::NotRecalled
            | Answer::Pushed
            | Answer::Services(_)
            | Answer::Nothing => {
                self.lost(turn, context, at, Loss::Unreachable);
            }
        }
        self.settle(turn, context);
    }

    /// Sends a branch to its next address, by a new transaction with a branch parameter of its own.
    pub(super) fn attempt(&mut self, turn: &mut Turn<'_>, context: &mut Context, at: usize) {
        let past = Past::of(turn.house, context, at);
        let (id, invite) = (context.id, context.is_invite());
        let stand_in = context.waiting.front().is_some_and(Target::stands_in);
        let limited = !self.neighbours.is_empty();
        let class = limited.then(|| Class::of(turn.house, &context.request, Whence::Anywhere));
        let Some(branch) = context.branches.get_mut(at) else { return };
        let (secure, mut loss) = (branch.routing.secure, Loss::Unreachable);
        // An INVITE loses 3.5 s when the target is not back; anything else would lose everything.
        let risk = if invite { Risk::Take } else { Risk::Avoid };
        while let Some(attempt) = next_attempt(&mut self.states, turn.now, branch, risk) {
            if secure && !attempt.flow.transport.is_secure() {
                loss = Loss::Insecure;
                continue;
            }
            if let Some(kinds) =
                identity::denied(turn.house, &context.request, attempt.flow.peer.ip())
            {
                // RFC 3323 §5: with what is missing.
                let phrase = format!("Privacy Failed: {kinds}").into();
                branch.state = Leg::Done;
                branch.tries_no_more();
                return context.best.offer(Candidate::Ours(Status::SERVER_INTERNAL_ERROR, phrase));
            }
            let original = Original {
                house: turn.house,
                seal: &self.seal,
                request: &context.request,
                plan: &context.plan,
                came: context.came,
                past: past.as_ref(),
            };
            let unique = turn.dice.roll() as u32;
            let Ok((flow, copy)) = self.fitting(turn, &original, branch, (attempt, unique)) else {
                continue;
            };
            let key = (flow.transport, flow.peer);
            if class.is_some_and(|class| !self.neighbours.lets(turn.now, key, class, turn.dice)) {
                loss = Loss::Busy;
                continue;
            }
            let client = send(turn, (context.id, &context.request), (flow, copy));
            turn.call_goes(context.plan.call, flow);
            let (ring, timers) = (turn.now + turn.house.settings.ring, turn.house.settings.timers);
            let until = if invite { ring } else { machine::Time::NEVER };
            let kept = branch.target.way.flow().is_none();
            // Whoever is there answers an INVITE at once, with a 100 at least; other requests may take their time.
            let other = kept && !branch.attempts.is_empty()
                || !branch.target.spares.is_empty()
                || matches!(branch.target.way, Way::Across(..))
                || stand_in && branch.target.stands_in();
            let hurry = if invite && other {
                turn.now + timers.t1.saturating_mul(limits::HURRY)
            } else {
                machine::Time::NEVER
            };
            branch.state = Leg::Calling { client, until, hurry };
            let to = kept.then(|| Box::new((flow.transport, flow.peer)));
            self.clients.insert(client, Sent { context: id, branch: at as u32, to });
            return;
        }
        self.lost(turn, context, at, loss);
    }

    /// Goes on with a branch at its next address; false, when it has none. When the flow of its beginning is gone, that is where its Contact leads.
    pub(super) fn goes_on(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
    ) -> bool {
        let Some(branch) = context.branches.get_mut(at) else { return false };
        if branch.attempts.is_empty() && std::mem::take(&mut branch.unread) {
            match next_hop(turn, (context.came, &context.plan), branch) {
                Ok(First::Try(all)) => branch.attempts = all,
                Ok(First::Ask(question)) => {
                    let until = turn.now + turn.house.settings.timers.patience();
                    let ticket = self.ask(turn, question, Wait::Addresses(context.id, at));
                    branch.state = Leg::Looking { ticket, until };
                    return true;
                }
                Err(_) => {}
            }
        }
        let has_more = !branch.attempts.is_empty();
        if has_more {
            self.attempt(turn, context, at);
        }
        has_more
    }

    /// The copy for an address, over TCP when it is too large for a datagram (§18.1.1); UDP is then tried after that.
    fn fitting(
        &self,
        turn: &Turn<'_>,
        original: &Original<'_>,
        branch: &mut Branch,
        attempt: (Attempt, u32),
    ) -> Result<(Flow, Written), Fault> {
        let (Attempt { flow, size }, unique) = attempt;
        let write = |branch: &Branch, flow| {
            let breadth = branch.breadth;
            original.copy(&branch.routing, &Copy { target: &branch.target, flow, unique, breadth })
        };
        let copy = write(branch, flow)?;
        if flow.transport != Transport::Udp
            || size == Size::DoesNotCount
            || fits_udp(copy.wire.len())
        {
            return Ok((flow, copy));
        }
        let tcp = hop::flow_to(turn.house, Transport::Tcp, flow.peer, original.came.listener);
        match tcp.filter(|_| !self.refused_tcp.has(turn.now, flow.peer)) {
            None => Ok((flow, copy)),
            Some(tcp) => {
                branch.attempts.insert(0, Attempt { flow, size: Size::DoesNotCount });
                Ok((tcp, write(branch, tcp)?))
            }
        }
    }
}

/// Begins the client transaction of a copy.
fn send(
    turn: &mut Turn<'_>,
    (of, request): (ServerId, &Message),
    (flow, copy): (Flow, Written),
) -> ClientId {
    let listener = turn.house.listener(flow.listener);
    let sent_by = listener.and_then(|ours| HostPort::parse(ours.advertised.as_bytes()).ok());
    let written = transaction::Written {
        method: request.method().unwrap_or(Method::Other("")),
        branch: copy.branch.as_bytes(),
        sent_by: sent_by.unwrap_or(HostPort { host: Host::Name(""), port: None }),
        of,
        wire: copy.wire,
        trace: copy.trace,
    };
    turn.transactions.send(turn.now, flow, written, turn.out)
}

/// The next address: the flow of a phone, or the same address by another transport, before all else; else by what is known of them
/// (RFC 3263 §4.3).
fn next_attempt(
    states: &mut States,
    now: machine::Time,
    branch: &mut Branch,
    risk: Risk,
) -> Option<Attempt> {
    let place = match branch.attempts.first()?.size {
        Size::DoesNotCount => 0,
        Size::Counts => {
            let keys =
                branch.attempts.iter().map(|attempt| (attempt.flow.transport, attempt.flow.peer));
            states.pick(now, keys, risk)?
        }
    };
    let next = (place < branch.attempts.len()).then(|| branch.attempts.remove(place));
    if branch.attempts.is_empty() {
        // A phone may ring for minutes, and needs no list for that.
        branch.attempts = Vec::new();
    }
    next
}

/// What can be done first for a branch.
enum First {
    Try(Vec<Attempt>),
    Ask(protocol::Question),
}

/// Where a branch goes first: by its flow, or where its next hop is.
fn first_hop(
    turn: &mut Turn<'_>,
    request: (Flow, &Plan),
    branch: &mut Branch,
) -> Result<First, Fault> {
    match branch.target.way.flow().filter(|_| branch.routing.routes.is_empty()) {
        Some(flow) => {
            branch.unread = matches!(branch.target.way, Way::Flow(_));
            let attempt = Attempt { flow, size: Size::DoesNotCount };
            Ok(First::Try(vec![attempt]))
        }
        None => next_hop(turn, request, branch),
    }
}

/// Where the next hop of a branch is, as its URI says.
fn next_hop(
    turn: &mut Turn<'_>,
    (came, plan): (Flow, &Plan),
    branch: &Branch,
) -> Result<First, Fault> {
    let next = branch.routing.next(plan, &branch.target);
    let hop = match next.map(Uri::parse) {
        Some(Ok(Uri::Sip(uri))) => hop::of(&uri, turn.house)?,
        _ => return Err(Fault::Unroutable("The Next Hop Is No SIP URI")),
    };
    match hop {
        hop::Hop::Named(question) => Ok(First::Ask(question)),
        hop::Hop::At(mut targets) => {
            keep_name(turn.house, branch, &mut targets);
            let attempts = attempts_to(turn, &targets, came);
            if attempts.is_empty() {
                return Err(Fault::Unroutable("We Do Not Speak the Transport of the Next Hop"));
            }
            Ok(First::Try(attempts))
        }
    }
}

/// A route that leads a domain to a number says where its server is, not who it is (trap 31).
fn keep_name(house: &House, branch: &Branch, targets: &mut [locate::Target]) {
    let Way::Hop(_) = branch.target.way else { return };
    let Ok(Uri::Sip(uri)) = Uri::parse(branch.routing.uri(&branch.target)) else { return };
    if matches!(uri.host, Host::Name(_)) && !house.is_ours(&uri) {
        let name = uri.host.to_string().to_ascii_lowercase();
        targets.iter_mut().for_each(|target| target.domain = name.as_str().into());
    }
}

/// The addresses of a next hop, with no more room than they need: a phone may ring for long.
fn attempts_to(turn: &mut Turn<'_>, targets: &[locate::Target], came: Flow) -> Vec<Attempt> {
    let Turn { house, out, .. } = turn;
    let flow = |target| hop::flow_of(house, target, came.listener, out);
    let targets = targets.get(..limits::TARGETS).unwrap_or(targets);
    let mut attempts = Vec::with_capacity(targets.len());
    let flows = targets.iter().filter_map(flow);
    attempts.extend(flows.map(|flow| Attempt { flow, size: Size::Counts }));
    attempts
}
