//! `Fault`: a mistake in the file, with its place and what was probably meant.

/// Octets of the file, from `start` up to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// The first octet.
    pub start: usize,
    /// The octet after the last.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end.max(range.start) }
    }
}

/// A value and where it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

/// A mistake in the file.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub what: String,
    /// What to do instead: "did you mean `realm`?".
    pub hint: String,
    /// The text at `span` may be a secret: the offending line is shown without it.
    pub hidden: bool,
}

impl Fault {
    /// A mistake whose text may be shown.
    pub(super) fn new(span: Span, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { span, what: what.into(), hint: hint.into(), hidden: false }
    }

    /// A mistake whose text may be a secret.
    pub(super) fn hidden(span: Span, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hidden: true, ..Self::new(span, what, hint) }
    }
}

/// The mistakes found so far, and what is legal but unwise.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The file is refused because of these.
    pub faults: Vec<Fault>,
    /// It is accepted with these.
    pub warnings: Vec<Fault>,
}

impl Faults {
    /// The file is refused.
    pub(super) fn refuse(&mut self, span: Span, what: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(Fault::new(span, what, hint));
    }

    /// The file is refused; the text at `span` must not be shown.
    pub(super) fn refuse_hidden(
        &mut self,
        span: Span,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.faults.push(Fault::hidden(span, what, hint));
    }

    /// The file is accepted, but.
    pub(super) fn warn(&mut self, span: Span, what: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Fault::hidden(span, what, hint));
    }
}
