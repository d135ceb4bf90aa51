//! The questions of a watcher: its SUBSCRIBEs, and what becomes of them (RFC 6665 §4.1.2).

use std::time::Duration;

use machine::Time;
use protocol::dialog::{Dialog, Tag};
use protocol::doors::Output;
use sip::header::Expires;
use sip::{Message, Method, Name, Status};

use super::{Again, LEAST, State, Watcher};
use crate::line::{Errand, Line, Outcome, Purpose};
use crate::whither::Hop;
use crate::{abilities, patience, request};

impl Watcher {
    /// Asks for it, or for it to go on, or (0) to hear no more.
    pub(super) fn subscribe(
        &mut self,
        now: Time,
        expires: u32,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        self.gap = None;
        let account = &line.account;
        let contact = format!("<{}>", line.contact(account.transport()));
        let (draft, hop) = match &mut self.dialog {
            Some(dialog) => {
                let draft = account.sign(dialog.request(Method::Subscribe), Name::UserAgent);
                (draft, Hop::Uri(dialog.next_hop().into()))
            }
            None => {
                self.names.next();
                let target = (&*self.target, &*self.target);
                let draft = request::outside(account, Method::Subscribe, target, &self.names);
                (draft, request::first_hop(account, &self.target))
            }
        };
        let draft = draft
            .raw(Name::Contact, contact.as_bytes())
            .raw(Name::Event, self.package.name().as_bytes())
            .raw(Name::Accept, self.package.accept().as_bytes())
            .raw(Name::Expires, expires.to_string().as_bytes())
            .raw(Name::Allow, abilities::ALLOW.as_bytes());
        if let Some(request) = request::signed(draft, &mut self.answers) {
            line.send(now, Errand::new(Purpose::Watch(self.id, self.place), request, hop), out);
        }
    }

    /// The answer to a SUBSCRIBE (§4.1.2).
    pub(in crate::outside) fn done(
        &mut self,
        now: Time,
        (mut errand, outcome): (Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        // It was given up meanwhile.
        if matches!(self.state, State::Pausing { .. } | State::Over) {
            return;
        }
        let (dialog, names) = (&mut self.dialog, &mut self.names);
        let number = || dialog.as_mut().map_or_else(|| names.next(), Dialog::next_cseq);
        let again =
            request::proven((&mut errand, &outcome), &mut self.answers, number, &mut line.dice);
        if let Some(again) = again {
            errand.request = again;
            return line.send_again(now, errand, out);
        }
        let status = outcome.status();
        match outcome {
            Outcome::Response(response) if status.is_success() => {
                self.granted(now, &errand, &response);
            }
            Outcome::Response(response)
                if status == Status::INTERVAL_TOO_BRIEF
                    && patience::raise(&mut self.expires, &response) =>
            {
                self.subscribe(now, self.expires, line, out);
            }
            Outcome::Response(response) => {
                self.refused(now, (status, &request::reason(&response)), line, out);
            }
            Outcome::Failure(_, why) => self.refused(now, (status, &why), line, out),
        }
    }

    fn granted(&mut self, now: Time, errand: &Errand, response: &Message) {
        match (&mut self.dialog, errand.went()) {
            // RFC 3261 §12.2.1.2; the first 200 may be of another than whose NOTIFY came before it.
            (Some(dialog), _) if Tag::in_to(response).as_ref() == Some(&dialog.id().remote) => {
                dialog.refresh(response);
            }
            (None, Some(flow)) => {
                self.dialog = Dialog::of_caller(&errand.request, response, flow.transport);
            }
            _ => {}
        }
        let seconds = response.get::<Expires>().map_or(self.expires, |Expires(seconds)| seconds);
        match self.state {
            State::Active { .. } => self.stands(now, seconds),
            // RFC 5839: nothing will be told, for nothing has changed.
            State::Asking { .. } if response.status() == Some(Status::NO_NOTIFICATION) => {
                self.stands(now, seconds);
            }
            _ => {}
        }
    }

    /// It stands for so long: shorter than we have asked for perhaps, and never longer (§4.1.2.1, §4.2.1.1).
    pub(super) fn stands(&mut self, now: Time, seconds: u32) {
        let whole = Duration::from_secs(seconds.min(self.expires).max(LEAST).into());
        self.failures = 0;
        self.state = State::Active { refresh: now + whole * 4 / 5, end: now + whole };
    }

    /// §4.1.2.2: some answers end it, 481 says that it has ended, and others leave it as it is.
    fn refused(
        &mut self,
        now: Time,
        (status, why): (Status, &str),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        match (self.state, status.code()) {
            (State::Leaving { .. }, _) => self.state = State::Over,
            (_, 403 | 404 | 405 | 410 | 416 | 480 | 482..=485 | 489 | 401 | 407 | 501 | 604) => {
                self.over((status.code(), why), out);
            }
            (State::Active { .. }, 481) => self.pause(now, Duration::ZERO, out),
            // It stands until it ends.
            (State::Active { end, .. }, _) => self.state = State::Active { refresh: end, end },
            _ => {
                self.fail(now, (status.code(), why), line, out);
            }
        }
    }

    /// It is told why, and tried again after a while.
    pub(super) fn fail(
        &mut self,
        now: Time,
        why: (u16, &str),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        if self.place == 0 {
            self.tell_end(why, Again::Yes, out);
        }
        let pause = patience::pause(self.failures, &mut line.dice);
        self.pause(now, pause, out);
    }
}
