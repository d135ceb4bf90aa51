//! What is noted of a call on its way: the proxy says where it is, and goes on whatever becomes of that.

use std::num::NonZeroU64;

use machine::Time;
use protocol::transaction::ServerId;
use protocol::{CallRecord, Ender, Fault, Flow, Text};
use sip::header::{From, SessionExpires, To};
use sip::uri::without_password;
use sip::{Bytes, Message, Method, Name, Status};

use super::line::Side;
use super::{Number, Stage};
use crate::call::Call;
use crate::limits;
use crate::proxy::Plan;
use crate::purpose::Purpose;
use crate::tolls;
use crate::turn::Turn;

impl Turn<'_> {
    /// An INVITE begins a call.
    pub(crate) fn call_begins(
        &mut self,
        (came, request, plan): (Flow, &Message, &Plan),
        purpose: &Purpose,
    ) -> Number {
        if self.calls.longest.is_none() || request.method() != Some(Method::Invite) {
            return Number(None);
        }
        let Some(mut record) = record(self.now, came, request) else { return Number(None) };
        let route = match purpose {
            Purpose::Routed(errand) => self.house.route(errand).map(|route| &*route.name),
            _ => None,
        };
        let texts = [
            (Text::User, plan.proven.as_deref().unwrap_or_default()),
            (Text::Route, route.unwrap_or_default().as_bytes()),
        ];
        record.put(limits::CALL_TEXT, &texts);
        let call = Call::of(&self.house.seal, request);
        let number = self.calls.begin(call, record, self.out);
        let account = tolls::account(self.house, plan, purpose);
        account.into_iter().for_each(|account| self.calls.charge(number, account));
        number
    }

    /// A request goes on its way: the INVITE that begins it, or one of the two says something within it.
    pub(crate) fn call_passes(&mut self, number: Number, id: ServerId, request: &Message) {
        if let Some(followed) = number.get().and_then(|number| self.calls.shelf.get_mut(number)) {
            followed.stage = Stage::Rings(id);
        }
        // Behind a BYE mostly nothing comes.
        if request.to_tag().is_some() && request.method() != Some(Method::Bye) {
            self.call_counts(request);
        }
    }

    /// Further requests of its sender have higher numbers.
    fn call_counts(&mut self, request: &Message) {
        let Some((number, by)) = self.standing(request) else { return };
        if let Some(followed) = self.calls.shelf.get_mut(number) {
            followed.line.passes(by, request);
        }
    }

    /// A copy of its INVITE goes there.
    pub(crate) fn call_goes(&mut self, number: Number, to: Flow) {
        if let Some(record) = self.calls.record(number) {
            record.target = Some((to.transport, to.peer));
            record.forks = record.forks.saturating_add(1);
        }
    }

    /// Its caller is told that somebody rings.
    pub(crate) fn call_rings(&mut self, number: Number) {
        let now = self.now;
        if let Some(record) = self.calls.record(number) {
            record.rang.get_or_insert(now);
        }
    }

    /// Its caller wants it no more.
    pub(crate) fn call_cancelled(&mut self, number: Number, cancel: &Message) {
        if let Some(record) = self.calls.record(number) {
            record.ender = Ender::Caller;
            put_reason(record, cancel);
        }
    }

    /// Somebody has answered: who, and where.
    pub(crate) fn call_answered(
        &mut self,
        number: Number,
        (who, by): (&[u8], Flow),
        (came, request): (Flow, &Message),
        (response, session): (&Message, Option<u32>),
    ) {
        let now = self.now;
        let Some(record) = self.calls.record(number) else { return };
        let first = record.answered.is_none();
        record.answered = Some(now);
        record.target = Some((by.transport, by.peer));
        record.status = response.status().map_or(0, Status::code);
        record.put(limits::CALL_TEXT, &[(Text::AnsweredBy, &without_password(who))]);
        if let Some(number) = number.get() {
            if first {
                self.calls.answered(number);
            }
            if let Some(followed) = self.calls.shelf.get_mut(number) {
                let by = followed.record.text(Text::AnsweredBy);
                followed.line.answered(self.house, came, (request, response), by);
            }
            self.calls.keep(number, now, session_of(response, session));
        }
    }

    /// Nobody has answered, and its caller is told so.
    pub(crate) fn call_refused(
        &mut self,
        number: Number,
        status: Status,
        response: Option<&Message>,
    ) {
        let Some(record) = self.calls.record(number) else { return };
        record.status = status.code();
        if let Some(response) = response {
            put_reason(record, response);
        }
        let (ender, Some(number)) = (record.ender, number.get()) else { return };
        // Whoever is asked who it is calls again: that was no attempt yet.
        match status {
            Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED => {
                self.calls.forget(number);
            }
            _ => self.calls.end(number, (self.now, ender), self.out),
        }
    }

    /// Its caller is told where else to try, or that it cannot.
    pub(crate) fn call_redirected(&mut self, number: Number, (id, wire): (ServerId, Bytes)) {
        if let Some(status) = status_of(&wire) {
            self.call_refused(number, status, None);
        }
        self.answer(id, wire);
    }

    /// A call is refused before it goes anywhere.
    pub(crate) fn call_barred(
        &mut self,
        call: (Flow, &Message, &Plan),
        purpose: &Purpose,
        fault: &Fault,
    ) {
        let number = self.call_begins(call, purpose);
        self.call_refused(number, fault.status(), None);
    }

    /// Its session goes on.
    pub(crate) fn call_renewed(
        &mut self,
        request: &Message,
        (response, session): (&Message, Option<u32>),
    ) {
        if let Some((number, _)) = self.standing(request) {
            self.calls.keep(number, self.now, session_of(response, session));
        }
    }

    /// A request within it was accepted. When it is a target refresh, both may be reached elsewhere from now on (RFC 3261 §12.2).
    pub(crate) fn call_moves(&mut self, request: &Message, response: &Message) {
        let refreshes = matches!(
            request.method(),
            Some(
                Method::Invite
                    | Method::Update
                    | Method::Subscribe
                    | Method::Notify
                    | Method::Refer
            )
        );
        if !refreshes {
            return;
        }
        let Some((number, by)) = self.standing(request) else { return };
        if let Some(followed) = self.calls.shelf.get_mut(number) {
            followed.line.moves(by, request);
            followed.line.moves(by.other(), response);
        }
    }

    /// A BYE of it, which came then, was answered. One that is asked who it is comes again.
    pub(crate) fn call_ends(&mut self, bye: &Message, came: Time, status: Status) {
        let asked = matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED);
        if asked {
            return self.call_counts(bye);
        }
        let Some((number, by)) = self.standing(bye) else { return };
        if self.calls.is_ending(number) {
            // It crosses ours: what comes of those says when it is over.
            return;
        }
        if let Some(record) = self.calls.record(Number(NonZeroU64::new(number))) {
            put_reason(record, bye);
        }
        self.calls.sessions.hung_up(status, self.now - came);
        self.calls.end(number, (self.now, by.ender()), self.out);
    }

    /// The call that a request belongs to, and who of the two has sent it.
    pub(super) fn standing(&self, request: &Message) -> Option<(u64, Side)> {
        if self.calls.len() == 0 {
            return None;
        }
        let number = |call| self.calls.number(call);
        let seal = &self.house.seal;
        let by_caller = number(Call::of(seal, request)).map(|number| (number, Side::Caller));
        by_caller
            .or_else(|| number(Call::of_callee(seal, request)).map(|number| (number, Side::Callee)))
    }
}

/// The record of a call that begins with an INVITE; nothing for one within a call.
pub(super) fn record(now: Time, came: Flow, invite: &Message) -> Option<CallRecord> {
    let (from, to) = (invite.get::<From>()?, invite.get::<To>()?);
    if to.tag().is_some() {
        return None;
    }
    let mut record = CallRecord::new(now, (came.transport, came.peer));
    let (to, dialled) = (without_password(to.uri), invite.request_uri().unwrap_or_default());
    let dialled = without_password(dialled);
    let texts = [
        (Text::CallId, invite.call_id()),
        (Text::From, &without_password(from.uri)),
        (Text::To, &to),
        (Text::Dialled, if dialled == to { b"" } else { &dialled }),
    ];
    record.put(limits::CALL_TEXT, &texts);
    Some(record)
}

/// The status of a response of ours: `SIP/2.0 302 …`.
fn status_of(wire: &[u8]) -> Option<Status> {
    let digits = std::str::from_utf8(wire.get(8..11)?).ok()?;
    Status::new(digits.parse().ok()?)
}

fn put_reason(record: &mut CallRecord, message: &Message) {
    if let Some(reason) = message.rows(Name::Reason).next() {
        record.put(limits::CALL_TEXT, &[(Text::Reason, reason)]);
    }
}

/// What a 2xx says of the session timer, or what we write into it for the caller.
fn session_of(response: &Message, owed: Option<u32>) -> u32 {
    response.get::<SessionExpires<'_>>().map(|session| session.seconds).or(owed).unwrap_or(0)
}
