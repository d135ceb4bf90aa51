//! Response processing (RFC 3261 §16.7), and what stands for a response that never came (§16.8, §16.9).

use std::net::SocketAddr;
use std::time::Duration;

use protocol::doors::Event;
use protocol::locate::Failure;
use protocol::transaction::{ClientId, ServerId};
use protocol::transport::response_flow;
use protocol::{Flow, Output, Transport};
use sip::header::{RetryAfter, Via};
use sip::{Bytes, Edit, Message, Method, Name, Status};

use super::asleep::DOZE;
use super::best::{Asks, Candidate};
use super::context::{Context, Leg, State};
use super::disposition::Disposition;
use super::target::Way;
use super::{Proxy, Sent, cancel, identity, session_timer};
use crate::admission::feedback;
use crate::groups::Key;
use crate::turn::{Turn, call_id};

/// How a branch can be lost without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nobody answered: as a 408.
    Silent,
    /// It could not be sent: as a 503.
    Unreachable,
    /// It may go by TLS alone, and no way there is TLS: as a 480 (RFC 5630 §5.1).
    Insecure,
    /// Whoever is there has not proven to be the next hop: as a 503.
    Untrusted,
    /// It has said how much less it is to be sent, and this is of that: as a 503 (RFC 7339 §5.10).
    Busy,
    /// It was answered, but nobody could tell whom: as a 502. It has been worked on, so nobody else is asked.
    Astray,
}

impl Proxy {
    /// Takes a response to one of our branches.
    pub(crate) fn response(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientId,
        flow: Flow,
        response: Message,
    ) {
        let Some((id, at, to)) = self.sent(client, &response) else {
            return self.unawaited(turn, (client, flow), &response);
        };
        if let Some(to) = to {
            let says = asks(turn) && response.via_marks().load;
            if let Some(via) = response.get::<Via>().filter(|_| says) {
                self.neighbours.heard(turn.now, to, &via);
            }
            self.note(turn, to, &response);
        }
        self.with(turn, id, |proxy, turn, context| {
            let between = (flow.peer.ip(), context.came.peer.ip());
            let known = identity::of_response(turn.house, &response, between);
            let response = known.unwrap_or(response);
            let Some(status) = response.status() else { return };
            match (status.class(), Homeward::in_context(context, &response)) {
                (1, None) => {}
                (1, Some(homeward)) => proxy.provisional(turn, context, at, homeward),
                (_, None) => {
                    proxy.clients.remove(&client);
                    proxy.lost(turn, context, at, Loss::Astray);
                    proxy.settle(turn, context);
                }
                (2, Some(homeward)) => {
                    // The branch is done; its 2xx, when it is repeated, needs no context (above).
                    proxy.clients.remove(&client);
                    proxy.success(turn, context, (at, client), (homeward, flow));
                }
                _ => {
                    proxy.clients.remove(&client);
                    proxy.refusal(turn, context, at, response);
                }
            }
        });
    }

    /// What a response answers: a branch of a request, or one that was given up, when it accepts all the same. And the address, when its state is
    /// kept.
    fn sent(
        &mut self,
        client: ClientId,
        response: &Message,
    ) -> Option<(ServerId, usize, Option<Key>)> {
        let parts = |sent: &Sent| (sent.context, sent.branch as usize, sent.to.as_deref().copied());
        if let Some(sent) = self.clients.get(&client) {
            return Some(parts(sent));
        }
        let accepts = response.status().is_some_and(Status::is_success);
        let late = if accepts { self.given_up.over(client) } else { None };
        let leads_home = |_: &Sent| Homeward::of(response).is_some();
        let late = late.filter(|sent| self.contexts.has(sent.context)).filter(leads_home);
        late.as_ref().map(parts)
    }

    /// A response that no branch waits for.
    fn unawaited(
        &mut self,
        turn: &mut Turn<'_>,
        (client, flow): (ClientId, Flow),
        response: &Message,
    ) {
        if self.is_probe(turn, client, Some(response)) {
            return;
        }
        if !response.status().is_some_and(Status::is_provisional) {
            self.given_up.over(client);
            // Its context is gone: a 2xx that is repeated goes on as a stateless proxy would send it (§16.7 step 1).
            self.repeated(turn, (client, flow), response);
        } else if self.given_up.rings(client) {
            let patience = turn.house.settings.timers.patience();
            self.given_up.cancelled(client, turn.now + patience);
            cancel::send(turn, client, Some(cancel::NOBODY_ANSWERED));
        }
    }

    /// Whoever answers is alive; whoever asks for a pause gets it (§21.5.4, RFC 3263 §4.3).
    fn note(&mut self, turn: &mut Turn<'_>, to: (Transport, SocketAddr), response: &Message) {
        let unavailable = response.status() == Some(Status::SERVICE_UNAVAILABLE);
        match response.get::<RetryAfter>().filter(|_| unavailable) {
            Some(pause) => {
                let pause = Duration::from_secs(pause.seconds.into());
                self.failing(turn, to, Failure::RetryAfter(pause));
            }
            None => self.states.succeeded(to),
        }
    }

    fn provisional(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        homeward: Homeward<'_>,
    ) {
        let Some(branch) = context.branches.get_mut(at) else { return };
        let trying = homeward.response.status() == Some(Status::TRYING);
        // Timer C begins anew with each but a 100 (§16.7 step 2).
        let news = turn.now + turn.house.settings.ring;
        match branch.state {
            Leg::Calling { client, until, .. } | Leg::Ringing { client, until } => {
                let until = if trying || until == machine::Time::NEVER { until } else { news };
                branch.state = Leg::Ringing { client, until };
            }
            Leg::Unwanted { client, until } => {
                branch.state = Leg::Ringing { client, until };
                return self.cancel_branch(turn, context, at, None);
            }
            Leg::Looking { .. } | Leg::Cancelling { .. } | Leg::Done => return,
        }
        if !trying && !context.is_answered() {
            turn.call_rings(context.plan.call);
            context.dozes = turn.now + DOZE;
            pass_on(turn, context, homeward, &[]);
        }
    }

    /// A 2xx is passed on at once; for an INVITE each one, also after another final answer (§16.7 step 5).
    fn success(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        (at, client): (usize, ClientId),
        (homeward, by): (Homeward<'_>, Flow),
    ) {
        let response = homeward.response;
        let Some(branch) = context.branches.get_mut(at) else { return };
        // One that was given up has asked somebody else meanwhile.
        if branch.state.client() == Some(client) {
            branch.state = Leg::Done;
        }
        if context.is_answered() && !context.is_invite() {
            return;
        }
        self.remember(turn, context, client, response);
        pass_on(turn, context, homeward, &[]);
        if context.state == State::Dismissed {
            turn.call_comes_late((context.came, &context.request), response);
        }
        if !context.is_answered() {
            context.state = State::Accepted;
            note_answer(turn, context, at, (response, by));
            if !context.begins() {
                turn.call_moves(&context.request, response);
            }
            report(turn, context, Status::OK);
            self.hold_line(turn, context, response);
        }
        context.waiting.clear();
        if !Disposition(&context.request).no_cancel() {
            context.reason = Some(cancel::ANSWERED.into());
            self.cancel_branches(turn, context);
        }
    }

    /// What a 2xx to an INVITE gets for a session timer, its copies get too.
    fn remember(
        &mut self,
        turn: &Turn<'_>,
        context: &Context,
        client: ClientId,
        response: &Message,
    ) {
        let timer = turn.house.settings.proxy.session_timer;
        let owed = session_timer::owed(timer, &context.request, response);
        if let Some(expires) = owed.filter(|_| context.is_invite()) {
            let until = turn.now + turn.house.settings.timers.patience();
            self.paid.note(client, expires, until);
        }
    }

    fn refusal(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        response: Message,
    ) {
        let status = response.status().unwrap_or(Status::SERVER_INTERNAL_ERROR);
        let Some(branch) = context.branches.get_mut(at) else { return };
        branch.state = Leg::Done;
        if status == Status::SERVICE_UNAVAILABLE && self.goes_on(turn, context, at) {
            return self.settle(turn, context);
        }
        let Some(branch) = context.branches.get_mut(at) else { return };
        branch.said = status.code();
        let unheard = matches!(status, Status::REQUEST_TIMEOUT | Status::FLOW_FAILED);
        if unheard && self.other_way(turn, context, at) {
            return self.settle(turn, context);
        }
        Self::judge_onward(turn, context, at, status);
        if status.class() == 6 && !context.is_answered() {
            // §16.7 step 5: nobody else is asked any more.
            self.close(turn, context, Some(cancel::REFUSED.into()));
        }
        if let Some(left) = self.recurse(turn, context, response) {
            context.best.offer(Candidate::Theirs(left));
        }
        self.settle(turn, context);
    }

    /// The phone has not heard of it by this way: the next way to it is tried, when there is one (RFC 5626 §7).
    pub(super) fn other_way(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
    ) -> bool {
        let spare = context.branches.get_mut(at).and_then(|branch| {
            let breadth = branch.breadth;
            branch.target.spare().map(|spare| (spare, breadth))
        });
        let Some((spare, breadth)) = spare.filter(|_| context.state == State::Open) else {
            return false;
        };
        self.begin(turn, context, spare, breadth);
        true
    }

    /// A branch got no answer at all.
    pub(super) fn lost(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        loss: Loss,
    ) {
        let Some(branch) = context.branches.get_mut(at) else { return };
        branch.state = Leg::Done;
        branch.said = Status::REQUEST_TIMEOUT.code();
        let is_edge = matches!(branch.target.way, Way::Edge(_));
        let is_across = matches!(branch.target.way, Way::Across(..));
        if loss != Loss::Astray
            && (self.goes_on(turn, context, at) || self.other_way(turn, context, at))
        {
            return;
        }
        if loss == Loss::Astray {
            Self::judge_onward(turn, context, at, Status::BAD_GATEWAY);
        }
        context.best.offer(match loss {
            Loss::Silent | Loss::Unreachable if is_across => {
                let phrase = "The Server of the Phone Cannot Be Reached";
                Candidate::Ours(Status::TEMPORARILY_UNAVAILABLE, phrase.into())
            }
            Loss::Silent => {
                Candidate::Ours(Status::REQUEST_TIMEOUT, "The Next Hop Is Silent".into())
            }
            Loss::Unreachable if is_edge => {
                Candidate::Ours(Status::FLOW_FAILED, "The Flow of the Phone Is Gone".into())
            }
            Loss::Unreachable => Candidate::Ours(
                Status::SERVICE_UNAVAILABLE,
                "The Next Hop Cannot Be Reached".into(),
            ),
            Loss::Insecure => {
                Candidate::Ours(Status::TEMPORARILY_UNAVAILABLE, "No Way There Is by TLS".into())
            }
            Loss::Untrusted => Candidate::Ours(
                Status::SERVICE_UNAVAILABLE,
                "The Next Hop Has Not Proven Who It Is".into(),
            ),
            Loss::Busy => Candidate::Ours(
                Status::SERVICE_UNAVAILABLE,
                "The Next Hop Has Too Much to Do".into(),
            ),
            Loss::Astray => Candidate::Ours(
                Status::BAD_GATEWAY,
                "The Next Hop Answered Without Our Vias".into(),
            ),
        });
    }

    /// Nobody answered a branch in time.
    pub(crate) fn timed_out(&mut self, turn: &mut Turn<'_>, client: ClientId) {
        self.lose(turn, client, Loss::Silent);
    }

    /// A branch could not be sent (§16.9).
    pub(crate) fn failed(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientId,
        (flow, loss): (Flow, Loss),
    ) {
        // A connection that was open is one that was taken, whatever has become of it.
        if flow.transport == Transport::Tcp && flow.connection == 0 {
            self.refused_tcp.note(turn.now, flow.peer);
        }
        self.lose(turn, client, loss);
    }

    fn lose(&mut self, turn: &mut Turn<'_>, client: ClientId, loss: Loss) {
        self.given_up.over(client);
        if self.is_probe(turn, client, None) {
            return;
        }
        let Some(Sent { context: id, branch: at, to }) = self.clients.remove(&client) else {
            return;
        };
        if let Some(to) = to {
            let failure = match loss {
                Loss::Silent | Loss::Astray => Failure::Unanswered,
                Loss::Unreachable | Loss::Insecure | Loss::Untrusted | Loss::Busy => {
                    Failure::Undelivered
                }
            };
            self.failing(turn, *to, failure);
        }
        self.with(turn, id, |proxy, turn, context| {
            proxy.lost(turn, context, at as usize, loss);
            proxy.settle(turn, context);
        });
    }

    /// Every branch has ended: the best answer goes to the caller (§16.7 step 6).
    pub(super) fn finish(&mut self, turn: &mut Turn<'_>, context: &mut Context) {
        let cancelled = context.state == State::Closing;
        let best = context.best.take();
        let (candidate, challenges) = best.unwrap_or_else(|| {
            (Candidate::Ours(Status::REQUEST_TIMEOUT, "Nobody Answered".into()), Vec::new())
        });
        let status = match (&candidate, candidate.status()) {
            (Candidate::Theirs(_), status) if context.is_own() => status,
            (Candidate::Ours(..), _) if context.is_own() => Status::REQUEST_TIMEOUT,
            // Whoever hangs up first did not wait in vain.
            (Candidate::Ours(..), Status::REQUEST_TIMEOUT) if cancelled => {
                Status::REQUEST_TERMINATED
            }
            // §16.7 step 6: that one next hop is busy does not mean that we are.
            (_, Status::SERVICE_UNAVAILABLE) => Status::SERVER_INTERNAL_ERROR,
            (_, status) => status,
        };
        let theirs =
            if let Candidate::Theirs(response) = &candidate { Some(response) } else { None };
        turn.call_refused(context.plan.call, status, theirs);
        match candidate {
            Candidate::Theirs(response) if response.status() == Some(status) => {
                if let Some(homeward) = Homeward::in_context(context, &response) {
                    pass_on(turn, context, homeward, &challenges);
                }
            }
            Candidate::Theirs(_) => ours(turn, context, status, "The Next Hop Is Unavailable"),
            Candidate::Ours(said, phrase) => {
                let phrase = if status == Status::REQUEST_TERMINATED && said != status {
                    status.phrase().into()
                } else {
                    phrase
                };
                ours(turn, context, status, &phrase);
            }
        }
        context.state = State::Refused;
        report(turn, context, status);
    }
}

/// Sends an answer of our own.
pub(super) fn ours(turn: &mut Turn<'_>, context: &Context, status: Status, phrase: &str) {
    let wire = turn.reply(&context.request, status, phrase).wire();
    turn.answer(context.id, wire);
}

/// A response that leads to somebody: the Via below ours says to whom (§16.7 step 3). One without was meant for us.
#[derive(Clone, Copy, Debug)]
struct Homeward<'a> {
    response: &'a Message,
    below: &'a [u8],
}

impl<'a> Homeward<'a> {
    fn of(response: &'a Message) -> Option<Self> {
        let below = response.elements(Name::Via).nth(1)?;
        Some(Self { response, below })
    }

    /// The same, but what answers a request of our own leads to us.
    fn in_context(context: &Context, response: &'a Message) -> Option<Self> {
        if context.is_own() { Some(Self { response, below: b"" }) } else { Self::of(response) }
    }

    /// Does it say how much less somebody is to send (RFC 7339 §5.4)?
    fn says_load(self) -> bool {
        let mut rest = self.below;
        while let Some(at) = rest.iter().position(|octet| *octet == b';') {
            rest = rest.get(at + 1..).unwrap_or_default();
            let name = rest.trim_ascii_start().get(..2);
            if name.is_some_and(|name| name.eq_ignore_ascii_case(b"oc")) {
                return true;
            }
        }
        false
    }
}

/// Begins what goes to who has asked: our Via comes off (§16.7 step 3), and it says how long its body is, as it must on a stream (§20.14).
pub(super) fn onward(response: &Message) -> Edit<'_> {
    let mut edit = response.edit();
    edit.remove_first(Name::Via);
    if !response.has(Name::ContentLength) {
        edit.measured();
    }
    edit
}

/// Passes a response on: our Via comes off, challenges of other branches come in, nothing else changes (§16.7 steps 3, 7–9).
fn pass_on(turn: &mut Turn<'_>, context: &Context, homeward: Homeward<'_>, challenges: &[Asks]) {
    if context.is_own() {
        return;
    }
    let response = homeward.response;
    let mut edit = onward(response);
    for (name, value) in challenges {
        edit.append_raw(name.as_str(), value);
    }
    let timer = turn.house.settings.proxy.session_timer;
    if let Some(expires) = session_timer::owed(timer, &context.request, response) {
        session_timer::pay(expires, response, &mut edit);
    }
    let wire: Bytes = edit.wire();
    let wire = if homeward.says_load() { feedback::without(wire) } else { wire };
    // After another final answer the server transaction can say no more, and it may be gone: the transport still can (§16.7 step 9).
    let too_late = matches!(context.state, State::Refused | State::Dismissed);
    if too_late || !turn.transactions.is_there(context.id) {
        let back = response_flow(&context.request, context.came);
        return turn.out.push(Output::Send(back, wire));
    }
    turn.answer(context.id, wire);
}

/// Do we ask next hops how much we may send?
fn asks(turn: &Turn<'_>) -> bool {
    turn.house.settings.overload.feedback
}

/// Who has answered a call, for those who follow it.
fn note_answer(
    turn: &mut Turn<'_>,
    context: &Context,
    at: usize,
    (response, by): (&Message, Flow),
) {
    let who = context.branches.get(at).map_or(&b""[..], |branch| &branch.target.uri);
    let timer = turn.house.settings.proxy.session_timer;
    let owed = session_timer::owed(timer, &context.request, response);
    let asked = (context.came, &context.request);
    turn.call_answered(context.plan.call, (who, by), asked, (response, owed));
}

/// Tells the readers of events how a call began or ended.
pub(super) fn report(turn: &mut Turn<'_>, context: &Context, status: Status) {
    if context.is_own() {
        return turn.bye_answered(&context.request, status);
    }
    let call_id = || call_id(&context.request);
    match context.request.method() {
        Some(Method::Invite) if context.begins() => {
            turn.report_daily(|| Event::Answered { call_id: call_id(), status: status.code() });
        }
        Some(Method::Bye) => {
            turn.call_ends(&context.request, context.began, status);
            turn.report_daily(|| Event::Ended { call_id: call_id() });
        }
        _ => {}
    }
}
