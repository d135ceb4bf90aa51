//! `Refusal`: a no of ours, with what the other side needs to do better (RFC 3261 §8.2, §21.4).

use sip::{Draft, Name, Status};

/// A no of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: Status,
    pub(crate) phrase: String,
    rows: Vec<(Name, String)>,
}

impl Refusal {
    pub(crate) fn new(status: Status) -> Self {
        Self { status, phrase: status.phrase().to_owned(), rows: Vec::new() }
    }

    /// With other words than the usual.
    pub(crate) fn saying(status: Status, phrase: impl Into<String>) -> Self {
        Self { status, phrase: phrase.into(), rows: Vec::new() }
    }

    /// With a row that helps.
    pub(crate) fn with(mut self, name: Name, value: impl Into<String>) -> Self {
        self.rows.push((name, value.into()));
        self
    }

    /// Its rows, added to an answer.
    pub(crate) fn rows(&self, draft: Draft) -> Draft {
        self.rows.iter().fold(draft, |draft, (name, value)| draft.raw(*name, value.as_bytes()))
    }
}

/// For a session description that is no good: 488 with a Warning, or 400 (RFC 3261 §13.3.1.3, §20.43).
pub(crate) fn of_sdp(why: &sdp::Refusal) -> Refusal {
    let status = Status::new(why.status()).unwrap_or(Status::NOT_ACCEPTABLE_HERE);
    let refusal = match status {
        Status::NOT_ACCEPTABLE_HERE => Refusal::new(status),
        _ => Refusal::saying(status, why.to_string()),
    };
    match why.warning() {
        // The agent may be a pseudonym (RFC 3261 §20.43): it says no more than our Server header.
        Some(code) => refusal.with(Name::Warning, format!("{code} offhook \"{why}\"")),
        None => refusal,
    }
}

/// For an offer that came at the wrong time (RFC 3261 §14.2).
pub(crate) fn of_glare(glare: protocol::session::Refusal) -> Refusal {
    let refusal = Refusal::new(glare.status);
    match glare.retry_after {
        Some(seconds) => refusal.with(Name::RetryAfter, seconds.to_string()),
        None => refusal,
    }
}
