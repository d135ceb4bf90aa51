//! `Publication`: what we say of ourselves, kept at a server (PUBLISH, RFC 3903 §4).

use std::time::Duration;

use machine::Time;
use protocol::auth::{Answers, Token};
use protocol::doors::{Event, Output, PhoneEvent};
use sip::header::{Expires, SipETag};
use sip::{Message, Method, Name, Status};

use super::Names;
use crate::line::{Errand, Line, Outcome, Purpose};
use crate::packages::{Package, Presence};
use crate::phone::Phone;
use crate::{patience, request};

/// What is published, or is to be.
pub(super) struct Publication {
    names: Names,
    answers: Answers,
    /// What is to be known; nothing, when nothing is.
    body: Option<Vec<u8>>,
    /// The name that the server gave to what it knows (§4.1).
    etag: Option<Box<str>>,
    expires: u32,
    failures: u32,
    state: State,
}

/// What a PUBLISH does (§4, table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Says it, for the first time or instead of what was said before.
    Say,
    Refresh,
    Remove,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing to do.
    Idle,
    /// One is under way; others wait for its answer (§4). `changed`: it is old already.
    Asking {
        deed: Deed,
        changed: Changed,
    },
    On {
        refresh: Time,
    },
    Pausing {
        again: Time,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}

impl Phone {
    /// Says whether its owner is there, to a server that tells others (RFC 3903), and says so again in time: [`PhoneEvent::Published`],
    /// [`PhoneEvent::NotPublished`].
    pub fn publish(&mut self, now: Time, presence: &Presence, out: &mut Vec<Output>) {
        self.outside.publication.change(now, Some(presence.write()), &mut self.line, out);
        self.settle(now, out);
    }

    /// Takes back what was said.
    pub fn unpublish(&mut self, now: Time, out: &mut Vec<Output>) {
        self.outside.publication.change(now, None, &mut self.line, out);
        self.settle(now, out);
    }
}

impl Publication {
    /// Shows this token from now on.
    pub(super) fn renew_token(&mut self, token: &Token) {
        self.answers.renew(token);
    }

    pub(super) const fn new(answers: Answers, names: Names) -> Self {
        let expires = Package::Presence.expires();
        Self { names, answers, body: None, etag: None, expires, failures: 0, state: State::Idle }
    }

    pub(super) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Idle | State::On { .. })
    }

    fn change(&mut self, now: Time, body: Option<Vec<u8>>, line: &mut Line, out: &mut Vec<Output>) {
        self.body = body;
        if let State::Asking { changed, .. } = &mut self.state {
            *changed = Changed::Yes;
            return;
        }
        self.say(now, line, out);
    }

    /// Says what is to be known now.
    fn say(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        match (&self.body, &self.etag) {
            (Some(_), _) => self.ask(now, Deed::Say, line, out),
            (None, Some(_)) => self.ask(now, Deed::Remove, line, out),
            (None, None) => self.state = State::Idle,
        }
    }

    fn ask(&mut self, now: Time, deed: Deed, line: &mut Line, out: &mut Vec<Output>) {
        self.state = State::Asking { deed, changed: Changed::No };
        self.names.next();
        let us = line.account.address();
        let us = (us.as_bytes(), us.as_bytes());
        let expires = if deed == Deed::Remove { 0 } else { self.expires };
        let mut draft = request::outside(&line.account, Method::Publish, us, &self.names)
            .raw(Name::Event, Package::Presence.name().as_bytes())
            .raw(Name::Expires, expires.to_string().as_bytes());
        if let Some(etag) = &self.etag {
            draft = draft.raw(Name::SipIfMatch, etag.as_bytes());
        }
        // §4.3, §4.5: what is known already is not said again.
        if let (Deed::Say, Some(body)) = (deed, &self.body) {
            draft = draft.body(Package::Presence.accept(), body);
        }
        let Some(request) = request::signed(draft, &mut self.answers) else {
            return self.failed(now, (Status::BAD_REQUEST, "it cannot be written"), line, out);
        };
        let hop = request::first_hop(&line.account, us.0);
        line.send(now, Errand::new(Purpose::Publish, request, hop), out);
    }

    /// The answer to a PUBLISH.
    pub(super) fn done(
        &mut self,
        now: Time,
        (mut errand, outcome): (Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let State::Asking { deed, changed } = self.state else { return };
        let names = &mut self.names;
        let again = request::proven(
            (&mut errand, &outcome),
            &mut self.answers,
            || names.next(),
            &mut line.dice,
        );
        if let Some(again) = again {
            errand.request = again;
            return line.send_again(now, errand, out);
        }
        let status = outcome.status();
        match outcome {
            Outcome::Response(response) if status.is_success() => {
                self.taken(now, deed, &response, out);
            }
            // §4: the server has forgotten, so it is told anew.
            Outcome::Response(_)
                if status == Status::CONDITIONAL_REQUEST_FAILED && self.etag.is_some() =>
            {
                self.etag = None;
                return self.say(now, line, out);
            }
            Outcome::Response(response)
                if status == Status::INTERVAL_TOO_BRIEF
                    && patience::raise(&mut self.expires, &response) =>
            {
                return match changed {
                    Changed::Yes => self.say(now, line, out),
                    Changed::No => self.ask(now, deed, line, out),
                };
            }
            Outcome::Response(response) => {
                self.failed(now, (status, &request::reason(&response)), line, out);
            }
            Outcome::Failure(_, why) => self.failed(now, (status, &why), line, out),
        }
        if changed == Changed::Yes {
            self.say(now, line, out);
        }
    }

    fn taken(&mut self, now: Time, deed: Deed, response: &Message, out: &mut Vec<Output>) {
        self.failures = 0;
        if deed == Deed::Remove {
            (self.etag, self.state) = (None, State::Idle);
            return;
        }
        self.etag = response.get::<SipETag<'_>>().map(|SipETag(tag)| tag.into());
        let expires = response.get::<Expires>().map_or(self.expires, |Expires(seconds)| seconds);
        // §6: a server may shorten it.
        let expires = expires.min(self.expires);
        let whole = Duration::from_secs(expires.max(LEAST).into());
        self.state = State::On { refresh: now + whole * 4 / 5 };
        out.push(Output::Report(Event::Phone(PhoneEvent::Published { expires })));
    }

    fn failed(
        &mut self,
        now: Time,
        (status, why): (Status, &str),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        let event = PhoneEvent::NotPublished { status: status.code(), reason: why.into() };
        out.push(Output::Report(Event::Phone(event)));
        self.failures = self.failures.saturating_add(1);
        // Who does not take it today may tomorrow; who does not know it never does.
        let for_good = matches!(status.code(), 403 | 404 | 405 | 489 | 501);
        self.state = match self.body {
            Some(_) if !for_good => {
                State::Pausing { again: now + patience::pause(self.failures, &mut line.dice) }
            }
            _ => State::Idle,
        };
    }

    pub(super) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        match self.state {
            State::On { refresh } if refresh <= now => match self.etag {
                Some(_) => self.ask(now, Deed::Refresh, line, out),
                None => self.say(now, line, out),
            },
            State::Pausing { again } if again <= now => self.say(now, line, out),
            _ => {}
        }
    }

    pub(super) const fn deadline(&self) -> Option<Time> {
        match self.state {
            State::On { refresh } => Some(refresh),
            State::Pausing { again } => Some(again),
            State::Idle | State::Asking { .. } => None,
        }
    }
}

/// Who grants less would have us ask all the time.
const LEAST: u32 = 10;
