//! What event packages tell: messages that wait, who is there, who talks with whom, who is in a conference.
//!
//! Bodies come from strangers. Each reader takes at most [`limits::BODY`](crate::limits::BODY) octets and knows what else it does not take
//! ([`limits`](crate::limits)); what it cannot read is an error, and what it does not know is left out.

mod conference;
mod dialogs;
mod messages;
mod presence;
mod xml;

use std::fmt;

pub use conference::{Conference, Member};
pub use dialogs::{Dialogs, Talk, TalkState};
pub use messages::{Class, Messages};
pub use presence::{Basic, Presence, Tuple};

/// Something that can be watched (RFC 6665).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// Messages that wait for somebody (RFC 3842).
    Messages,
    /// Whether somebody is there (RFC 3856).
    Presence,
    /// Whether somebody talks, and with whom (RFC 4235).
    Dialogs,
    /// Who is in a conference (RFC 4575).
    Conference,
}

impl Package {
    /// The name of the package, the body that it has, and for how many seconds it is watched at a time.
    const fn terms(self) -> (&'static str, &'static str, u32) {
        match self {
            Self::Messages => ("message-summary", "application/simple-message-summary", 3600),
            Self::Presence => ("presence", "application/pidf+xml", 3600),
            Self::Dialogs => ("dialog", "application/dialog-info+xml", 3600),
            Self::Conference => ("conference", "application/conference-info+xml", 3600),
        }
    }

    /// The name in Event.
    pub const fn name(self) -> &'static str {
        self.terms().0
    }

    /// The type of its bodies.
    pub const fn accept(self) -> &'static str {
        self.terms().1
    }

    pub(crate) const fn expires(self) -> u32 {
        self.terms().2
    }

    /// True when many may tell of it, each for itself: every phone of somebody has calls (RFC 4235 §3.9, RFC 3842 §3.9). Whether somebody is there
    /// one says for all (RFC 3856 §6.9), and a conference has one focus.
    pub(crate) const fn is_of_many(self) -> bool {
        matches!(self, Self::Messages | Self::Dialogs)
    }

    /// The number of a document, and whether it says everything; nothing, where documents always do.
    pub(crate) fn edition(self, body: &[u8]) -> Option<(u32, bool)> {
        match self {
            Self::Dialogs => Dialogs::read(body).ok().map(|told| (told.version, told.is_whole)),
            Self::Conference => {
                let told = Conference::read(body).ok()?;
                told.version.map(|version| (version, told.is_whole))
            }
            Self::Messages | Self::Presence => None,
        }
    }
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
