//! `offhook`: the whole SIP system in one program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // clap answers --help and --version itself, and wrong usage with exit code 2.
    offhook::command::CommandLine::parse().run().into()
}
