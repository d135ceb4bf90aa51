//! The phone as a machine: what comes in, and who takes care of it.

use machine::{Machine, Time};
use media::Silence;
use protocol::dialog::{Dialog, DialogId, Tag};
use protocol::doors::{Answer, Call, Event, Input, Output, PhoneEvent, Question, Socket, Ticket};
use protocol::session::{Invitation, SessionTimer};
use protocol::transaction::{ClientId, ServerId};
use protocol::transport::stamp;
use protocol::{Distrust, Flow, Transport};
use sip::{Draft, Message, Method, Name, Status};

use crate::call::{Conversation, Offered, Role, State, caller, sdp_of, too_brief};
use crate::conference::Conference;
use crate::history::Direction;
use crate::line::{Errand, Known, News, Part, Purpose, Tiding};
use crate::outside::Ours;
use crate::phone::Phone;
use crate::reception::Turned;
use crate::refusal::{self, Refusal};
use crate::sound::Sound;
use crate::transfer::Succession;
use crate::turn::Turn;

impl Machine for Phone {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Received(flow, message) => self.receive(now, flow, message, out),
            Input::Malformed(flow, malformed) => {
                let reason = malformed.to_string().into();
                out.push(Output::Report(Event::Unreadable { source: flow.peer, reason }));
            }
            Input::Failed(flow) => self.failed(now, flow, None, out),
            Input::Untrusted(flow, distrust) => self.failed(now, flow, Some(&distrust), out),
            Input::Media(socket, from, octets) => {
                let call = self.owner(socket);
                if let Some(call) = call.and_then(|call| self.calls.get_mut(&call)) {
                    let (line, lingering) = (&mut self.line, &mut self.lingering);
                    let turn = &mut Turn { now, line, lingering, out: &mut *out };
                    call.datagram(turn, socket, (from, &octets));
                }
                // Sound ends no call and brings no news of the line: of what comes, it is by far the most.
                return;
            }
            Input::Answered(ticket, answer) => self.answered(now, ticket, &answer, out),
            // A phone has no other shards.
            Input::Asked(asker, _) => out.push(Output::Tell(asker, Answer::Nothing)),
            Input::Alive(flow, alive) => {
                self.registration.alive(now, flow, alive, &mut self.line, out)
            }
            Input::Warned(_)
            | Input::Announced(_)
            | Input::Cautioned(_)
            | Input::Waited(_)
            | Input::Followed(_) => {}
        }
        self.settle(now, out);
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        self.line.wake(now, out);
        self.registration.wake(now, &mut self.line, out);
        self.lingering.wake(now);
        self.outside.wake(now, &mut self.line, out);
        for call in self.calls.values_mut() {
            if call.deadline().is_some_and(|due| due <= now) {
                let (line, lingering) = (&mut self.line, &mut self.lingering);
                call.wake(&mut Turn { now, line, lingering, out: &mut *out });
            }
        }
        self.wake_conference(now);
        self.settle(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        let calls = self.calls.values().filter_map(Conversation::deadline);
        let others =
            [self.line.deadline(), self.registration.deadline(), self.lingering.deadline()];
        let conference = self.conference.as_ref().map(Conference::deadline);
        let others = others.into_iter().chain([self.outside.deadline(), conference]);
        calls.chain(others.flatten()).min()
    }
}

impl Phone {
    /// The call that a socket belongs to: looked for once, and remembered while it is so.
    fn owner(&mut self, socket: Socket) -> Option<Call> {
        let owns =
            |id: &&Call| self.calls.get(id).is_some_and(|conversation| conversation.owns(socket));
        if let Some(known) = self.owners.get(&socket).filter(owns) {
            return Some(*known);
        }
        let found = self.calls.values().find(|call| call.owns(socket))?.id;
        self.owners.insert(socket, found);
        Some(found)
    }

    fn failed(&mut self, now: Time, flow: Flow, why: Option<&Distrust>, out: &mut Vec<Output>) {
        self.line.failed(now, flow, why, out);
        self.registration.flow_failed(now, flow, &mut self.line, out);
    }

    fn receive(&mut self, now: Time, flow: Flow, mut message: Message, out: &mut Vec<Output>) {
        if message.is_request() {
            stamp(&mut message, flow);
            return self.line.receive(now, flow, message, out);
        }
        // RFC 3261 §8.1.3.3: one Via is ours; more have lost their way.
        if message.elements(Name::Via).count() == 1 {
            self.line.receive(now, flow, message, out);
        }
    }

    fn answered(&mut self, now: Time, ticket: Ticket, answer: &Answer, out: &mut Vec<Output>) {
        let (line, lingering) = (&mut self.line, &mut self.lingering);
        if let Some(call) = self.calls.values_mut().find(|call| call.asked(ticket)) {
            return call.opened(&mut Turn { now, line, lingering, out }, ticket, answer);
        }
        if line.answered(now, ticket, answer, out) == Known::Yes {
            return;
        }
        // Who asked has gone; the sockets go back.
        if let Answer::MediaSockets { rtp, rtcp } = answer {
            let ticket = line.ticket();
            out.push(Output::Ask(ticket, Question::CloseMedia(rtp.0, rtcp.0)));
        }
    }

    /// Takes care of what happened on the line, and of calls that are over.
    pub(crate) fn settle(&mut self, now: Time, out: &mut Vec<Output>) {
        while let Some(news) = self.line.news() {
            self.hear(now, news, out);
        }
        while let Some(id) = self.calls.values().find(|call| call.is_over()).map(|call| call.id) {
            self.owners.retain(|_, owner| *owner != id);
            let audio = self.calls.remove(&id).and_then(|mut call| call.take_audio());
            self.ended.extend(audio.map(|audio| (id, audio)));
            if self.ended.len() > crate::limits::ENDED {
                self.ended.pop_front();
            }
        }
        self.tell_waiting(now);
        self.tell_audience(now, out);
    }

    fn hear(&mut self, now: Time, news: News, out: &mut Vec<Output>) {
        let (line, lingering) = (&mut self.line, &mut self.lingering);
        match news {
            News::Request(id, flow, request) => self.request(now, (id, flow), &request, out),
            News::Cancel { cancel, invite, request } => {
                self.cancel(now, (cancel, invite), &request, out);
            }
            News::Acknowledged { invite, flow, ack } => lingering.acknowledged(invite, flow, &ack),
            News::Further { id, response } => self.further(now, (id, &response), out),
            News::Done {
                errand: errand @ Errand { purpose: Purpose::Register(flow), .. },
                outcome,
            } => {
                self.registration.done(now, (flow, errand, outcome), line, out);
            }
            News::Ack(ack) => {
                let Some(id) = DialogId::of_request(&ack) else { return };
                let Some(call) = self.calls.values_mut().find(|call| call.is(&id)) else { return };
                call.acknowledged(&mut Turn { now, line, lingering, out }, &ack);
            }
            News::Sent { purpose: Purpose::Call(call, part), id, flow, request } => {
                let Some(call) = self.calls.get_mut(&call) else { return };
                call.sent(part, Invitation::sent(id, flow, request));
            }
            News::Progress { purpose: Purpose::Call(call, Part::Invite), response } => {
                let Some(call) = self.calls.get_mut(&call) else { return };
                call.progress(&mut Turn { now, line, lingering, out }, &response);
            }
            News::Done { errand, outcome } => {
                if let Purpose::Told(number) = errand.purpose {
                    return self.audience_answered(now, number, (errand, outcome), out);
                }
                let Purpose::Call(call, part) = errand.purpose else {
                    return self.outside.done(now, (errand, outcome), line, out);
                };
                let Some(call) = self.calls.get_mut(&call) else { return };
                call.done(&mut Turn { now, line, lingering, out }, part, errand, outcome);
            }
            News::Told(call, tiding) => {
                self.history.go_on(now, call, tiding);
                self.told(now, (call, tiding), out);
                if matches!(tiding, Tiding::Over(_)) {
                    self.left(now, call, out);
                    self.watch_focus(now, (call, Role::Party), out);
                }
            }
            News::Focus(call, role) => self.watch_focus(now, (call, role), out),
            News::Follow(call, with) => match self.follow(now, call, out) {
                Ok(new) => {
                    let entered = PhoneEvent::Entered { call: new, with, wanted_in: Some(call) };
                    out.push(Output::Report(Event::Phone(entered)));
                }
                // No line is free: the transferor is told no.
                Err(_) => drop(self.decline(now, call, out)),
            },
            News::Sent { .. } | News::Progress { .. } => {}
        }
    }

    /// One more 2xx to an INVITE of ours: of another fork, perhaps.
    fn further(&mut self, now: Time, (id, response): (ClientId, &Message), out: &mut Vec<Output>) {
        let (line, lingering) = (&mut self.line, &mut self.lingering);
        let Some((call, invite, dialog)) = lingering.hear(now, &line.timers, (id, response), out)
        else {
            return;
        };
        let turn = &mut Turn { now, line, lingering, out };
        match self.calls.get_mut(&call) {
            Some(call) => call.surplus(turn, (id, &invite), *dialog),
            // The call is over meanwhile; whoever picks up now must not be left alone.
            None => Conversation::new(call, self.answers.fresh(), State::Over(None)).surplus(
                turn,
                (id, &invite),
                *dialog,
            ),
        }
    }

    /// RFC 3261 §9.2.
    fn cancel(
        &mut self,
        now: Time,
        (cancel, invite): (ServerId, Option<ServerId>),
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let turn = &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out };
        let Some(invite) = invite else {
            return turn.reply(cancel, request, Status::CALL_DOES_NOT_EXIST);
        };
        let tag = self.calls.values().find_map(|call| call.waits_in(invite));
        let Some(tag) = tag else { return turn.reply(cancel, request, Status::OK) };
        turn.respond(cancel, Draft::reply_tagged(request, Status::OK, "OK", &tag));
        if let Some(call) = self.calls.values_mut().find(|call| call.waits_in(invite).is_some()) {
            call.cancelled(turn);
        }
    }

    /// RFC 3261 §8.2.
    fn request(
        &mut self,
        now: Time,
        (id, flow): (ServerId, Flow),
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let admitted = {
            let (timers, user) = (&self.line.timers, &self.line.account.user);
            self.seen.admit((now, timers), id, request, user)
        };
        let turn =
            &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out: &mut *out };
        if let Err(no) = admitted {
            return refuse(turn, (id, flow), request, &no);
        }
        match request.method() {
            Some(Method::Message) => return self.read(now, id, request, out),
            Some(Method::Notify)
                if self.told_of_watch(now, (id, flow), request, out) == Ours::Yes =>
            {
                return;
            }
            Some(Method::Subscribe) if self.watched_on(now, id, request, out) == Ours::Yes => {
                return;
            }
            _ => {}
        }
        let turn =
            &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out: &mut *out };
        let dialog = DialogId::of_request(request).filter(|id| !id.local.is_null());
        let Some(dialog) = dialog else { return self.outside(now, (id, flow), request, out) };
        let Some(call) = self.calls.values_mut().find(|call| call.is(&dialog)) else {
            return turn.reply(id, request, Status::CALL_DOES_NOT_EXIST);
        };
        if let Err(fault) = call.in_order(request) {
            let no =
                Refusal::saying(fault.status(), format!("{}: {fault}", fault.status().phrase()));
            return refuse(turn, (id, flow), request, &no);
        }
        match request.method() {
            Some(Method::Bye) => call.bye(turn, id, request),
            Some(Method::Invite | Method::Update) => call.modify(turn, id, request),
            Some(Method::Prack) => call.prack(turn, id, request),
            Some(Method::Refer) => call.refer(turn, id, request),
            Some(Method::Notify) => call.notified(turn, id, request),
            Some(Method::Subscribe) => call.subscribed(turn, id, request),
            _ if call.has_ended() => turn.reply(id, request, Status::CALL_DOES_NOT_EXIST),
            Some(Method::Info) => call.info(turn, id, request),
            Some(Method::Options) => {
                turn.tell_abilities(id, request);
            }
            _ => turn.reply(id, request, Status::CALL_DOES_NOT_EXIST),
        }
    }

    /// A request that belongs to no call.
    fn outside(
        &mut self,
        now: Time,
        (id, flow): (ServerId, Flow),
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let full = self.is_full();
        let turn =
            &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out: &mut *out };
        match request.method() {
            // RFC 3261 §11.2: the same status as an INVITE would get.
            Some(Method::Options | Method::Invite) if full => {
                refuse(turn, (id, flow), request, &Refusal::new(Status::BUSY_HERE));
            }
            Some(Method::Options) => {
                turn.tell_abilities(id, request);
            }
            Some(Method::Invite) => self.invited(now, (id, flow), request, out),
            // Nobody has shown that it may: only whoever we talk to can ask us to call others.
            Some(Method::Refer) => {
                let no = Refusal::saying(Status::FORBIDDEN, "Only Within A Call");
                refuse(turn, (id, flow), request, &no);
            }
            Some(Method::Subscribe) => {
                if let Err(no) = self.watched_by(now, (id, flow), request, out) {
                    let (line, lingering) = (&mut self.line, &mut self.lingering);
                    refuse(&mut Turn { now, line, lingering, out }, (id, flow), request, &no);
                }
            }
            _ => turn.reply(id, request, Status::CALL_DOES_NOT_EXIST),
        }
    }

    /// The call that an INVITE takes the place of, or joins.
    fn named_by(&self, invite: &Message, came: Flow) -> Result<Option<Succession>, Refusal> {
        if let Some(old) = self.replaced_by(invite, came)? {
            return Ok(Some(Succession::Replaces { old }));
        }
        let joined = self.joined_by(invite, came)?;
        Ok(joined.map(|old| Succession::Joins { old, refer: None }))
    }

    /// Somebody calls; perhaps in the place of a call that we have, or to join one.
    fn invited(
        &mut self,
        now: Time,
        (id, flow): (ServerId, Flow),
        request: &Message,
        out: &mut Vec<Output>,
    ) {
        let named = self.named_by(request, flow);
        let turn =
            &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out: &mut *out };
        let tag = Tag::throw(&mut turn.line.dice);
        let by = flow.transport;
        let (named, (dialog, offer)) = match named
            .and_then(|named| offered(turn, request, (tag, by)).map(|offered| (named, offered)))
        {
            Ok(sound) => sound,
            Err(no) => return refuse(turn, (id, flow), request, &no),
        };
        if named.is_none() && self.turn_away(now, id, request, out) == Turned::Away {
            return;
        }
        let turn =
            &mut Turn { now, line: &mut self.line, lingering: &mut self.lingering, out: &mut *out };
        let session = turn.line.account.session;
        let invite = (request.clone(), dialog);
        let dice = &mut turn.line.dice;
        let offered = Offered::new(now, id, invite, offer, (session, dice));
        let call = self.number();
        self.history.begin(now, (call, Direction::In), &caller(request));
        let state = State::Offered(Box::new(offered));
        self.calls.insert(call, Conversation::new(call, self.answers.fresh(), state));
        let Some(succession) = named else { return report_incoming(call, request, out) };
        // RFC 3891 §3: nobody is asked; whoever talks goes on talking, and is told who comes in.
        let with = caller(request).into();
        let entered = PhoneEvent::Entered { call, with, wanted_in: None };
        out.push(Output::Report(Event::Phone(entered)));
        self.comes(call, succession);
        let answered =
            |call: &mut Conversation, turn: &mut Turn<'_>| call.answer(turn, Box::new(Silence));
        drop(self.with_quietly(now, call, out, answered));
    }
}

/// The dialog and the offer of an INVITE, as far as both are sound.
fn offered(
    turn: &mut Turn<'_>,
    invite: &Message,
    (tag, by): (Tag, Transport),
) -> Result<(Dialog, Option<sdp::Description>), Refusal> {
    SessionTimer::admits(invite).map_err(too_brief)?;
    let dialog = Dialog::of_callee(invite, tag, by)
        .map_err(|fault| Refusal::saying(fault.status(), format!("Bad Request: {fault}")))?;
    let Some(offer) = sdp_of(invite) else { return Ok((dialog, None)) };
    let offer = sdp::Description::parse(&offer).map_err(|error| refusal::of_sdp(&error.into()))?;
    Sound::would_answer(&offer, &turn.wishes(Some(&offer))).map_err(|why| refusal::of_sdp(&why))?;
    Ok((dialog, Some(offer)))
}

fn report_incoming(call: Call, invite: &Message, out: &mut Vec<Output>) {
    let from = caller(invite).into();
    out.push(Output::Report(Event::Phone(PhoneEvent::Incoming { call, from })));
}

/// Answers with a no, and tells the log.
fn refuse(turn: &mut Turn<'_>, (id, flow): (ServerId, Flow), request: &Message, no: &Refusal) {
    let draft = no.rows(turn.draft(request, no.status, &no.phrase));
    turn.respond(id, draft);
    turn.out.push(Output::Report(Event::Refused {
        method: request.method().map_or("", Method::as_str).into(),
        from: caller(request).into(),
        source: flow.peer,
        status: no.status.code(),
        reason: no.phrase.as_str().into(),
        call_id: String::from_utf8_lossy(request.call_id()).into(),
    }));
}
