//! `Look`: how a ladder is drawn as text.

/// With which characters, colours and width, and whether with the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which characters.
    pub glyphs: Glyphs,
    /// Whether with colours.
    pub paint: Paint,
    /// Whether with the time.
    pub clock: Clock,
    /// Cells of a line.
    pub width: usize,
}

/// Which characters lines are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// `|`, `-`, `>`: for every terminal and every diff.
    Ascii,
    /// `│`, `─`, `▶`.
    Unicode,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text alone.
    Plain,
    /// ANSI colours (ECMA-48 SGR): the 16 that every theme makes readable.
    Ansi,
}

/// Whether each rung tells its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Seconds since the first rung.
    Shown,
    /// No time: for a ladder that must not depend on it.
    Hidden,
}

impl Look {
    /// For tests: plain ASCII, 100 cells wide, with the time.
    pub const GOLDEN: Self =
        Self { glyphs: Glyphs::Ascii, paint: Paint::Plain, clock: Clock::Shown, width: 100 };

    /// For a terminal of that many cells.
    pub const fn terminal(width: usize) -> Self {
        Self { glyphs: Glyphs::Unicode, paint: Paint::Ansi, clock: Clock::Shown, width }
    }
}
