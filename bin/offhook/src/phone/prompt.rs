//! The phone that does what is typed: one command a line.

use std::io::BufRead as _;

use phone::PhoneEvent;

use super::account::is_meant;
use super::board::{Key, State, way};
use super::deed::register;
use super::desk::{Desk, Happening};
use super::order::{Done, House, Order};
use super::past::{PastCall, PastCalls};
use super::watch::{PRESENCE, What};
use crate::outcome::Outcome;

/// Registers, and does what is typed until `quit`.
pub(super) fn run(desk: &Desk) -> Result<Outcome, String> {
    // Only then is anything read: what was typed early is not lost.
    let outcome = register(desk)?;
    let bell = desk.bell();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if bell.send((0, Happening::Typed(line))).is_err() {
                return;
            }
        }
        // A desk that is closed does not listen.
        let _ = bell.send((0, Happening::TypedLast));
    });
    desk.news.hint(HELP);
    let past = PastCalls::open(PastCalls::file()).unwrap_or_else(|error| {
        desk.news.hint(&format!("the file of calls cannot be read: {error}"));
        PastCalls::default()
    });
    let mut prompt = Prompt { house: House::new(desk, past), current: None, line: 0 };
    prompt.attend()?;
    prompt.house.leave()?;
    Ok(outcome)
}

/// Whether there is more to do.
enum Next {
    More,
    Quit,
}

/// What commands are about.
struct Prompt<'desk> {
    house: House<'desk>,
    /// The call that is meant when none is named.
    current: Option<Key>,
    /// The account that calls go out by.
    line: usize,
}

impl Prompt<'_> {
    fn attend(&mut self) -> Result<(), String> {
        loop {
            match self.house.desk.next(None)? {
                Some((_, Happening::Typed(line))) => match self.obey(&line) {
                    Ok(Next::More) => {}
                    Ok(Next::Quit) => return Ok(()),
                    Err(why) => self.say(&why),
                },
                Some((line, Happening::Phone(event))) => {
                    if let Err(why) = self.hear(line, &event) {
                        self.say(&why);
                    }
                }
                Some((_, Happening::TypedLast | Happening::Leave)) => return Ok(()),
                Some(_) | None => {}
            }
        }
    }

    fn hear(&mut self, line: usize, event: &PhoneEvent) -> Result<(), String> {
        let heard = self.house.hear(line, event);
        match event {
            PhoneEvent::GoesOn { call, new } if self.current == Some(Key { line, call: *call }) => {
                self.current = Some(Key { line, call: *new });
            }
            _ => {}
        }
        let calls = self.house.board.calls();
        if self.current.is_none_or(|current| self.house.board.get(current).is_none()) {
            self.current = calls.last().map(|known| known.key);
        }
        heard
    }

    fn obey(&mut self, typed: &str) -> Result<Next, String> {
        let (word, rest) = typed.trim().split_once(' ').unwrap_or((typed.trim(), ""));
        let rest = rest.trim();
        match word {
            "" => {}
            "quit" | "q" => return Ok(Next::Quit),
            "help" | "?" => self.say(HELP),
            "calls" => self.show_calls(),
            "accounts" => self.show_accounts(),
            "account" => self.line = self.account(rest)?,
            "pick" => {
                let key = self.named(rest)?;
                self.current = Some(key);
                self.house.obey(Order::TalkIn(key))?;
            }
            "keys" | "k" => {
                let call = self.call()?;
                for key in rest.chars() {
                    self.house.obey(Order::Press(call, key))?;
                }
            }
            "conference" => self.house.confer()?,
            "split" => self.house.split(self.call()?)?,
            "add" | "invite" if rest.is_empty() => return Err(format!("whom? {word} 103")),
            "add" => {
                let call = self.call()?;
                self.house.add(call, rest.to_owned())?;
            }
            "invite" => self.house.invite(self.call()?, rest.to_owned())?,
            "history" => self.house.past.calls().iter().for_each(|past| self.say(&line_of(past))),
            other => {
                let order = self.order(other, rest)?;
                let order = order.ok_or_else(|| format!("{other:?} is no command\n{HELP}"))?;
                if let Done::Begun(key) = self.house.obey(order)? {
                    self.current = Some(key);
                }
            }
        }
        Ok(Next::More)
    }

    fn order(&self, word: &str, rest: &str) -> Result<Option<Order>, String> {
        let whom = |example: &str| match rest {
            "" => Err(format!("whom? {example}")),
            whom => Ok(whom.to_owned()),
        };
        Ok(Some(match word {
            "call" | "c" => Order::Call(self.line, whom("call 102")?),
            "redial" => self.house.redial()?,
            "answer" | "a" => Order::Answer(self.ringing()?),
            "refuse" => Order::Refuse(self.ringing()?),
            "hangup" | "h" => Order::HangUp(self.call()?),
            "hold" => Order::Hold(self.call()?),
            "resume" => Order::TalkIn(self.call()?),
            "mute" => Order::Mute(self.call()?),
            "transfer" | "t" => Order::Transfer(self.call()?, whom("transfer 103")?),
            "join" => Order::Join(self.call()?, self.named(rest)?),
            "follow" => Order::Follow(self.call()?),
            "decline" => Order::Decline(self.call()?),
            "watch" => self.watch(rest)?,
            "message" => {
                let (to, text) = rest.split_once(' ').ok_or("what? message 102 Dinner is ready")?;
                Order::Message(self.line, to.to_owned(), text.to_owned())
            }
            "dnd" => Order::DoNotDisturb,
            "open" => Order::Open,
            "forward" => Order::Forward(whom("forward 103; open ends it")?),
            _ => return Ok(None),
        }))
    }

    fn call(&self) -> Result<Key, String> {
        self.current.ok_or_else(|| "there is no call".to_owned())
    }

    /// The call that is meant, if it waits to be picked up; else the first one that does.
    fn ringing(&self) -> Result<Key, String> {
        self.house.board.coming(self.current).ok_or_else(|| "nobody calls".to_owned())
    }

    /// The call of that number in the list of calls.
    fn named(&self, number: &str) -> Result<Key, String> {
        let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let known = at.and_then(|at| self.house.board.calls().get(at));
        let why = || format!("{number:?} is no call: `calls` shows their numbers");
        known.map(|known| known.key).ok_or_else(why)
    }

    /// An account by its number in the list, or by its address or its user.
    fn account(&self, said: &str) -> Result<usize, String> {
        let lines = self.house.desk.lines();
        let number = said.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let named = lines.iter().position(|line| is_meant(&line.user, said));
        let found = named.or(number.filter(|number| *number < lines.len()));
        found.ok_or_else(|| format!("{said:?} is no account: `accounts` shows them"))
    }

    /// Whom to watch, and what of them.
    fn watch(&self, said: &str) -> Result<Order, String> {
        let (target, what) = said.split_once(' ').unwrap_or((said, PRESENCE));
        if target.is_empty() {
            return Err("whom? watch 102, or watch 102 dialogs; again ends it".into());
        }
        Ok(Order::Watch(self.line, target.to_owned(), What::named(what)?))
    }

    fn say(&self, text: &str) {
        self.house.desk.news.hint(text);
    }

    fn show_calls(&self) {
        for (at, known) in self.house.board.calls().iter().enumerate() {
            let mark = if self.current == Some(known.key) { '>' } else { ' ' };
            let state = match known.state {
                State::Calling => "is being called",
                State::Rings => "rings",
                State::Comes => "calls",
                State::Up(_) if known.confers() && !known.holds => "talks with all",
                State::Up(_) if known.holds => "waits",
                State::Up(_) if known.is_held => "lets us wait",
                State::Up(_) => "talks",
            };
            let by = self.house.desk.whose(known.key.line);
            let by = by.map_or(String::new(), |by| format!(", by {by}"));
            self.say(&format!("{mark}{} {} {state}{by}", at + 1, known.with));
        }
    }

    fn show_accounts(&self) {
        for (at, line) in self.house.desk.lines().iter().enumerate() {
            let mark = if self.line == at { '>' } else { ' ' };
            self.say(&format!("{mark}{} {}", at + 1, line.user));
        }
    }
}

/// A call that there was, in a line.
fn line_of(past: &PastCall) -> String {
    let way = way(past.direction);
    let at = past.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%F %R");
    format!("{at} {way} {}, {}", past.with, past.outcome())
}

const HELP: &str = "call WHOM, redial, answer, refuse, hangup, hold, resume, transfer WHOM, join N, conference, add WHOM, invite WHOM, split, pick N, calls, keys 123#, mute, \
                    follow, decline, watch WHOM, message WHOM TEXT, account N, accounts, dnd, forward WHOM, open, history, quit";
