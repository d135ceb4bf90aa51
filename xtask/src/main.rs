//! The house's own tools: `cargo xtask tidy | conformance | bench | dist`.

mod bench;
mod conformance;
mod dist;
mod finding;
mod manifest;
mod page;
mod shared;
mod source;
mod tidy;
mod tree;

use std::process::{Command, ExitCode, Output};

use tree::Tree;

const USAGE: &str = "\
cargo xtask tidy                      the house's rules that clippy does not know; fails with a list of path:line
cargo xtask conformance               writes docs/conformance.md from the tests and from docs/conformance/*.toml
cargo xtask conformance --check       fails when that page is out of date, or a required rule is undecided
cargo xtask conformance --undecided   lists the required rules that nobody has decided
cargo xtask bench                     counts instructions under valgrind; writes the table in docs/benchmarks.md
cargo xtask bench --check             fails when a scenario costs 3 % more than that table says
cargo xtask dist                      builds target/dist/offhook after having seen it at work (needs llvm-tools and openssl)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = Tree::root_of_this_house();
    let done = match words.as_slice() {
        ["tidy"] => tidy::run(&root),
        ["conformance"] => conformance::run(&root, conformance::Wish::Write),
        ["conformance", "--check"] => conformance::run(&root, conformance::Wish::Check),
        ["conformance", "--undecided"] => conformance::run(&root, conformance::Wish::ListUndecided),
        ["bench"] => bench::run(&root, bench::Wish::Write),
        ["bench", "--check"] => bench::run(&root, bench::Wish::Check),
        ["dist"] => dist::run(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What a program said that ended well.
pub(crate) fn output(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)))
}
