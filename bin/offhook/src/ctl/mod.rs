//! `offhook ctl`: questions to a server that runs, and about a config. A new one is a file with `Arguments` and `run`, and two lines here.

mod bans;
mod calls;
mod drain;
mod events;
pub mod explain;
mod hangup;
mod metrics;
mod place;
mod registrations;
mod reload;
mod status;
mod table;
mod targets;

use crate::log::Log;
use crate::outcome::Outcome;

/// What `offhook ctl` is told.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    /// Whom to ask.
    #[command(flatten)]
    place: place::Place,
    /// What is asked.
    #[command(subcommand)]
    pub question: Question,
}

/// The questions, in the order of `offhook ctl --help`.
#[derive(Debug, clap::Subcommand)]
pub enum Question {
    /// Say whether the server is well, since when it runs, and how much it carries
    Status,
    /// List who can be reached, and where
    Registrations(registrations::List),
    /// Take bindings of a user away; a phone comes back when it registers again
    Unregister(registrations::Remove),
    /// List the calls that pass through just now
    Calls(calls::List),
    /// Show one call
    Show(calls::Show),
    /// End a call: tell both sides to hang up
    #[command(name = "hangup")]
    HangUp(hangup::HangUp),
    /// List the members of groups, and the addresses that have failed lately
    Targets,
    /// Show what happens, as it happens
    Events(events::Arguments),
    /// List who is not heard for a while, and why
    Bans,
    /// Hear nothing from an address for a while
    Ban(bans::Ban),
    /// Hear an address again
    Unban(bans::Unban),
    /// Have the server read its config again: all of it, or nothing changes
    Reload,
    /// Have the server begin nothing new, finish what has begun, and end
    Drain,
    /// Print the metrics, as Prometheus reads them
    Metrics,
    /// Say where a call would go, and why: which rule of the config decides
    Explain(explain::Arguments),
}

/// Answers.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    let place = &arguments.place;
    match &arguments.question {
        Question::Status => place.visit(status::run),
        Question::Registrations(list) => place.visit(|client, form| list.run(client, form)),
        Question::Unregister(remove) => place.visit(|client, form| remove.run(client, form)),
        Question::Calls(list) => place.visit(|client, form| list.run(client, form)),
        Question::Show(show) => place.visit(|client, form| show.run(client, form)),
        Question::HangUp(call) => place.visit(|client, form| call.run(client, form)),
        Question::Targets => place.visit(targets::run),
        Question::Events(arguments) => place.visit(|client, form| arguments.run(client, form)),
        Question::Bans => place.visit(bans::list),
        Question::Ban(ban) => place.visit(|client, form| ban.run(client, form)),
        Question::Unban(unban) => place.visit(|client, form| unban.run(client, form)),
        Question::Reload => place.visit(reload::run),
        Question::Drain => place.visit(drain::run),
        Question::Metrics => place.visit(metrics::run),
        Question::Explain(arguments) => explain::run(arguments, log),
    }
}
