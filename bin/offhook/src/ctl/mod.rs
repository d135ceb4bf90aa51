//! `offhook ctl`: questions about a server. A new one is a file with `Arguments` and `run`, and two lines here.

pub mod explain;

use crate::log::Log;
use crate::outcome::Outcome;

/// What `offhook ctl` is told.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    /// What is asked.
    #[command(subcommand)]
    pub question: Question,
}

/// The questions, in the order of `offhook ctl --help`.
#[derive(Debug, clap::Subcommand)]
pub enum Question {
    /// Say where a call would go, and why: which rule of the config decides
    Explain(explain::Arguments),
}

/// Answers.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    match &arguments.question {
        Question::Explain(arguments) => explain::run(arguments, log),
    }
}
