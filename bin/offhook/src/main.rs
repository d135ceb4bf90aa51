//! `offhook`: the whole SIP system in one program.

use std::process::ExitCode;

use clap::Parser as _;

/// A call takes and gives back a hundred pieces of memory: a server's time goes there next to SIP itself (docs/decisions/0012).
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // clap answers --help and --version itself, and wrong usage with exit code 2.
    offhook::command::CommandLine::parse().run().into()
}
