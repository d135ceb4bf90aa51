//! `Standing`: what `Subscription-State` says (RFC 6665 §4.1.3, §8.2.3).

use std::fmt;
use std::time::Duration;

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It goes on for so long.
    Active {
        /// Until it ends, unless it is refreshed.
        left: Duration,
    },
    /// It is over.
    Terminated(Reason),
}

/// Why a subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its time is up, or its watcher wanted no more.
    Timeout,
    /// The notifier cannot go on; the watcher shall ask again at once.
    Deactivated,
    /// What was watched is no more.
    NoResource,
    /// The watcher may not know it any more.
    Rejected,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Whoever has a part of a second left is told 1: 0 would be over.
            Self::Active { left } => write!(f, "active;expires={}", left.as_secs().max(1)),
            Self::Terminated(reason) => write!(
                f,
                "terminated;reason={}",
                match reason {
                    Reason::Timeout => "timeout",
                    Reason::Deactivated => "deactivated",
                    Reason::NoResource => "noresource",
                    Reason::Rejected => "rejected",
                }
            ),
        }
    }
}
