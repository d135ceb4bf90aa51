//! The command line: the table of commands. A new command is a file with `Arguments` and `run`, and two lines here.

use crate::log::{Format, Level, Log};
use crate::outcome::Outcome;
use crate::{check, ctl, demo, import, phone, serve};

/// The whole SIP system in one program.
#[derive(Debug, clap::Parser)]
#[command(name = "offhook", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct CommandLine {
    /// How the log on stderr is written
    #[arg(long, global = true, value_enum, default_value_t)]
    pub log: Format,
    /// What the log leaves out: all that matters less. With `warning` a call or a registration that goes well leaves no line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub log_level: Level,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order of `offhook --help`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Be the server: registrar, proxy, redirect server
    Serve(serve::Arguments),
    /// Show a real call: a server, two phones, sound, hold and hang-up
    Demo(demo::Arguments),
    /// Be a phone: call, answer, or stay registered
    Phone(Box<phone::Arguments>),
    /// Ask about a server: where a call would go, and why
    Ctl(Box<ctl::Arguments>),
    /// Say what is wrong with a config file, or what the server would do with it
    Check(check::Arguments),
    /// Make a config of what Asterisk or Kamailio was told
    Import(import::Arguments),
}

impl CommandLine {
    /// Does it.
    pub fn run(self) -> Outcome {
        let log = Log::new(self.log).from(self.log_level);
        match self.command {
            Command::Serve(arguments) => serve::run(&arguments, log),
            Command::Demo(arguments) => demo::run(&arguments, log),
            Command::Phone(arguments) => phone::run(*arguments, log),
            Command::Ctl(arguments) => ctl::run(&arguments, log),
            Command::Check(arguments) => check::run(&arguments, log),
            Command::Import(arguments) => import::run(&arguments, log),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_table_is_consistent() {
        super::CommandLine::command().debug_assert();
    }
}
