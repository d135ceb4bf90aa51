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
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Failed => 1,
            Outcome::Wrong => 2,
        })
    }
}
