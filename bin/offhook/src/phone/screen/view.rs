//! The screen as it is drawn: accounts, calls, what was, a line to type in, keys. Everything that a colour says, a word says too.

use std::time::Duration;

use jiff::tz::TimeZone;
use phone::{CallQuality, Grade};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::super::account::user_of;
use super::super::board::{Board, Known, State, way};
use super::super::past::{PastCall, PastCalls};
use super::super::watch::What as Watch;
use super::super::watchlist::{WatchList, Watched};
use super::keys::{TABLE, address};
use super::look::{Look, clean};
use super::model::{Delivery, Mode, Model, Pane, Reception, Registration, Text, What};

/// All that is drawn.
pub(super) struct Scene<'a> {
    pub(super) model: &'a Model,
    pub(super) board: &'a Board,
    pub(super) past: &'a PastCalls,
    pub(super) watched: &'a WatchList,
    pub(super) now: Duration,
    pub(super) zone: &'a TimeZone,
    pub(super) look: Look,
}

/// Draws it. Where the line that is typed ends, if one is, there the cursor belongs.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    if area.width < NARROWEST || area.height < LOWEST {
        let text = format!("too small: {NARROWEST} columns and {LOWEST} lines, please");
        put(buffer, area, 0, Line::raw(text));
        return None;
    }
    put(buffer, area, 0, scene.title(area.width));
    let within = usize::from(area.height).saturating_sub(3);
    let rows = match scene.model.mode {
        Mode::Help => scene.help(),
        _ => scene.lists(within, area.width),
    };
    for (at, row) in (1..).zip(rows.into_iter().take(within)) {
        put(buffer, area, at, row);
    }
    let (typed, cursor) = scene.prompt(area.width);
    put(buffer, area, area.height - 2, typed);
    put(buffer, area, area.height - 1, scene.hints());
    cursor.map(|column| (area.x + column.min(area.width - 1), area.y + area.height - 2))
}

/// A line of the screen.
fn put(buffer: &mut Buffer, area: Rect, row: u16, line: Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, &line, area.width);
    }
}

impl Scene<'_> {
    fn title(&self, width: u16) -> Line<'static> {
        let by = self.model.accounts.get(self.model.line).filter(|_| self.model.accounts.len() > 1);
        let by = by.map_or(String::new(), |by| format!(", calls go out by {}", clean(&by.address)));
        let said = match &self.model.reception {
            Reception::Open => String::new(),
            Reception::DoNotDisturb => "DO NOT DISTURB".into(),
            Reception::Forward(to) => format!("FORWARDED to {}", clean(to)),
        };
        let left = format!(" Offhook phone{by}");
        let room = usize::from(width).saturating_sub(left.chars().count() + 1);
        let style = self.look.style(Color::Reset, Modifier::REVERSED);
        Line::styled(format!("{left}{said:>room$} "), style)
    }

    /// Accounts, calls, and what was, in so many rows.
    fn lists(&self, rows: usize, width: u16) -> Vec<Line<'static>> {
        let mut lines = vec![self.heading("Accounts", width)];
        let accounts = self.model.accounts.iter().enumerate().map(|(at, _)| vec![self.account(at)]);
        let some = (rows / 4).max(1);
        lines.extend(window(accounts.collect(), self.model.line, some));
        lines.push(self.heading("Calls", width));
        let chosen = self.board.calls().iter();
        let chosen = chosen.clone().position(|known| Some(known.key) == self.model.selected);
        let calls: Vec<_> =
            self.board.calls().iter().enumerate().map(|(at, known)| self.call(at, known)).collect();
        let room = rows.saturating_sub(lines.len() + 1);
        match calls.is_empty() {
            true => lines.push(Line::raw("   none: c calls somebody")),
            false => lines.extend(window(calls, chosen.unwrap_or(0), room)),
        }
        let name = match self.model.pane {
            Pane::Past => "Past calls (Tab: messages)",
            Pane::Texts => "Messages (Tab: who is watched)",
            Pane::Watched => "Watched (Tab: past calls)",
        };
        lines.push(self.heading(name, width));
        lines.extend(self.pane(rows));
        lines
    }

    /// What the lower list shows: no more of it is written than there is room for.
    fn pane(&self, rows: usize) -> Vec<Line<'static>> {
        let (skip, past, texts) = (self.model.scrolled, self.past.calls(), &self.model.texts);
        let none = || vec![Line::raw("   none")];
        match self.model.pane {
            Pane::Past if past.is_empty() => none(),
            Pane::Texts if texts.is_empty() => none(),
            Pane::Watched if self.watched.others().next().is_none() => none(),
            Pane::Past => {
                past.iter().rev().skip(skip).take(rows).map(|it| self.past_call(it)).collect()
            }
            Pane::Texts => {
                texts.iter().rev().skip(skip).take(rows).map(|it| self.text(it)).collect()
            }
            Pane::Watched => {
                let others = self.watched.others().skip(skip).take(rows);
                others.map(|(one, target, what)| self.watched(one, (target, what))).collect()
            }
        }
    }

    fn heading(&self, name: &str, width: u16) -> Line<'static> {
        let rule = self.look.rule();
        let rest = usize::from(width).saturating_sub(name.chars().count() + 4);
        let text = format!("{rule}{rule} {name} {}", rule.repeat(rest));
        Line::styled(text, self.look.style(Color::Reset, Modifier::BOLD))
    }

    fn account(&self, at: usize) -> Line<'static> {
        let Some(account) = self.model.accounts.get(at) else { return Line::default() };
        let (state, colour) = match &account.state {
            Registration::Asking => ("registering".to_owned(), Color::Yellow),
            Registration::On(since, seconds) => {
                let left =
                    u64::from(*seconds).saturating_sub((self.now.saturating_sub(*since)).as_secs());
                (format!("registered for {} min", left.div_ceil(60)), Color::Green)
            }
            Registration::Off(why) => (clean(why), Color::Red),
        };
        let (style, mark) = self.mark(at, self.model.line);
        let name = format!("{mark}{} {}", at + 1, fit(&clean(&account.address), 36));
        let state = Span::styled(state, self.look.style(colour, Modifier::empty()));
        let mut said = vec![Span::styled(name, style), state];
        let waits = self.watched.mailbox(at);
        if !waits.is_empty() {
            let bold = self.look.style(Color::Reset, Modifier::BOLD);
            said.push(Span::styled(format!(", {waits}"), bold));
        }
        Line::from(said)
    }

    /// One line, and what is measured of the chosen one.
    fn call(&self, at: usize, known: &Known) -> Vec<Line<'static>> {
        let chosen = Some(known.key) == self.model.selected;
        let (style, mark) = self.mark(Some(known.key), self.model.selected);
        let (state, since) = state(known);
        let clock = clock(self.now.saturating_sub(since.unwrap_or(known.began)));
        let by =
            match self.model.accounts.get(known.key.line).filter(|_| self.model.accounts.len() > 1)
            {
                Some(account) => format!(" by {}", user_of(&account.address)),
                None => String::new(),
            };
        let way = way(known.direction);
        let name = format!("{mark}{} {way:4} {}", at + 1, fit(&other(&known.with), 31));
        let colour = match known.state {
            State::Up(_) => Color::Green,
            _ => Color::Yellow,
        };
        let said = Span::styled(
            format!("{state} {clock}{by}"),
            self.look.style(colour, Modifier::empty()),
        );
        let mut lines = vec![Line::from(vec![Span::styled(name, style), said])];
        if chosen && known.is_up() {
            lines.extend(self.measured(known));
        }
        lines
    }

    fn measured(&self, known: &Known) -> Vec<Line<'static>> {
        let voice = self.board.voice(known.key).unwrap_or(known);
        let (spoken, heard) = voice.meter.peaks();
        let mut first = format!(
            "      we say {}  they say {}",
            self.look.meter(spoken),
            self.look.meter(heard)
        );
        if let Some(quality) = &known.quality {
            first += &format!("  {}, {}", quality.codec, quality.srtp.unwrap_or("not encrypted"));
        }
        let mut lines = vec![Line::raw(first)];
        if let Some(quality) = &known.quality {
            lines.push(Line::raw(format!("      here   {}", grade(quality.here, quality, None))));
            let there = grade(quality.there, quality, quality.round_trip);
            lines.push(Line::raw(format!("      there  {there}")));
        }
        let mut more = Vec::new();
        if !known.keys.is_empty() {
            more.push(format!("they pressed {}", known.keys));
        }
        match known.transfer {
            Some(status @ 100..=199) => more.push(format!("the transfer is on its way ({status})")),
            Some(status @ 300..) => more.push(format!("the transfer failed ({status})")),
            _ => {}
        }
        if let Some(to) = &known.referred {
            more.push(format!("they want you to call {}: y does it, d does not", clean(to)));
        }
        if !more.is_empty() {
            lines.push(Line::raw(format!("      {}", more.join("; "))));
        }
        lines
    }

    fn past_call(&self, past: &PastCall) -> Line<'static> {
        let at = past.at.to_zoned(self.zone.clone()).strftime("%m-%d %R");
        let way = way(past.direction);
        let by = match self.model.accounts.len() {
            0 | 1 => String::new(),
            _ => format!("  by {}", clean(user_of(&past.account))),
        };
        let style = match past.is_missed() {
            true => self.look.style(Color::Reset, Modifier::BOLD),
            false => Style::default(),
        };
        let with = fit(&other(&past.with), 34);
        Line::styled(format!("   {at} {way:4} {with}{}{by}", past.outcome()), style)
    }

    fn text(&self, text: &Text) -> Line<'static> {
        let (way, state) = match &text.state {
            Delivery::Received => ("from", String::new()),
            Delivery::Sent(_) => ("to  ", " (on its way)".into()),
            Delivery::Delivered => ("to  ", " (arrived)".into()),
            Delivery::Failed(why) => ("to  ", format!(" (not arrived: {})", clean(why))),
        };
        Line::raw(format!("   {way} {}: {}{state}", other(&text.with), clean(&text.text)))
    }

    fn watched(&self, one: &Watched, (target, what): (&str, Watch)) -> Line<'static> {
        let by = match self.model.accounts.get(one.line).filter(|_| self.model.accounts.len() > 1) {
            Some(account) => format!("  by {}", clean(user_of(&account.address))),
            None => String::new(),
        };
        let whom = fit(&clean(&format!("{target} {}", what.name())), 31);
        Line::raw(format!("   {whom}{}{by}", clean(&one.said)))
    }

    fn help(&self) -> Vec<Line<'static>> {
        let row = |(keys, what): &(&'static str, &'static str)| {
            let keys =
                Span::styled(format!(" {keys:20}"), self.look.style(Color::Reset, Modifier::BOLD));
            Line::from(vec![keys, Span::raw(*what)])
        };
        TABLE.iter().map(row).collect()
    }

    /// The line that is typed, or what was said last; and the column of the cursor.
    fn prompt(&self, width: u16) -> (Line<'static>, Option<u16>) {
        let label = match &self.model.mode {
            Mode::Typing(line) => {
                let label = match &line.what {
                    What::Call => "Call".to_owned(),
                    What::Transfer(_) => "Transfer to".to_owned(),
                    What::Consult(_) => "Ask first".to_owned(),
                    What::Forward => "Forward calls to".to_owned(),
                    What::Recipient => "Message to".to_owned(),
                    What::Watch => "Watch".to_owned(),
                    What::Words(to) => format!("Message to {}", clean(to)),
                };
                return typed(&format!("{label}: "), &clean(&line.text), width);
            }
            Mode::Keypad(_) => "Keys go to the other side; Esc ends it".to_owned(),
            Mode::Leaving => {
                "Calls are up: q or y hangs up and leaves, any other key stays".to_owned()
            }
            Mode::Help => "Any key ends this".to_owned(),
            Mode::Commands => self.model.notice.as_ref().map_or(String::new(), |(it, _)| clean(it)),
        };
        (Line::styled(format!(" {label}"), self.look.style(Color::Cyan, Modifier::BOLD)), None)
    }

    /// The keys that are of use now.
    fn hints(&self) -> Line<'static> {
        let chosen = self.model.selected.and_then(|key| self.board.get(key));
        let comes = self.board.calls().iter().any(|known| known.state == State::Comes);
        let text = match (&self.model.mode, chosen) {
            (Mode::Typing(_), _) => {
                "Enter does it  Esc does not  Up/Down past calls  Ctrl-U clears"
            }
            (Mode::Keypad(_), _) => "0-9 * # A-D",
            (Mode::Help | Mode::Leaving, _) => "",
            (Mode::Commands, Some(known)) if comes && known.state != State::Comes => {
                "a answer, this one waits  b busy: refuse  x hang up this one  ? all keys"
            }
            (Mode::Commands, Some(known)) if known.is_up() => {
                "x hang up  h hold  m mute  t/T transfer  C conference  0-9 keys  c call  ? all"
            }
            (Mode::Commands, _) if comes => {
                "a answer  b busy: refuse  n do not disturb  ? all keys"
            }
            (Mode::Commands, Some(_)) => "x hang up  c call  ? all keys  q leave",
            (Mode::Commands, None) => {
                "c call  r redial  s message  n do not disturb  f forward  ? all keys  q leave"
            }
        };
        Line::styled(format!(" {text}"), self.look.style(Color::Reset, Modifier::DIM))
    }

    /// How a row looks that is the chosen one, or is not.
    fn mark<T: PartialEq>(&self, row: T, chosen: T) -> (Style, &'static str) {
        match row == chosen {
            true => (self.look.style(Color::Reset, Modifier::BOLD), " > "),
            false => (Style::default(), "   "),
        }
    }
}

/// The end of a line that is too long for the screen is what is being typed.
fn typed(label: &str, text: &str, width: u16) -> (Line<'static>, Option<u16>) {
    let line = format!(" {label}{text}");
    let much = (Line::raw(&*line).width() + 1).saturating_sub(usize::from(width));
    let shown: String = line.chars().skip(much).collect();
    let column = u16::try_from(Line::raw(&*shown).width()).unwrap_or(width);
    (Line::raw(shown), Some(column))
}

/// So many rows of what there is, with the chosen one among them.
fn window(blocks: Vec<Vec<Line<'static>>>, chosen: usize, rows: usize) -> Vec<Line<'static>> {
    let before: usize = blocks.iter().take(chosen).map(Vec::len).sum();
    let own = blocks.get(chosen).map_or(0, Vec::len);
    let skip = (before + own).saturating_sub(rows).min(before);
    blocks.into_iter().flatten().skip(skip).take(rows).collect()
}

/// What a call does, and since when.
fn state(known: &Known) -> (&'static str, Option<Duration>) {
    let State::Up(since) = known.state else {
        let word = match known.state {
            State::Comes => "CALLS YOU",
            State::Rings => "it rings",
            _ => "calling",
        };
        return (word, None);
    };
    let word = match (known.holds, known.is_held, known.confers(), known.meter.is_muted()) {
        (true, true, ..) => "both wait",
        (true, false, ..) => "on hold",
        (false, true, ..) => "you are on hold",
        (false, false, true, true) => "in conference, MUTED",
        (false, false, true, false) => "in conference",
        (false, false, false, true) => "talking, MUTED",
        (false, false, false, false) => "talking",
    };
    (word, Some(since))
}

fn grade(grade: Option<Grade>, quality: &CallQuality, round_trip: Option<Duration>) -> String {
    let Some(grade) = grade else {
        return if quality.received == 0 { "nothing heard yet" } else { "no report yet" }.into();
    };
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let there_and_back =
        round_trip.map_or(String::new(), |time| format!(", there and back {:.0} ms", ms(time)));
    format!(
        "{:.1} % lost, jitter {:.1} ms, MOS {:.2}{there_and_back}",
        f64::from(grade.loss) / 10.0,
        ms(grade.jitter),
        f64::from(grade.mos) / 100.0
    )
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// The other side: the address, which is harder to make up, before the name.
fn other(with: &str) -> String {
    let place = address(with);
    let name = with.split_once('<').map_or("", |(name, _)| name).trim();
    let place = place.strip_prefix("sip:").unwrap_or(place);
    clean(&if name.is_empty() { place.to_owned() } else { format!("{place} {name}") })
}

/// Exactly so many columns, and a space.
fn fit(text: &str, columns: usize) -> String {
    // Some letters take no column: a few of them for each.
    let mut shown: String = text.chars().take(columns * 4).collect();
    while Line::raw(&*shown).width() > columns {
        shown.pop();
    }
    let pad = columns.saturating_sub(Line::raw(&*shown).width());
    format!("{shown}{} ", " ".repeat(pad))
}

/// Less is no screen for people.
const NARROWEST: u16 = 40;
const LOWEST: u16 = 10;
