//! The house's own tools: `cargo xtask tidy`.

mod finding;
mod manifest;
mod shared;
mod source;
mod tidy;
mod tree;

use std::process::ExitCode;

use tree::Tree;

const USAGE: &str = "\
cargo xtask tidy                      the house's rules that clippy does not know; fails with a list of path:line";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = Tree::root_of_this_house();
    let done = match words.as_slice() {
        ["tidy"] => tidy::run(&root),
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
