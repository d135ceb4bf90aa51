//! `Watcher`: the subscriber's side of a subscription (RFC 6665 §4.1).

mod asking;
mod hearing;

use std::time::Duration;

use machine::{Dice, Time};
use protocol::auth::{Answers, Token};
use protocol::dialog::{CallId, Dialog};
use protocol::doors::{Event, Output, PhoneEvent, Watch};
use sip::Bytes;

use super::Names;
use crate::line::{Line, Purpose};
use crate::packages::Package;

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
    /// When the whole is asked for, because a document is missing.
    gap: Option<Time>,
    /// Until then others may be heard of that the SUBSCRIBE has reached too (timer N).
    open: Time,
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
    /// Shows this token from now on.
    pub(super) fn renew_token(&mut self, token: &Token) {
        self.answers.renew(token);
    }

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
            gap: None,
            open: Time::default(),
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
            gap: None,
            ..*self
        }
    }

    pub(super) const fn key(&self) -> (Watch, u32) {
        (self.id, self.place)
    }

    /// The Call-ID of what was asked last: places that were reached by it have the same.
    pub(super) const fn call_id(&self) -> &CallId {
        &self.names.call_id
    }

    /// It is one of many, and was reached by a question that is asked anew.
    pub(super) fn gone(&self, out: &mut Vec<Output>) {
        self.tell_end(GONE, Again::No, out);
    }

    /// True when nothing is heard of it any more; of a place of many, when nothing sound ever was.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over) || self.place > 0 && self.dialog.is_none()
    }

    /// Asks for it, as for the first time: after an end with another Call-ID (RFC 3842 §3.6).
    pub(super) fn begin(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        if self.place > 0 {
            return self.over(GONE, out);
        }
        line.abandon_errand(Purpose::Watch(self.id, self.place));
        self.version = None;
        if self.dialog.take().is_some() || self.failures > 0 {
            self.names = Names::throw(&mut line.dice);
        }
        self.open = now + line.timers.patience();
        self.state = State::Asking { until: self.open };
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
            State::Asking { .. } => self.begin(now, line, out),
            State::Pausing { .. } | State::Leaving { .. } | State::Over => {}
        }
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
            State::Active { refresh, end } if self.soonest(refresh) <= now => {
                self.state = State::Active { refresh: end, end };
                self.subscribe(now, self.expires, line, out);
            }
            State::Pausing { again } if again <= now => self.begin(now, line, out),
            State::Leaving { until } if until <= now => self.state = State::Over,
            _ => {}
        }
    }

    /// When it is asked for again.
    fn soonest(&self, refresh: Time) -> Time {
        self.gap.map_or(refresh, |gap| gap.min(refresh))
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Asking { until } | State::Leaving { until } => Some(until),
            State::Active { refresh, end } => Some(self.soonest(refresh).min(end)),
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
