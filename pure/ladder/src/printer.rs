//! `Printer`: draws a ladder as text, line by line, as it happens.

use std::collections::BTreeSet;

use machine::Time;

use crate::clean::{clean, fit, width, wrap};
use crate::row::{Ink, Row};
use crate::{Arrival, Clock, Glyphs, Lifeline, Look, Rung, Step, Tone, Way, limits};

/// Prints rungs. Its columns are fixed from the start, so what is printed stays.
#[derive(Clone, Debug)]
pub struct Printer {
    look: Look,
    names: Vec<String>,
    /// Cells between two lifelines; `None` when the line is too narrow, and the ladder becomes a list.
    gap: Option<usize>,
    left: usize,
    start: Option<Time>,
    held: BTreeSet<usize>,
}

/// The characters that lines are made of.
struct Strokes {
    lifeline: char,
    held: char,
    shaft: char,
    cross: char,
    right: char,
    left: char,
    lost: char,
    media: char,
    turn: char,
}

const ASCII: Strokes = Strokes {
    lifeline: '|',
    held: ':',
    shaft: '-',
    cross: '+',
    right: '>',
    left: '<',
    lost: 'x',
    media: '=',
    turn: '*',
};

const UNICODE: Strokes = Strokes {
    lifeline: '│',
    held: '┊',
    shaft: '─',
    cross: '┼',
    right: '▶',
    left: '◀',
    lost: '✗',
    media: '═',
    turn: '•',
};

/// An arrow or a bar, from the left to the right.
struct Span<'a> {
    from: usize,
    to: usize,
    label: &'a str,
    shaft: char,
    /// What stands at its left and at its right end.
    heads: (Option<char>, Option<char>),
    ink: Ink,
}

impl Printer {
    /// Prints these participants, from the left.
    pub fn new(look: Look, names: &[&str]) -> Self {
        let names: Vec<String> =
            names.iter().take(limits::LIFELINES).map(|name| clean(name)).collect();
        let left = if look.clock == Clock::Shown { limits::CLOCK } else { 0 };
        let look = Look { width: look.width.min(limits::WIDTH), ..look };
        let gap = look.width.saturating_sub(left).checked_div(names.len()).unwrap_or_default();
        let gap = (gap >= limits::GAP_MIN).then_some(gap.min(limits::GAP_MAX));
        Self { look, names, gap, left, start: None, held: BTreeSet::new() }
    }

    /// The names of the participants, over their lifelines.
    pub fn head(&self) -> String {
        let Some(gap) = self.gap else { return String::new() };
        let mut row = Row::default();
        for (column, name) in self.names.iter().enumerate() {
            let name = fit(name, gap - 2);
            let start = self.x(column).saturating_sub(width(&name) / 2);
            row.write(start, &name, Ink::Bold, self.look.glyphs);
        }
        row.finish(self.look.paint) + &self.lifelines().finish(self.look.paint)
    }

    /// What happened, on one line or a few.
    pub fn rung(&mut self, rung: &Rung) -> String {
        let start = *self.start.get_or_insert(rung.at);
        let clock = self.clock(rung.at, start);
        let note = rung.note.as_deref().map(clean);
        if let Step::Caption(text) = &rung.step {
            return self.caption(&clean(text)) + &self.notes(note);
        }
        if self.gap.is_none() {
            return self.listed(rung, &clock, note);
        }
        let mut rows = self.rows(&rung.step);
        let (beside, below) = self.place(note, &rung.step);
        if let Some(row) = rows.last_mut() {
            row.write(0, &clock, Ink::Faint, self.look.glyphs);
            row.write(self.beside(), &beside.unwrap_or_default(), Ink::Faint, self.look.glyphs);
        }
        let text: String = rows.into_iter().map(|row| row.finish(self.look.paint)).collect();
        text + &self.notes(below)
    }

    /// The end of the lifelines.
    pub fn foot(&self) -> String {
        if self.gap.is_some() { self.lifelines().finish(self.look.paint) } else { String::new() }
    }

    fn rows(&mut self, step: &Step) -> Vec<Row> {
        let strokes = self.strokes();
        match step {
            Step::Arrow { from, to, label, .. } if self.column(*from) == self.column(*to) => {
                self.remark(*from, label, strokes.turn)
            }
            Step::Arrow { from, to, label, tone, arrival } => {
                self.arrow((self.column(*from), self.column(*to)), label, *tone, *arrival)
            }
            Step::Remark { at, text } => self.remark(*at, text, strokes.turn),
            Step::Media { a, b, label, way } => {
                self.media((self.column(*a), self.column(*b)), label, *way)
            }
            Step::Hold(line) => {
                self.held.insert(self.column(*line));
                self.remark(*line, "on hold", strokes.held)
            }
            Step::Resume(line) => {
                self.held.remove(&self.column(*line));
                self.remark(*line, "back", strokes.lifeline)
            }
            Step::Caption(_) => Vec::new(),
        }
    }

    fn arrow(
        &self,
        (from, to): (usize, usize),
        label: &str,
        tone: Tone,
        arrival: Arrival,
    ) -> Vec<Row> {
        let strokes = self.strokes();
        let (x, y) = (self.x(from), self.x(to));
        let forth = from < to;
        let (mut left, mut right) = (x.min(y) + 1, x.max(y));
        let ink = if arrival == Arrival::Lost { Ink::Red } else { ink(tone) };
        let head = match (arrival, forth) {
            (Arrival::Lost, _) => strokes.lost,
            (Arrival::Arrived, true) => strokes.right,
            (Arrival::Arrived, false) => strokes.left,
        };
        if arrival == Arrival::Lost {
            // It ends short of where it was going.
            let short = (right - left) / 5;
            if forth { right -= short } else { left += short }
        }
        let heads = if forth { (None, Some(head)) } else { (Some(head), None) };
        self.span(&Span { from: left, to: right, label, shaft: strokes.shaft, heads, ink })
    }

    fn media(&self, (a, b): (usize, usize), label: &str, way: Way) -> Vec<Row> {
        let strokes = self.strokes();
        let way = match way {
            Way::Forth if a > b => Way::Back,
            Way::Back if a > b => Way::Forth,
            way => way,
        };
        let (x, y) = (self.x(a.min(b)), self.x(a.max(b)));
        if x == y {
            return self.remark(Lifeline(a), label, strokes.media);
        }
        let left = (way != Way::Forth).then_some(strokes.left);
        let right = (way != Way::Back).then_some(strokes.right);
        let heads = (left, right);
        self.span(&Span { from: x + 1, to: y, label, shaft: strokes.media, heads, ink: Ink::Blue })
    }

    /// The label stands in the shaft if there is room for it, else above.
    fn span(&self, span: &Span<'_>) -> Vec<Row> {
        let label = clean(span.label);
        let mut row = self.lifelines();
        let cross = |at: &usize| self.columns().any(|x| x == *at);
        row.line(span.from, span.to, span.shaft, span.ink);
        for at in (span.from..span.to).filter(cross) {
            row.put(at, self.strokes().cross, span.ink);
        }
        let (left, right) = span.heads;
        if let Some(head) = left {
            row.put(span.from, head, span.ink);
        }
        if let Some(head) = right {
            row.put(span.to.saturating_sub(1), head, span.ink);
        }
        let room = span.to.saturating_sub(span.from);
        let cells = width(&label);
        if label.is_empty() {
            return vec![row];
        }
        if cells + 5 <= room {
            // Off the middle by the head, so that some shaft is seen before it.
            let spare = room - cells;
            let start = span.from + if left.is_some() { spare.div_ceil(2) } else { spare / 2 };
            row.write(start - 1, &format!(" {label} "), span.ink, self.look.glyphs);
            return vec![row];
        }
        let mut above = self.lifelines();
        let start = span.from + 1;
        let label = fit(&label, self.look.width.saturating_sub(start));
        above.write(start, &format!("{label} "), span.ink, self.look.glyphs);
        vec![above, row]
    }

    fn remark(&self, at: Lifeline, text: &str, sign: char) -> Vec<Row> {
        let (mut row, x) = (self.lifelines(), self.x(self.column(at)));
        let text = clean(text);
        row.put(x, sign, Ink::Bold);
        let room = self.look.width.saturating_sub(x + 2);
        // At the right edge there is no room: it stands to the left of its lifeline.
        if width(&text) > room && x > width(&text) + self.left + 2 {
            row.write(x - width(&text) - 2, &format!(" {text} "), Ink::Plain, self.look.glyphs);
        } else {
            row.write(x + 1, &format!(" {} ", fit(&text, room)), Ink::Plain, self.look.glyphs);
        }
        vec![row]
    }

    fn caption(&self, text: &str) -> String {
        let mut row = Row::default();
        let shaft = self.strokes().shaft;
        let text = fit(text, self.look.width.saturating_sub(8));
        row.line(0, 3, shaft, Ink::Faint);
        row.write(4, &text, Ink::Bold, self.look.glyphs);
        row.line(5 + width(&text), self.look.width, shaft, Ink::Faint);
        row.finish(self.look.paint)
    }

    /// A note that found no room beside its rung stands below it.
    fn notes(&self, note: Option<String>) -> String {
        let start = if self.gap.is_some() { self.x(0) + 2 } else { self.left + 2 };
        let room = self.look.width.saturating_sub(start);
        let lines = note.map(|note| wrap(&note, room)).unwrap_or_default();
        let rows = lines.iter().map(|line| {
            let mut row = if self.gap.is_some() { self.lifelines() } else { Row::default() };
            row.write(start, &format!("{line} "), Ink::Faint, self.look.glyphs);
            row.finish(self.look.paint)
        });
        rows.collect()
    }

    /// A rung without lifelines: `0.120  alice -> server: INVITE`.
    fn listed(&self, rung: &Rung, clock: &str, note: Option<String>) -> String {
        let name = |line: &Lifeline| self.names.get(line.0).map_or("?", String::as_str);
        let line = match &rung.step {
            Step::Arrow { from, to, label, arrival, .. } => {
                let sign = if *arrival == Arrival::Lost { "-x" } else { "->" };
                format!("{} {sign} {}: {}", name(from), name(to), clean(label))
            }
            Step::Media { a, b, label, way } => {
                let sign = match way {
                    Way::Both => "<=>",
                    Way::Forth => "=>",
                    Way::Back => "<=",
                };
                format!("{} {sign} {}: {}", name(a), name(b), clean(label))
            }
            Step::Remark { at, text } => format!("{}: {}", name(at), clean(text)),
            Step::Hold(line) => format!("{}: on hold", name(line)),
            Step::Resume(line) => format!("{}: back", name(line)),
            Step::Caption(text) => clean(text),
        };
        let room = self.look.width.saturating_sub(self.left + 2);
        let mut text = String::new();
        for (nth, line) in wrap(&line, room).iter().enumerate() {
            let mut row = Row::default();
            if nth == 0 {
                row.write(0, clock, Ink::Faint, self.look.glyphs);
            }
            let indent = if nth == 0 { 0 } else { 2 };
            row.write(self.left + indent, line, Ink::Plain, self.look.glyphs);
            text.push_str(&row.finish(self.look.paint));
        }
        text + &self.notes(note)
    }

    fn clock(&self, at: Time, start: Time) -> String {
        if self.look.clock == Clock::Hidden {
            return String::new();
        }
        let millis = (at - start).as_millis();
        let text = format!("{}.{:03}", millis / 1000, millis % 1000);
        format!("{text:>9}")
    }

    /// Where a note goes: beside the rung if there is room, which a remark may need itself; else below.
    fn place(&self, note: Option<String>, step: &Step) -> (Option<String>, Option<String>) {
        let free = match step {
            Step::Arrow { from, to, .. } => self.column(*from) != self.column(*to),
            Step::Media { a, b, .. } => self.column(*a) != self.column(*b),
            _ => false,
        };
        let room = self.look.width.saturating_sub(self.beside());
        let fits = free && note.as_deref().is_some_and(|note| width(note) <= room);
        if fits { (note, None) } else { (None, note) }
    }

    /// The first cell right of the lifelines that is free for notes.
    fn beside(&self) -> usize {
        self.names.len().checked_sub(1).map_or(0, |column| self.x(column) + 3)
    }

    fn lifelines(&self) -> Row {
        let (mut row, strokes) = (Row::default(), self.strokes());
        for (column, x) in self.columns().enumerate() {
            let held = self.held.contains(&column);
            row.put(x, if held { strokes.held } else { strokes.lifeline }, Ink::Faint);
        }
        row
    }

    fn columns(&self) -> impl Iterator<Item = usize> {
        (0..self.names.len()).map(|column| self.x(column))
    }

    /// A lifeline that nobody added is drawn as the last.
    fn column(&self, line: Lifeline) -> usize {
        line.0.min(self.names.len().saturating_sub(1))
    }

    const fn x(&self, column: usize) -> usize {
        let gap = match self.gap {
            Some(gap) => gap,
            None => 0,
        };
        self.left + gap / 2 + column * gap
    }

    const fn strokes(&self) -> Strokes {
        match self.look.glyphs {
            Glyphs::Ascii => ASCII,
            Glyphs::Unicode => UNICODE,
        }
    }
}

const fn ink(tone: Tone) -> Ink {
    match tone {
        Tone::Plain => Ink::Plain,
        Tone::Request => Ink::Cyan,
        Tone::Provisional => Ink::Yellow,
        Tone::Success => Ink::Green,
        Tone::Detour => Ink::Blue,
        Tone::Failure => Ink::Red,
    }
}
