//! `Ladder`: lifelines and the rungs between them.

use machine::Time;

use crate::clean::clean;
use crate::{Look, Printer, limits};

/// Who took part, and what happened between them, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    names: Vec<String>,
    rungs: Vec<Rung>,
    omitted: usize,
}

/// One who takes part: the number of its column, from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifeline(pub usize);

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// When.
    pub at: Time,
    /// What.
    pub step: Step,
    /// A word about it, for the reader.
    pub note: Option<String>,
}

/// What can happen on a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something is sent.
    Arrow {
        /// Who sends it.
        from: Lifeline,
        /// To whom.
        to: Lifeline,
        /// What it is, in a few words: `INVITE`, `180 Ringing`.
        label: String,
        /// Its colour.
        tone: Tone,
        /// Whether it got there.
        arrival: Arrival,
    },
    /// Something happens to one alone: a timer fires, a phone rings.
    Remark {
        /// To whom.
        at: Lifeline,
        /// What.
        text: String,
    },
    /// Media flows from here on, or did until here.
    Media {
        /// One end.
        a: Lifeline,
        /// The other.
        b: Lifeline,
        /// What flows: `RTP PCMU, tone heard`.
        label: String,
        /// Which way.
        way: Way,
    },
    /// One is put on hold: its lifeline is dotted from here.
    Hold(Lifeline),
    /// It is back.
    Resume(Lifeline),
    /// A chapter begins.
    Caption(String),
}

/// Whether an arrow got there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It did.
    Arrived,
    /// It got lost on the way.
    Lost,
}

/// Which way media flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both ways.
    Both,
    /// From the first to the second only.
    Forth,
    /// From the second to the first only.
    Back,
}

/// The colour of an arrow: what it means at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// Somebody wants something.
    Request,
    /// It is going to take a while (1xx).
    Provisional,
    /// It is done (2xx).
    Success,
    /// Try elsewhere (3xx), or with a credential (401, 407).
    Detour,
    /// It failed (4xx, 5xx, 6xx).
    Failure,
}

impl Tone {
    /// That of a response with this status (RFC 3261 §21); a challenge is no failure.
    pub const fn of_status(status: u16) -> Self {
        match status {
            100..=199 => Self::Provisional,
            200..=299 => Self::Success,
            300..=399 | 401 | 407 => Self::Detour,
            _ => Self::Failure,
        }
    }
}

impl Ladder {
    /// Adds a participant at the right. Beyond [`limits::LIFELINES`] all share the last column.
    pub fn lifeline(&mut self, name: &str) -> Lifeline {
        if self.names.len() < limits::LIFELINES {
            self.names.push(clean(name));
        }
        Lifeline(self.names.len() - 1)
    }

    /// The participant of that name, added if it is new.
    pub fn find(&mut self, name: &str) -> Lifeline {
        let cleaned = clean(name);
        match self.names.iter().position(|known| *known == cleaned) {
            Some(column) => Lifeline(column),
            None => self.lifeline(name),
        }
    }

    /// Adds what happened next.
    pub fn push(&mut self, rung: Rung) {
        if self.rungs.len() < limits::RUNGS {
            self.rungs.push(rung);
        } else {
            self.omitted += 1;
        }
    }

    /// Adds an arrow that arrives.
    pub fn arrow(&mut self, at: Time, from: Lifeline, to: Lifeline, label: &str, tone: Tone) {
        self.push(Rung::arrow(at, from, to, label, tone));
    }

    /// The names of the participants, from the left.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What happened, in order.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// How many rungs did not fit.
    pub const fn omitted(&self) -> usize {
        self.omitted
    }

    /// The whole ladder as text.
    pub fn text(&self, look: Look) -> String {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut printer = Printer::new(look, &names);
        let mut text = printer.head();
        for rung in &self.rungs {
            text.push_str(&printer.rung(rung));
        }
        if self.omitted > 0 {
            text.push_str(&format!("... and {} more\n", self.omitted));
        }
        text.push_str(&printer.foot());
        text
    }
}

impl Rung {
    /// Something that happens, without a note.
    pub const fn new(at: Time, step: Step) -> Self {
        Self { at, step, note: None }
    }

    /// An arrow that arrives.
    pub fn arrow(at: Time, from: Lifeline, to: Lifeline, label: &str, tone: Tone) -> Self {
        let (label, arrival) = (label.to_owned(), Arrival::Arrived);
        Self::new(at, Step::Arrow { from, to, label, tone, arrival })
    }

    /// The same arrow, lost on the way; anything else stays as it is.
    #[must_use]
    pub fn lost(mut self) -> Self {
        if let Step::Arrow { arrival, .. } = &mut self.step {
            *arrival = Arrival::Lost;
        }
        self
    }

    /// With a word for the reader.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }
}
