//! `Row`: one line of text, cell by cell.

use crate::clean::{cells, spell};
use crate::{Glyphs, Paint};

/// The colour of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ink {
    #[default]
    Plain,
    Faint,
    Bold,
    Red,
    Green,
    Yellow,
    Blue,
    Cyan,
}

impl Ink {
    /// The SGR parameter (ECMA-48 §8.3.117).
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Faint => "2",
            Self::Bold => "1",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Cyan => "36",
        }
    }

    /// The sequence that changes to it.
    fn after(self, before: Self) -> String {
        let reset = if before == Self::Plain || self == Self::Plain { "" } else { "\x1b[0m" };
        format!("{reset}\x1b[{}m", self.code())
    }
}

/// Cells that are written on in any order. `None` is the second half of a wide character.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row(Vec<(Option<char>, Ink)>);

impl Row {
    pub(crate) fn put(&mut self, at: usize, c: char, ink: Ink) {
        self.put_cell(at, Some(c), ink);
    }

    fn put_cell(&mut self, at: usize, c: Option<char>, ink: Ink) {
        while self.0.len() <= at {
            self.0.push((Some(' '), Ink::Plain));
        }
        if let Some(cell) = self.0.get_mut(at) {
            *cell = (c, ink);
        }
    }

    pub(crate) fn line(&mut self, from: usize, to: usize, c: char, ink: Ink) {
        for at in from..to {
            self.put(at, c, ink);
        }
    }

    pub(crate) fn write(&mut self, mut at: usize, text: &str, ink: Ink, glyphs: Glyphs) {
        for c in text.chars().map(|c| spell(c, glyphs)) {
            self.put(at, c, ink);
            if cells(c) == 2 {
                self.put_cell(at + 1, None, ink);
            }
            at += cells(c);
        }
    }

    /// The line with its end, without blanks before it.
    pub(crate) fn finish(mut self, paint: Paint) -> String {
        while self.0.last().is_some_and(|(c, _)| *c == Some(' ')) {
            self.0.pop();
        }
        let (mut text, mut ink) = (String::with_capacity(self.0.len() + 1), Ink::Plain);
        for (c, wanted) in self.0 {
            if wanted != ink && paint == Paint::Ansi && c != Some(' ') {
                text.push_str(&wanted.after(ink));
                ink = wanted;
            }
            text.extend(c);
        }
        if ink != Ink::Plain {
            text.push_str("\x1b[0m");
        }
        text.push('\n');
        text
    }
}
