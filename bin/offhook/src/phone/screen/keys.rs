//! What each key of the screen means: in lists, in a line that is typed, in a call.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::board::{Board, Key, State};
use super::super::order::Order;
use super::super::past::PastCalls;
use super::super::watch::What as Watch;
use super::super::watchlist::WatchList;
use super::model::{Line, Mode, Model, Pane, Reception, What};
use crate::limits;
use crate::log::upsets;

/// What is wanted of whoever drives the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// That a phone does something.
    Order(Order),
    /// That whom we called last is called again.
    Redial,
    /// That everything is drawn anew: another program has written over it.
    Redraw,
    /// The end.
    Quit,
}

/// What there is to choose from.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) board: &'a Board,
    pub(super) past: &'a PastCalls,
    pub(super) watched: &'a WatchList,
}

/// The table of keys, as `?` shows it.
pub(super) const TABLE: &[(&str, &str)] = &[
    ("c, Enter or a digit", "call somebody; Up and Down bring whom you called before"),
    ("a", "answer the call that comes; whoever you talk with waits"),
    ("b", "busy: refuse the call that comes"),
    ("x", "hang up the chosen call"),
    ("h", "put the other side on hold, or take it back"),
    ("Up, Down", "choose a call; Space talks in it, and the others wait"),
    ("m", "mute: the other side hears nothing; again: it does"),
    ("0-9 * #, or k", "press keys in the call; k for A to D, and many; Esc ends it"),
    ("t", "transfer: the other side is asked to call somebody"),
    ("T", "call somebody first; T again brings the two together"),
    ("C", "conference of all calls that are up; again: without this"),
    ("y, d", "call whom the other side wants you to call, or do not"),
    ("r", "redial: call again whom you called last"),
    ("s", "send a message"),
    ("w", "watch somebody: are they there? again: no longer"),
    ("n", "do not disturb: calls are turned away; n again ends it"),
    ("f", "forward: calls that come go elsewhere; f again ends it"),
    ("o", "the account that calls go out by: the next one"),
    ("Tab", "past calls, messages, who is watched; PgUp and PgDn scroll"),
    ("Ctrl-L", "draw the screen anew"),
    ("q, Ctrl-C", "hang up all calls, unregister, leave"),
];

impl Model {
    /// A key was pressed.
    pub(super) fn press(&mut self, now: Duration, key: KeyEvent, lists: Lists<'_>) -> Option<Want> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('l') if control => return Some(Want::Redraw),
            KeyCode::Char('c') if control => return self.leave(lists.board),
            _ => {}
        }
        match self.mode.clone() {
            Mode::Commands => self.command(now, key.code, lists),
            Mode::Typing(line) => self.edit(line, key, lists),
            Mode::Keypad(call) => self.pad(call, key.code),
            Mode::Help => {
                self.mode = Mode::Commands;
                None
            }
            Mode::Leaving => {
                self.mode = Mode::Commands;
                matches!(key.code, KeyCode::Char('y' | 'q')).then_some(Want::Quit)
            }
        }
    }

    /// Text was pasted: it is typed, and never a command.
    pub(super) fn paste(&mut self, text: &str) {
        if let Mode::Typing(line) = &mut self.mode {
            text.chars().for_each(|c| line.push(c));
        }
    }

    fn leave(&mut self, board: &Board) -> Option<Want> {
        if board.calls().is_empty() || self.mode == Mode::Leaving {
            return Some(Want::Quit);
        }
        self.mode = Mode::Leaving;
        None
    }

    fn command(&mut self, now: Duration, code: KeyCode, lists: Lists<'_>) -> Option<Want> {
        let board = lists.board;
        match code {
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Char('q') => return self.leave(board),
            KeyCode::Char('c') | KeyCode::Enter => self.type_line(What::Call, ""),
            KeyCode::Char('s') => self.type_line(What::Recipient, ""),
            KeyCode::Char('w') => self.type_line(What::Watch, ""),
            KeyCode::Char('r') => return Some(Want::Redial),
            KeyCode::Char('n') => return Some(Want::Order(self.do_not_disturb())),
            KeyCode::Char('f') if matches!(self.reception, Reception::Forward(_)) => {
                self.reception = Reception::Open;
                return Some(Want::Order(Order::Open));
            }
            KeyCode::Char('f') => self.type_line(What::Forward, ""),
            KeyCode::Char('o') => self.line = (self.line + 1) % self.accounts.len().max(1),
            KeyCode::Tab => {
                let next = match self.pane {
                    Pane::Past => Pane::Texts,
                    Pane::Texts => Pane::Watched,
                    Pane::Watched => Pane::Past,
                };
                (self.pane, self.scrolled) = (next, 0);
            }
            KeyCode::PageUp => self.scrolled = self.scrolled.saturating_sub(PAGE),
            KeyCode::PageDown => {
                let rows = match self.pane {
                    Pane::Past => lists.past.calls().len(),
                    Pane::Texts => self.texts.len(),
                    Pane::Watched => lists.watched.others().count(),
                };
                self.scrolled = (self.scrolled + PAGE).min(rows.saturating_sub(1));
            }
            KeyCode::Up => self.step(board, -1),
            KeyCode::Down => self.step(board, 1),
            KeyCode::Char('a') => {
                let coming = self.coming(now, board)?;
                self.selected = Some(coming);
                return Some(Want::Order(Order::Answer(coming)));
            }
            KeyCode::Char('b') => {
                return self.coming(now, board).map(Order::Refuse).map(Want::Order);
            }
            KeyCode::Char(c) => return self.in_call(now, c, board),
            _ => {}
        }
        None
    }

    /// The call that comes; when none does, that is said.
    fn coming(&mut self, now: Duration, board: &Board) -> Option<Key> {
        let comes = board.coming(self.selected);
        if comes.is_none() {
            self.say(now, "nobody calls".into());
        }
        comes
    }

    /// A key that is about the chosen call.
    fn in_call(&mut self, now: Duration, c: char, board: &Board) -> Option<Want> {
        let known = self.selected.and_then(|key| board.get(key));
        let digit = c.is_ascii_digit() || "*#".contains(c);
        let Some(known) = known.filter(|known| known.is_up() || c == 'x') else {
            match c {
                _ if digit || c == '+' => self.type_line(What::Call, &c.to_string()),
                'x' | 'h' | 'm' | 't' | 'T' | 'C' | 'k' | ' ' | 'y' | 'd' => {
                    self.say(now, "no call is up that is chosen".into());
                }
                _ => self.say(now, format!("{c:?} does nothing: ? shows the keys")),
            }
            return None;
        };
        let key = known.key;
        let order = match c {
            'x' if known.state == State::Comes => Order::Refuse(key),
            'x' => Order::HangUp(key),
            'h' if known.is_to_wait() => Order::TalkIn(key),
            'h' => Order::Hold(key),
            ' ' => Order::TalkIn(key),
            'm' => Order::Mute(key),
            'C' if known.confers() => Order::Split(key),
            'C' => Order::Confer,
            'y' if known.referred.is_some() => Order::Follow(key),
            'd' if known.referred.is_some() => Order::Decline(key),
            _ if digit => Order::Press(key, c),
            'k' => {
                self.mode = Mode::Keypad(key);
                return None;
            }
            't' => {
                self.type_line(What::Transfer(key), "");
                return None;
            }
            'T' => match other(board, key) {
                Some(other) => Order::Join(other, key),
                None => {
                    self.type_line(What::Consult(key), "");
                    return None;
                }
            },
            _ => {
                self.say(now, format!("{c:?} does nothing: ? shows the keys"));
                return None;
            }
        };
        Some(Want::Order(order))
    }

    fn do_not_disturb(&mut self) -> Order {
        let (reception, order) = match self.reception {
            Reception::DoNotDisturb => (Reception::Open, Order::Open),
            _ => (Reception::DoNotDisturb, Order::DoNotDisturb),
        };
        self.reception = reception;
        order
    }

    /// The next call, or the one before.
    fn step(&mut self, board: &Board, by: isize) {
        let calls = board.calls();
        let at = calls.iter().position(|known| Some(known.key) == self.selected).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(calls.len().saturating_sub(1));
        self.selected = calls.get(to).map(|known| known.key);
    }

    fn type_line(&mut self, what: What, text: &str) {
        self.mode = Mode::Typing(Line { what, text: text.into(), back: 0 });
    }

    /// Keys in a call.
    fn pad(&mut self, call: Key, code: KeyCode) -> Option<Want> {
        match code {
            KeyCode::Char(c) if "0123456789*#ABCDabcd".contains(c) => {
                Some(Want::Order(Order::Press(call, c)))
            }
            KeyCode::Char(_) => None,
            _ => {
                self.mode = Mode::Commands;
                None
            }
        }
    }

    /// A key in a line that is typed.
    fn edit(&mut self, mut line: Line, key: KeyEvent, lists: Lists<'_>) -> Option<Want> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => {
                self.mode = Mode::Commands;
                return None;
            }
            KeyCode::Enter => {
                self.mode = Mode::Commands;
                return self.typed(line);
            }
            KeyCode::Backspace => drop(line.text.pop()),
            KeyCode::Char('u') if control => line.text.clear(),
            KeyCode::Char(_) if control => {}
            KeyCode::Char(c) => line.push(c),
            KeyCode::Up => line.recall(lists.past, 1),
            KeyCode::Down => line.recall(lists.past, -1),
            _ => {}
        }
        self.mode = Mode::Typing(line);
        None
    }

    /// A line is done.
    fn typed(&mut self, Line { what, text, .. }: Line) -> Option<Want> {
        let text = text.trim().to_owned();
        if text.is_empty() {
            return None;
        }
        Some(Want::Order(match what {
            What::Call => Order::Call(self.line, text),
            What::Transfer(key) => Order::Transfer(key, text),
            // By the same account: the server of another one may not know them.
            What::Consult(key) => Order::Call(key.line, text),
            What::Forward => Order::Forward(text),
            What::Recipient => {
                self.type_line(What::Words(text), "");
                return None;
            }
            What::Words(to) => Order::Message(self.line, to, text),
            What::Watch => {
                self.pane = Pane::Watched;
                Order::Watch(self.line, text, Watch::Presence)
            }
        }))
    }
}

impl Line {
    fn push(&mut self, c: char) {
        if !upsets(c) && self.text.chars().count() < limits::TYPED {
            self.text.push(c);
        }
    }

    /// Whom we called before, further back or less.
    fn recall(&mut self, past: &PastCalls, by: isize) {
        if matches!(self.what, What::Words(_)) {
            return;
        }
        let with = past.calls().iter().rev().map(|call| address(&call.with));
        let mut known: Vec<&str> = Vec::new();
        for with in with {
            if !known.contains(&with) {
                known.push(with);
            }
        }
        self.back = self.back.saturating_add_signed(by).min(known.len());
        let at = self.back.checked_sub(1).and_then(|at| known.get(at));
        self.text = at.map_or_else(String::new, ToString::to_string);
    }
}

/// Another call that is up: the last one of the same account, or of another.
fn other(board: &Board, key: Key) -> Option<Key> {
    let others = || board.calls().iter().rev().filter(|known| known.key != key && known.is_up());
    let mate = others().find(|known| known.key.line == key.line);
    mate.or_else(|| others().next()).map(|known| known.key)
}

/// What can be called of somebody's name and address.
pub(super) fn address(with: &str) -> &str {
    let inner = with.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(with, |(address, _)| address)
}

/// Lines that a page goes on.
const PAGE: usize = 5;
