//! Mistakes as they are printed: `file:line:column`, what is wrong, the line with a caret, what was meant.

use std::fmt;

use super::fault::{Fault, Faults, Span};
use super::hide::{self, Marked};
use crate::limits;
use crate::log::{Log, Value};

/// The file, for quoting it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// Something about the file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The file.
    pub file: String,
    /// Line and column, both from 1; columns are characters. `None` when it is about the whole file.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to do instead; may be empty.
    pub hint: String,
    /// The line as it may be shown, and the marked columns, from 0.
    quote: Option<(String, std::ops::Range<usize>)>,
}

impl Notice {
    fn new(source: Source<'_>, fault: &Fault) -> Self {
        let at = |offset: usize| {
            (0..=offset.min(source.text.len())).rev().find(|at| source.text.is_char_boundary(*at))
        };
        let start = at(fault.span.start).unwrap_or_default();
        let before = source.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = source.text.get(line_start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        let start = start.saturating_sub(line_start).min(line.len());
        let column = line.get(..start).unwrap_or_default().chars().count() + 1;
        let end = fault.span.end.saturating_sub(line_start).min(line.len()).max(start);
        let mistake = if fault.hidden { Marked::Hidden } else { Marked::Shown };
        let quote = hide::printed(line, start..end, mistake, limits::LINE_SHOWN);
        Self {
            file: source.name.to_owned(),
            place: Some((number, column)),
            what: fault.what.clone(),
            hint: fault.hint.clone(),
            quote: Some(quote),
        }
    }

    /// `file:line:column`
    pub fn location(&self) -> String {
        match self.place {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }
}

impl Notice {
    /// Writes it to the log.
    pub fn log(&self, log: Log, event: &str) {
        let location = self.location();
        let fields = [
            ("place", Value::from(&location)),
            ("what", (&self.what).into()),
            ("hint", (&self.hint).into()),
        ];
        match event {
            "config_warning" => log.warning(event, &fields),
            _ => log.error(event, &fields),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.location(), self.what)?;
        let (Some((line, _)), Some((text, marked))) = (self.place, &self.quote) else {
            return Ok(());
        };
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(marked.start);
        let carets = "^".repeat(marked.len());
        writeln!(f, "{number} | {}", text.trim_end())?;
        writeln!(f, "{}", format!("{margin} | {indent}{carets} {}", self.hint).trim_end())
    }
}

/// Why a file was refused: at least one mistake, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The mistakes that are shown.
    pub notices: Vec<Notice>,
    /// How many more there are.
    pub more: usize,
}

impl Mistakes {
    pub(super) fn of(source: Source<'_>, faults: &mut Faults) -> Self {
        faults.faults.sort_by_key(|fault| fault.span.start);
        let shown = faults.faults.iter().take(limits::MISTAKES_SHOWN);
        Self {
            notices: shown.map(|fault| Notice::new(source, fault)).collect(),
            more: faults.faults.len().saturating_sub(limits::MISTAKES_SHOWN),
        }
    }

    /// A mistake that is in no file.
    pub(crate) fn of_nothing(what: String) -> Self {
        Self::unreadable("offhook", what)
    }

    pub(super) fn unreadable(name: &str, what: String) -> Self {
        let notice =
            Notice { file: name.to_owned(), place: None, what, hint: String::new(), quote: None };
        Self { notices: vec![notice], more: 0 }
    }

    /// The octet at `valid` is not UTF-8.
    pub(super) fn not_text(name: &str, valid: usize, bytes: &[u8]) -> Self {
        let before = bytes.get(..valid).map(String::from_utf8_lossy).unwrap_or_default();
        let octet = bytes.get(valid).copied().unwrap_or_default();
        let what = format!("octet 0x{octet:02x} is not UTF-8");
        let hint = "save the file as UTF-8";
        let fault = Fault::hidden(Span { start: valid, end: valid }, what, hint);
        Self { notices: vec![Notice::new(Source { name, text: &before }, &fault)], more: 0 }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for notice in &self.notices {
            notice.fmt(f)?;
        }
        if self.more > 0 {
            writeln!(f, "… and {} more", self.more)?;
        }
        Ok(())
    }
}

/// The warnings of a file that is accepted.
pub(super) fn notices(source: Source<'_>, faults: &mut Faults) -> Vec<Notice> {
    faults.warnings.sort_by_key(|fault| fault.span.start);
    faults
        .warnings
        .iter()
        .take(limits::MISTAKES_SHOWN)
        .map(|fault| Notice::new(source, fault))
        .collect()
}

/// A mistake that makes the file no TOML.
pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Fault {
    // Without a place it is the end of the file.
    let span = error.span().map_or(Span { start: text.len(), end: text.len() }, Span::from);
    let (what, hint) = error.message().split_once(", expected ").unwrap_or((error.message(), ""));
    let hint = if hint.is_empty() { String::new() } else { format!("expected {hint}") };
    Fault::hidden(span, what, hint)
}
