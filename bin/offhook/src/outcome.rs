//! `Outcome`: how a command ended, and its exit code.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was told: exit code 0.
    Fine,
    /// It tried and failed: exit code 1.
    Failed,
    /// It was told something wrong, on the command line or in a file: exit code 2.
    Wrong,
    /// A call: the other side is busy. Exit code 3.
    Busy,
    /// A call: nobody picked up. Exit code 4.
    Unanswered,
    /// A call: it was refused. Exit code 5.
    Refused,
    /// Whoever was wanted, or the server, cannot be reached. Exit code 6.
    Unreachable,
    /// The server does not take the password. Exit code 7.
    Unproven,
    /// A call: no sound can be agreed on. Exit code 8.
    Soundless,
}

impl Outcome {
    /// What the end of a call or of a registration comes to, by its status.
    pub const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Fine,
            486 | 600 => Self::Busy,
            480 | 487 => Self::Unanswered,
            408 | 404 | 410 | 502..=504 | 604 => Self::Unreachable,
            401 | 407 => Self::Unproven,
            415 | 488 | 606 => Self::Soundless,
            300..=699 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Failed => 1,
            Outcome::Wrong => 2,
            Outcome::Busy => 3,
            Outcome::Unanswered => 4,
            Outcome::Refused => 5,
            Outcome::Unreachable => 6,
            Outcome::Unproven => 7,
            Outcome::Soundless => 8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_tell_why_nobody_talked() {
        for (status, outcome) in [
            (200, Outcome::Fine),
            (486, Outcome::Busy),
            (480, Outcome::Unanswered),
            (603, Outcome::Refused),
            (403, Outcome::Refused),
            (503, Outcome::Unreachable),
            (407, Outcome::Unproven),
            (488, Outcome::Soundless),
            (0, Outcome::Failed),
        ] {
            assert_eq!(Outcome::of(status), outcome, "{status}");
        }
    }
}
