//! `Watcher`: the subscriber's side of a subscription (RFC 6665 §4.1).

use std::time::Duration;

use machine::{Dice, Time};
use protocol::Flow;
use protocol::auth::Answers;
use protocol::dialog::{CallId, Dialog, Tag};
use protocol::doors::{Event, Output, PhoneEvent, Watch};
use protocol::transaction::ServerId;
use sip::header::{Expires, SubscriptionState};
use sip::{Bytes, Message, Method, Name, Status};

use super::Names;
use crate::line::{Errand, Line, Outcome, Purpose};
use crate::packages::Package;
use crate::turn::Turn;
use crate::whither::Hop;
use crate::{abilities, limits, patience, request};

/// Something that is watched.
pub(super) struct Watcher {
    id: Watch,
    /// Where, of the many places that a SUBSCRIBE may reach. The first asks; the others have come by themselves.
    place: u32,
    package: Package,
    target: Box<[u8]>,
    names: Names,
    answers: Answers,
    /// Seconds to ask for.
    expires: u32,
    dialog: Option<Dialog>,
    state: State,
    failures: u32,
    /// The last document's number, where documents have one.
    version: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Asked for, and nothing was told yet: not after `until` (timer N, §4.1.2.4).
    Asking {
        until: Time,
    },
    /// It stands: asked for again at `refresh`; over at `end`.
    Active {
        refresh: Time,
        end: Time,
    },
    /// It failed, and is tried anew.
    Pausing {
        again: Time,
    },
    /// We have said that we want no more, and wait for the last word.
    Leaving {
        until: Time,
    },
    Over,
}

impl Watcher {
    pub(super) fn new(
        id: Watch,
        (target, package): (Box<[u8]>, Package),
        answers: Answers,
        dice: &mut Dice,
    ) -> Self {
        let names = Names::throw(dice);
        Self {
            id,
            place: 0,
            package,
            target,
            names,
            answers,
            expires: package.expires(),
            dialog: None,
            state: State::Over,
            failures: 0,
            version: None,
        }
    }

    /// The same in another place, that a SUBSCRIBE of this one has reached too.
    pub(super) fn another(&self, now: Time, place: u32, line: &Line) -> Self {
        Self {
            place,
            target: self.target.clone(),
            names: self.names.clone(),
            answers: self.answers.fresh(),
            dialog: None,
            state: State::Asking { until: now + line.timers.patience() },
            failures: 0,
            version: None,
            ..*self
        }
    }

    pub(super) const fn key(&self) -> (Watch, u32) {
        (self.id, self.place)
    }

    /// True for a place that was reached by what this one asks now.
    pub(super) fn is_reached_by(&self, first: &Self) -> bool {
        self.names.call_id == first.names.call_id
    }

    /// True when whoever sends this NOTIFY is the one that is listened to.
    pub(super) fn hears(&self, notify: &Message) -> bool {
        let remote = self.dialog.as_ref().map(|dialog| &dialog.id().remote);
        remote.is_some() && remote == Tag::in_from(notify).as_ref()
    }

    /// Whether a NOTIFY of somebody else makes a place of its own.
    pub(super) const fn forks(&self) -> bool {
        let told = matches!(self.state, State::Active { .. });
        told && self.package.is_of_many()
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// True for a NOTIFY of it: its Call-ID and our tag (§4.1.3); the other tag may be a surprise (§4.1.4).
    pub(super) fn is_named_by(&self, notify: &Message) -> bool {
        CallId::in_message(notify) == self.names.call_id
            && Tag::in_to(notify).as_ref() == Some(&self.names.tag)
    }

    /// Asks for it, as for the first time: after an end with another Call-ID (RFC 3842 §3.6).
    pub(super) fn begin(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if self.place > 0 {
            return self.over(GONE, out);
        }
        self.version = None;
        if self.dialog.take().is_some() || self.failures > 0 {
            self.names = Names::throw(&mut line.dice);
        }
        self.state = State::Asking { until: now + line.timers.patience() };
        self.subscribe(now, self.expires, line, out);
    }

    /// Wants to hear no more.
    pub(super) fn leave(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        match self.state {
            State::Asking { .. } | State::Active { .. } if self.dialog.is_some() => {
                self.state = State::Leaving { until: now + line.timers.patience() };
                self.subscribe(now, 0, line, out);
            }
            State::Leaving { .. } => {}
            _ => self.state = State::Over,
        }
    }

    /// Our Contact is another: a subscription that stands is refreshed, and one that was asked for is asked for anew.
    pub(super) fn moved(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        match self.state {
            State::Active { end, .. } => {
                self.state = State::Active { refresh: end, end };
                self.subscribe(now, self.expires, line, out);
            }
            State::Asking { .. } => {
                line.abandon_errand(Purpose::Watch(self.id, self.place));
                self.begin(now, line, out);
            }
            State::Pausing { .. } | State::Leaving { .. } | State::Over => {}
        }
    }

    fn subscribe(&mut self, now: Time, expires: u32, line: &mut Line, out: &mut Vec<Output>) {
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
    pub(super) fn done(
        &mut self,
        now: Time,
        (mut errand, outcome): (Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
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
        if self.dialog.is_none()
            && let Some(flow) = errand.went()
        {
            self.dialog = Dialog::of_caller(&errand.request, response, flow.transport);
        }
        let seconds = response.get::<Expires>().map_or(self.expires, |Expires(seconds)| seconds);
        match self.state {
            State::Active { .. } => self.stands(now, seconds.min(self.expires)),
            // RFC 5839: nothing will be told, for nothing has changed.
            State::Asking { .. } if response.status() == Some(Status::NO_NOTIFICATION) => {
                self.stands(now, seconds.min(self.expires));
            }
            _ => {}
        }
    }

    fn stands(&mut self, now: Time, seconds: u32) {
        let whole = Duration::from_secs(seconds.max(LEAST).into());
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
    fn fail(&mut self, now: Time, why: (u16, &str), line: &mut Line, out: &mut Vec<Output>) {
        if self.place == 0 {
            self.tell_end(why, Again::Yes, out);
        }
        let pause = patience::pause(self.failures, &mut line.dice);
        self.pause(now, pause, out);
    }

    /// A NOTIFY of it (§4.1.3). It is answered at once.
    pub(super) fn notified(
        &mut self,
        turn: &mut Turn<'_>,
        (id, flow): (ServerId, Flow),
        request: &Message,
    ) {
        let event = request.get::<sip::header::Event<'_>>();
        if event.is_none_or(|event| event.package != self.package.name()) {
            return turn.reply(id, request, Status::BAD_EVENT);
        }
        let Some(state) = request.get::<SubscriptionState<'_>>() else {
            return turn.reply(id, request, Status::BAD_REQUEST);
        };
        // Of many that were reached, the first that tells something is listened to, whoever answered.
        if matches!(self.state, State::Asking { .. }) && !self.hears(request) {
            self.dialog.take_if(|_| self.package.is_of_many());
        }
        let dialog = match &mut self.dialog {
            Some(dialog) => dialog,
            // §4.1.2.4: it may come before the 200.
            None => match Dialog::of_subscriber(self.names.cseq, request, flow.transport) {
                Ok(dialog) => self.dialog.insert(dialog),
                Err(fault) => return turn.reply(id, request, fault.status()),
            },
        };
        // §4.1.4: of many that answer we listen to the first.
        if Tag::in_from(request).as_ref() != Some(&dialog.id().remote) {
            return turn.reply(id, request, Status::CALL_DOES_NOT_EXIST);
        }
        if let Err(fault) = dialog.receive(request) {
            return turn.reply(id, request, fault.status());
        }
        dialog.refresh(request);
        turn.reply(id, request, Status::OK);
        self.tell(turn, &state, request);
        if state.is("terminated") {
            return self.terminated(turn, &state);
        }
        if !matches!(self.state, State::Leaving { .. }) {
            self.stands(turn.now, state.expires().unwrap_or(self.expires));
            self.fill_gap(turn.now, request.body());
        }
    }

    /// RFC 4235 §4.3: where a document is missing before one that says only what has changed, the whole is asked for.
    fn fill_gap(&mut self, now: Time, body: &[u8]) {
        let Some((version, whole)) = self.package.edition(body) else { return };
        let follows = self.version.is_some_and(|last| last.wrapping_add(1) == version);
        self.version = Some(version);
        match &mut self.state {
            State::Active { refresh, .. } if !(whole || follows) => {
                *refresh = now + Duration::from_secs(LEAST.into());
            }
            _ => {}
        }
    }

    fn tell(&self, turn: &mut Turn<'_>, state: &SubscriptionState<'_>, notify: &Message) {
        let body = notify.content();
        let kind = body.as_ref().and_then(sip::Body::media);
        let kind = kind.map(|media| format!("{}/{}", media.kind, media.subtype));
        turn.report(PhoneEvent::Watched {
            watch: self.id,
            place: self.place,
            state: state.state.into(),
            kind: kind.unwrap_or_default().into(),
            body: Bytes::copy_from_slice(notify.body()),
        });
    }

    /// §4.1.3: what its reason says about trying again.
    fn terminated(&mut self, turn: &mut Turn<'_>, state: &SubscriptionState<'_>) {
        let leaving = matches!(self.state, State::Leaving { .. });
        if leaving || self.place > 0 {
            self.state = State::Over;
            if self.place == 0 {
                self.tell_end((200, "watched no more"), Again::No, turn.out);
            }
            return;
        }
        let later = state.retry_after().map(|seconds| Duration::from_secs(seconds.into()));
        let reason = state.reason().unwrap_or_default();
        let is = |other: &str| reason.eq_ignore_ascii_case(other);
        if is("rejected") || is("noresource") || is("invariant") {
            return self.over((if is("rejected") { 403 } else { 404 }, reason), turn.out);
        }
        let soon = is("deactivated") || is("timeout");
        let pause = match later {
            Some(later) => later.min(limits::RETRY_LAST),
            None if soon => limits::WATCH_AGAIN,
            None => patience::pause(self.failures, &mut turn.line.dice),
        };
        self.pause(turn.now, pause, turn.out);
    }

    fn pause(&mut self, now: Time, pause: Duration, out: &mut Vec<Output>) {
        if self.place > 0 {
            return self.over(GONE, out);
        }
        self.failures = self.failures.saturating_add(1);
        self.state = State::Pausing { again: now + pause };
    }

    /// It ends, and why is told.
    fn over(&mut self, why: (u16, &str), out: &mut Vec<Output>) {
        self.state = State::Over;
        self.tell_end(why, Again::No, out);
    }

    /// Nothing is told any more: not at all, or not from one place of many.
    fn tell_end(&self, (status, reason): (u16, &str), again: Again, out: &mut Vec<Output>) {
        let (watch, again) = (self.id, again == Again::Yes);
        let event = match self.place {
            0 => PhoneEvent::NotWatched { watch, status, reason: reason.into(), again },
            place => {
                let (state, kind, body) = ("terminated".into(), "".into(), Bytes::new());
                PhoneEvent::Watched { watch, place, state, kind, body }
            }
        };
        out.push(Output::Report(Event::Phone(event)));
    }

    pub(super) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        match self.state {
            State::Asking { until } if until <= now => {
                self.fail(now, (408, "nothing was told"), line, out);
            }
            State::Active { end, .. } if end <= now => self.begin(now, line, out),
            State::Active { refresh, end } if refresh <= now => {
                self.state = State::Active { refresh: end, end };
                self.subscribe(now, self.expires, line, out);
            }
            State::Pausing { again } if again <= now => self.begin(now, line, out),
            State::Leaving { until } if until <= now => self.state = State::Over,
            _ => {}
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Asking { until } | State::Leaving { until } => Some(until),
            State::Active { refresh, end } => Some(refresh.min(end)),
            State::Pausing { again } => Some(again),
            State::Over => None,
        }
    }
}

/// Whether it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// Why nothing more is told from one place of many.
const GONE: (u16, &str) = (410, "gone");

/// Who grants less would have us ask all the time.
const LEAST: u32 = 10;
