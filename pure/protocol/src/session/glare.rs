//! Whose INVITE is under way in a dialog, and what happens when both ask at once (RFC 3261 §14.1, §14.2; UPDATE: RFC 3311 §5.2).

use std::time::Duration;

use machine::Dice;
use sip::Status;

/// The offers of one dialog: one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// None is under way.
    Quiet,
    /// We asked, and wait for the answer.
    Ours,
    /// They asked; we have not answered, or our 2xx is not acknowledged.
    Theirs,
}

/// A no to an INVITE or UPDATE that comes at the wrong time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 491 or 500.
    pub status: Status,
    /// With a 500: the seconds to wait.
    pub retry_after: Option<u64>,
}

impl Traffic {
    /// Whether an INVITE or UPDATE of the other side may come now (RFC 3261 §14.2).
    pub fn refuse(self, dice: &mut Dice) -> Option<Refusal> {
        match self {
            Self::Quiet => None,
            Self::Ours => Some(Refusal { status: Status::REQUEST_PENDING, retry_after: None }),
            Self::Theirs => Some(Refusal {
                status: Status::SERVER_INTERNAL_ERROR,
                retry_after: Some(dice.below(11)),
            }),
        }
    }
}

/// Whether we chose the Call-ID of the dialog. Both sides wait for different times, so that they do not meet again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// We called.
    Us,
    /// They called.
    Them,
}

/// How long to wait after a 491 before asking again: 2.1–4 s for the owner of the Call-ID, 0–2 s for the other, in steps of 10 ms
/// (RFC 3261 §14.1).
pub fn retry_after_glare(owner: Owner, dice: &mut Dice) -> Duration {
    let steps = match owner {
        Owner::Us => 210_u64.saturating_add(dice.below(191)),
        Owner::Them => dice.below(201),
    };
    Duration::from_millis(steps.saturating_mul(10))
}
