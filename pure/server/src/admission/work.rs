//! `Work`: what it takes to begin something, beside what it takes to refuse it.

use memchr::memchr;
use sip::{Message, Method};

/// What it takes to begin something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Much more than to read it: to an INVITE belong a dozen messages more, and whoever is answered late has given up.
    Much,
    /// A response, as to refuse it would: a registration, or whether we are there. So what is read is answered, and late is better than
    /// not at all.
    Answer,
}

/// What one takes that is begun.
pub(crate) const WHOLE: u64 = 80;

impl Work {
    /// What a request would take. An OPTIONS that names nobody asks us: neighbours do to see whether we live, and whoever gets no
    /// answer sends all that it has to others.
    pub(crate) fn of(request: &Message) -> Self {
        let names_nobody = || memchr(b'@', request.request_uri().unwrap_or_default()).is_none();
        match request.method() {
            Some(Method::Register) => Self::Answer,
            Some(Method::Options) if names_nobody() => Self::Answer,
            _ => Self::Much,
        }
    }

    /// How much of a turn it takes. As many are answered as streams bring in one: what is read and waits is refused too late.
    pub(crate) const fn share(self) -> u32 {
        match self {
            Self::Much => 96,
            Self::Answer => 1,
        }
    }

    /// What it takes to refuse it in words, in parts of the whole.
    pub(crate) const fn words(self) -> u64 {
        match self {
            Self::Much => WHOLE / 5,
            Self::Answer => WHOLE,
        }
    }

    /// What it takes to read it for nothing, in parts of the whole.
    pub(crate) const fn silence(self) -> u64 {
        match self {
            Self::Much => WHOLE / 16,
            Self::Answer => WHOLE / 2,
        }
    }

    /// To how many that are begun belongs one that is refused in words.
    pub(crate) const fn to_one_word(self) -> u32 {
        match self {
            Self::Much => 4,
            Self::Answer => 16,
        }
    }
}
