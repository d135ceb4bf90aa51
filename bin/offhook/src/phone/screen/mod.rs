//! The phone's face in a terminal: what is shown, what keys mean, and the loop that brings both together with the phones.

mod keys;
mod look;
mod model;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use phone::PhoneEvent;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::layout::Position;

use super::board::State;
use super::desk::{Desk, Happening};
use super::order::{Done, House, Order};
use super::past::PastCalls;
use crate::outcome::Outcome;
use keys::{Lists, Want};
use look::Look;
use model::Model;
use terminal::Screen;
use view::Scene;

/// Can there be a screen? Somebody sits before a terminal that can do more than write line after line.
pub(super) fn is_possible() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !dumb
}

/// Registers, shows, and does what keys say until the end.
pub(super) fn run(desk: &Desk) -> Result<Outcome, String> {
    let words = |error: io::Error| format!("the terminal: {error}");
    let past = PastCalls::open(PastCalls::file());
    let (past, wrong) = match past {
        Ok(past) => (past, None),
        Err(error) => (PastCalls::default(), Some(format!("the file of calls: {error}"))),
    };
    let model = Model::new(desk.lines().iter().map(|line| line.user.clone()));
    let mut face = Face {
        house: House::new(desk, past),
        model,
        screen: Screen::open().map_err(words)?,
        zone: TimeZone::system(),
        look: Look::of(|name| std::env::var(name).ok()),
        rung: None,
        measured: Duration::ZERO,
    };
    if let Some(wrong) = wrong {
        face.model.say(Duration::ZERO, wrong);
    }
    for line in desk.lines() {
        line.phone.ask(|phone, now, out| phone.register(now, out))?;
    }
    let bell = desk.bell();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            // A desk that is closed does not listen.
            if bell.send((0, Happening::Terminal(event))).is_err() {
                return;
            }
        }
        // The terminal is gone.
        let _ = bell.send((0, Happening::Leave));
    });
    let done = face.attend().map_err(words);
    let left = face.house.leave();
    // The terminal is given back before anybody waits for goodbyes.
    drop(face.screen);
    done.and(left).map(|()| Outcome::Fine)
}

/// The screen, and what is behind it.
struct Face<'desk> {
    house: House<'desk>,
    model: Model,
    screen: Screen,
    zone: TimeZone,
    look: Look,
    /// When the terminal has rung last for a call that comes.
    rung: Option<Duration>,
    /// When the phones were asked last how good their calls are.
    measured: Duration,
}

/// Whether there is more to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    Quit,
}

impl Face<'_> {
    fn attend(&mut self) -> io::Result<()> {
        let other = |why: String| io::Error::other(why);
        loop {
            self.draw()?;
            let pause = match self.house.board.calls().is_empty() {
                true => IDLE,
                false => BUSY,
            };
            let mut next = self.house.desk.next(Some(Instant::now() + pause)).map_err(other)?;
            // All that has happened meanwhile, before it is drawn; but not for ever.
            for _ in 0..AT_ONCE {
                let Some((line, happening)) = next else { break };
                if self.meet(line, happening)? == Next::Quit {
                    return Ok(());
                }
                next = self.house.desk.next(Some(Instant::now())).map_err(other)?;
            }
            self.tick()?;
        }
    }

    fn meet(&mut self, line: usize, happening: Happening) -> io::Result<Next> {
        match happening {
            Happening::Phone(event) => self.hear(line, &event),
            Happening::Terminal(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let House { board, past, watched, .. } = &self.house;
                let lists = Lists { board, past, watched };
                let want = self.model.press(self.house.now(), key, lists);
                return want.map_or(Ok(Next::More), |want| self.grant(want));
            }
            Happening::Terminal(Event::Paste(text)) => self.model.paste(&text),
            Happening::Leave => return Ok(Next::Quit),
            _ => {}
        }
        Ok(Next::More)
    }

    fn hear(&mut self, line: usize, event: &PhoneEvent) {
        if matches!(event, PhoneEvent::Registered { .. }) {
            self.house.watch_mailbox(line);
        }
        let is_own = self.house.watched.is_own(line, event);
        let heard = self.house.hear(line, event);
        if is_own {
            return;
        }
        let now = self.house.now();
        self.model.hear(now, line, event, &self.house.board);
        if let Err(why) = heard {
            self.model.say(now, why);
        }
    }

    fn grant(&mut self, want: Want) -> io::Result<Next> {
        let order = match want {
            Want::Quit => return Ok(Next::Quit),
            Want::Redraw => {
                self.screen.terminal.clear()?;
                return Ok(Next::More);
            }
            Want::Redial => self.house.redial(),
            Want::Order(order) => Ok(order),
        };
        let now = self.house.now();
        if let Err(why) = order.and_then(|order| self.obey(order)) {
            self.model.say(now, why);
        }
        Ok(Next::More)
    }

    fn obey(&mut self, order: Order) -> Result<(), String> {
        let text = match &order {
            Order::Message(line, to, text) => Some((*line, (to.clone(), text.clone()))),
            _ => None,
        };
        let forward = match &order {
            Order::Forward(to) => Some(to.clone()),
            _ => None,
        };
        let done = self.house.obey(order)?;
        forward.into_iter().for_each(|to| self.model.forwarded(to));
        match (done, text) {
            (Done::Begun(key), _) => self.model.selected = Some(key),
            (Done::Sent(inquiry), Some((line, text))) => self.model.sent(line, inquiry, text),
            _ => {}
        }
        Ok(())
    }

    /// Time goes by: the terminal rings, calls are measured.
    fn tick(&mut self) -> io::Result<()> {
        let now = self.house.now();
        self.model.tick(now);
        let comes = self.house.board.calls().iter().any(|known| known.state == State::Comes);
        if !comes {
            self.rung = None;
        } else if self.rung.is_none_or(|rung| now.saturating_sub(rung) >= RING) {
            self.rung = Some(now);
            self.screen.ring()?;
        }
        if now.saturating_sub(self.measured) >= MEASURE {
            self.measured = now;
            // A phone that has ended says so itself.
            let _ = self.house.measure();
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let House { board, past, watched, .. } = &self.house;
        let now = self.house.now();
        let (model, zone, look) = (&self.model, &self.zone, self.look);
        let scene = Scene { model, board, past, watched, now, zone, look };
        self.screen.terminal.draw(|frame| {
            let area = frame.area();
            if let Some((x, y)) = view::draw(&scene, area, frame.buffer_mut()) {
                frame.set_cursor_position(Position { x, y });
            }
        })?;
        Ok(())
    }
}

/// How often meters move while there are calls.
const BUSY: Duration = Duration::from_millis(100);

/// How often the screen is looked at while there are none.
const IDLE: Duration = Duration::from_secs(1);

/// How often calls are measured.
const MEASURE: Duration = Duration::from_secs(1);

/// How often the terminal rings for a call that comes.
const RING: Duration = Duration::from_secs(3);

/// Happenings that are met before something is drawn.
const AT_ONCE: usize = 64;
