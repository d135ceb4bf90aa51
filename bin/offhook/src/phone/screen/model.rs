//! `Model`: all that the screen shows beside calls, and what keys and news make of it. It draws nothing and does nothing: it says what it wants.

use std::collections::VecDeque;
use std::time::Duration;

use phone::{Inquiry, PhoneEvent};

use super::super::board::{Board, Key};
use super::super::news::words;
use crate::limits;

/// What the screen shows.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) accounts: Vec<AccountRow>,
    /// The account that calls go out by.
    pub(super) line: usize,
    /// The call that keys are about.
    pub(super) selected: Option<Key>,
    pub(super) mode: Mode,
    pub(super) pane: Pane,
    /// Lines of the pane that are above its top.
    pub(super) scrolled: usize,
    pub(super) texts: VecDeque<Text>,
    pub(super) reception: Reception,
    /// What was said last, and until when it is shown.
    pub(super) notice: Option<(String, Duration)>,
}

/// An account, and how it stands with its registrar.
#[derive(Clone, Debug)]
pub(super) struct AccountRow {
    pub(super) address: String,
    pub(super) state: Registration,
}

/// How an account stands with its registrar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Registration {
    Asking,
    /// Since then, for so many seconds.
    On(Duration, u32),
    Off(String),
}

/// What keys mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each is a command.
    Commands,
    /// A line is typed.
    Typing(Line),
    /// Each is pressed in the call.
    Keypad(Key),
    /// The table of keys is shown.
    Help,
    /// Calls are up: is it meant?
    Leaving,
}

/// A line that is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) what: What,
    pub(super) text: String,
    /// How far back in the past calls it has gone.
    pub(super) back: usize,
}

/// What a line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Whom to call.
    Call,
    /// Whom the other side is to call.
    Transfer(Key),
    /// Whom to ask before the call is given to them.
    Consult(Key),
    /// Where calls go that come.
    Forward,
    /// Whom to write to.
    Recipient,
    /// What to write to them.
    Words(String),
    /// Whom to watch.
    Watch,
}

/// What is shown below the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Past,
    Texts,
    Watched,
}

/// What is done with calls that come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reception {
    Open,
    DoNotDisturb,
    Forward(String),
}

/// A text that came or went.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The account, by its place.
    pub(super) line: usize,
    pub(super) with: String,
    pub(super) text: String,
    pub(super) state: Delivery,
}

/// What has become of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It is theirs.
    Received,
    Sent(Inquiry),
    Delivered,
    Failed(String),
}

impl Model {
    pub(super) fn new(addresses: impl Iterator<Item = String>) -> Self {
        let row = |address| AccountRow { address, state: Registration::Asking };
        Self {
            accounts: addresses.map(row).collect(),
            line: 0,
            selected: None,
            mode: Mode::Commands,
            pane: Pane::Past,
            scrolled: 0,
            texts: VecDeque::new(),
            reception: Reception::Open,
            notice: None,
        }
    }

    /// A phone has told something, and the board has heard it.
    pub(super) fn hear(&mut self, now: Duration, line: usize, event: &PhoneEvent, board: &Board) {
        match event {
            PhoneEvent::Registered { expires } => {
                return self.registration(line, Registration::On(now, *expires));
            }
            PhoneEvent::NotRegistered { status, reason } => {
                let why = format!("not registered: {status} {reason}");
                return self.registration(line, Registration::Off(why));
            }
            PhoneEvent::Unregistered => {
                return self.registration(line, Registration::Off("not registered".into()));
            }
            PhoneEvent::Message { from, text } => {
                let (with, text) = (from.to_string(), text.to_string());
                self.keep(Text { line, with, text, state: Delivery::Received });
            }
            PhoneEvent::Answered { inquiry, status, reason, .. } => {
                return self.delivered(now, (line, *inquiry), *status, reason);
            }
            PhoneEvent::GoesOn { call, new }
                if self.selected == Some(Key { line, call: *call }) =>
            {
                self.selected = Some(Key { line, call: *new });
            }
            // Shown with the call.
            PhoneEvent::Quality { .. } | PhoneEvent::Key { .. } => return,
            _ => {}
        }
        self.choose(board);
        self.say(now, words(event));
    }

    /// Calls go elsewhere from now on.
    pub(super) fn forwarded(&mut self, to: String) {
        self.reception = Reception::Forward(to);
    }

    /// The call that keys are about is one that there is.
    pub(super) fn choose(&mut self, board: &Board) {
        if self.selected.is_none_or(|key| board.get(key).is_none()) {
            self.selected = board.calls().last().map(|known| known.key);
        }
        let gone = match &self.mode {
            Mode::Keypad(key) => Some(*key),
            Mode::Typing(Line { what: What::Transfer(key) | What::Consult(key), .. }) => Some(*key),
            _ => None,
        };
        if gone.is_some_and(|key| board.get(key).is_none()) {
            self.mode = Mode::Commands;
        }
    }

    /// Something to be read.
    pub(super) fn say(&mut self, now: Duration, what: String) {
        self.notice = Some((what, now + NOTICE));
    }

    /// Time has gone by.
    pub(super) fn tick(&mut self, now: Duration) {
        self.notice.take_if(|(_, until)| *until <= now);
    }

    /// A text of ours is on its way.
    pub(super) fn sent(&mut self, line: usize, inquiry: Inquiry, (with, text): (String, String)) {
        self.keep(Text { line, with, text, state: Delivery::Sent(inquiry) });
    }

    fn registration(&mut self, line: usize, state: Registration) {
        if let Some(account) = self.accounts.get_mut(line) {
            account.state = state;
        }
    }

    fn delivered(
        &mut self,
        now: Duration,
        (line, inquiry): (usize, Inquiry),
        status: u16,
        reason: &str,
    ) {
        let wanted = |text: &&mut Text| text.line == line && text.state == Delivery::Sent(inquiry);
        let Some(text) = self.texts.iter_mut().find(wanted) else { return };
        let (state, notice) = match status {
            200..=299 => (Delivery::Delivered, "the message has arrived".to_owned()),
            _ => {
                let why = format!("{status} {reason}");
                (Delivery::Failed(why.clone()), format!("the message has not arrived: {why}"))
            }
        };
        text.state = state;
        self.say(now, notice);
    }

    fn keep(&mut self, text: Text) {
        if self.texts.len() >= limits::TEXTS {
            self.texts.pop_front();
        }
        self.texts.push_back(text);
    }
}

/// How long something that was said is shown.
const NOTICE: Duration = Duration::from_secs(10);
