//! `Desk`: the phones on their desk, one for each account, and everything that may happen around them: their news, signals, what is typed.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use net::{Carry, Heard};
use phone::{Audio, Call, PhoneEvent};
use protocol::doors::Event;
use ratatui::crossterm::event::Event as TerminalEvent;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::account::Owned;
use super::news::News;
use super::sound::SoundArguments;
use crate::ear::Ear;
use crate::limits;
use crate::softphone::Softphone;

/// What may happen.
#[derive(Debug)]
pub(super) enum Happening {
    /// A phone says something.
    Phone(PhoneEvent),
    /// Somebody typed a line.
    Typed(String),
    /// A key was pressed, something was pasted, the terminal has another size.
    Terminal(TerminalEvent),
    /// Nobody will type any more.
    TypedLast,
    /// SIGINT, SIGTERM or SIGHUP: time to go.
    Leave,
    /// Something that does not concern a phone.
    Nothing,
}

/// The phones, and what happens around them.
#[derive(Debug)]
pub(super) struct Desk {
    lines: Vec<Line>,
    pub(super) news: News,
    sound: SoundArguments,
    to: SyncSender<(usize, Happening)>,
    happenings: Receiver<(usize, Happening)>,
    /// Calls that have come to the phones, the first first, and that nobody has turned to yet.
    waiting: RefCell<Vec<(usize, Call)>>,
}

/// The phone of one account.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) phone: Softphone,
    /// Whose it is.
    pub(super) user: String,
}

/// One of the phones, for who has to do with it alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat<'desk> {
    pub(super) phone: &'desk Softphone,
    pub(super) news: News,
    /// Whose phone it is.
    pub(super) user: &'desk str,
    desk: &'desk Desk,
    line: usize,
}

impl Desk {
    pub(super) fn open(
        accounts: &[Owned],
        sound: SoundArguments,
        news: News,
    ) -> Result<Self, String> {
        let (to, happenings) = sync_channel(limits::LOG_LINES);
        let open = |(line, owned): (usize, &Owned)| {
            let ear = Ear::new(to.clone(), Carry::Events, move |heard| match heard {
                Heard::Event(_, _, Event::Phone(event)) => (line, Happening::Phone(event)),
                _ => (line, Happening::Nothing),
            });
            let phone = Softphone::start(&owned.account, owned.at, &owned.authorities, ear)?;
            Ok(Line { phone, user: owned.account.address() })
        };
        let lines = accounts.iter().enumerate().map(open).collect::<Result<_, String>>()?;
        let signals = Signals::new([SIGHUP, SIGINT, SIGTERM]);
        let mut signals = signals.map_err(|error| error.to_string())?;
        let leave = to.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                // A desk that is closed has been left.
                let _ = leave.send((0, Happening::Leave));
            }
        });
        Ok(Self { lines, news, sound, to, happenings, waiting: RefCell::default() })
    }

    /// The phones, in the order of the accounts.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// One of them.
    pub(super) fn seat(&self, line: usize) -> Result<Seat<'_>, String> {
        let Line { phone, user } = self.lines.get(line).ok_or("there is no such account")?;
        Ok(Seat { phone, news: self.news, user, desk: self, line })
    }

    /// Mouth and ear for a call.
    pub(super) fn audio(&self) -> Result<Box<dyn Audio>, String> {
        self.sound.audio()
    }

    /// Where somebody else may say what happens.
    pub(super) fn bell(&self) -> SyncSender<(usize, Happening)> {
        self.to.clone()
    }

    /// What happens next, and at which phone; nothing, when `until` comes first. What a phone says is told.
    pub(super) fn next(
        &self,
        until: Option<Instant>,
    ) -> Result<Option<(usize, Happening)>, String> {
        loop {
            let wait =
                until.map_or(FOREVER, |until| until.saturating_duration_since(Instant::now()));
            match self.happenings.recv_timeout(wait) {
                Ok((_, Happening::Nothing)) => {}
                Ok((line, Happening::Phone(event))) => {
                    self.news.tell(self.whose(line), &event);
                    self.note(line, &event);
                    return Ok(Some((line, Happening::Phone(event))));
                }
                Ok(happening) => return Ok(Some(happening)),
                Err(RecvTimeoutError::Timeout) if until.is_some() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("the phone has ended".into()),
            }
        }
    }

    /// Who calls waits, also while somebody talks with another.
    fn note(&self, line: usize, event: &PhoneEvent) {
        let mut waiting = self.waiting.borrow_mut();
        match event {
            PhoneEvent::Incoming { call, .. } => waiting.push((line, *call)),
            PhoneEvent::Ended { call, .. } => waiting.retain(|one| *one != (line, *call)),
            _ => {}
        }
    }

    /// Turns to the call that waits longest, and the phone that it has come to.
    pub(super) fn turn_to(&self) -> Option<(usize, Call)> {
        let mut waiting = self.waiting.borrow_mut();
        (!waiting.is_empty()).then(|| waiting.remove(0))
    }

    /// Whose phone it is; nothing, when there is only one.
    pub(super) fn whose(&self, line: usize) -> Option<&str> {
        let Line { user, .. } = self.lines.get(line).filter(|_| self.lines.len() > 1)?;
        Some(user)
    }

    /// Hangs up what is up, unregisters, and ends.
    pub(super) fn close(mut self) {
        let lines = std::mem::take(&mut self.lines);
        let users: Vec<_> = lines.iter().map(|line| line.user.clone()).collect();
        // All at once: each may have to wait for somebody. How a thread ends does not matter any more.
        let leaving = lines.into_iter().map(|line| std::thread::spawn(|| line.phone.leave()));
        leaving.collect::<Vec<_>>().into_iter().for_each(|leaving| drop(leaving.join()));
        for (line, happening) in self.happenings.try_iter() {
            if let Happening::Phone(event) = happening {
                let whose = users.get(line).filter(|_| users.len() > 1);
                self.news.tell(whose.map(String::as_str), &event);
            }
        }
    }
}

impl Seat<'_> {
    /// Mouth and ear for a call.
    pub(super) fn audio(&self) -> Result<Box<dyn Audio>, String> {
        self.desk.audio()
    }

    /// What happens next at this phone, or to the whole desk.
    pub(super) fn next(&self, until: Option<Instant>) -> Result<Option<Happening>, String> {
        loop {
            match self.desk.next(until)? {
                Some((line, Happening::Phone(_))) if line != self.line => {}
                happening => return Ok(happening.map(|(_, happening)| happening)),
            }
        }
    }
}

const FOREVER: Duration = Duration::from_secs(3600);
