//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy knows.

mod borrowed;
mod danger;
mod floors;
mod house;
mod links;
mod manners;
mod promises;
mod secrets;
mod sizes;

use std::collections::BTreeSet;
use std::path::Path;

use crate::finding::{Finding, Weight};
use crate::shared;
use crate::source::Source;
use crate::tree::Tree;

/// Prints every finding; fails when one is more than a warning.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut findings = check(&tree);
    match shared::folder(root) {
        Some(shared) => findings.extend(borrowed::Corpora::read(&shared).check(&tree)),
        None => println!(
            "skipped: licences of copied corpus files (no ../shared here, and OFFHOOK_SHARED is not set)"
        ),
    }
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    println!(
        "tidy: {errors} to mend, {} warnings, {} Rust files",
        findings.len() - errors,
        tree.texts(".rs").count()
    );
    if errors == 0 { Ok(()) } else { Err("the house is not tidy".to_owned()) }
}

/// All rules that need the tree alone.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = floors::check(tree);
    findings.extend(promises::check(tree));
    findings.extend(links::check(tree));
    findings.extend(secrets::check(tree));
    let test_files = test_files(tree);
    for (path, text) in tree.texts(".rs") {
        let mut source = Source::read(text);
        if is_test_place(path) || test_files.contains(path) {
            source = source.all_tests();
        }
        findings.extend(sizes::check(path, &source));
        findings.extend(danger::check(path, &source));
        findings.extend(manners::check(path, &source));
        findings.extend(secrets::signatures(path, &source));
    }
    findings
}

/// Folders and names that hold tests by Cargo's customs and ours.
fn is_test_place(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Files that another file declares with `#[cfg(test)] mod name;`, and all below them.
fn test_files(tree: &Tree) -> BTreeSet<&str> {
    let mut files = BTreeSet::new();
    for (path, text) in tree.texts(".rs") {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let home = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => path.trim_end_matches(".rs").to_owned(),
        };
        for module in Source::read(text).test_modules {
            let (file, below) = (format!("{home}/{module}.rs"), format!("{home}/{module}/"));
            let inside = tree.texts(".rs").map(|(path, _)| path);
            files.extend(inside.filter(|path| *path == file || path.starts_with(&below)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_declared_for_tests_may_unwrap() {
        let tree = Tree::of(&[
            ("Cargo.toml", ""),
            ("pure/sip/src/lib.rs", "//! A.\n#[cfg(test)]\nmod bench_of_words;\nmod real;\n"),
            ("pure/sip/src/bench_of_words.rs", "//! B.\nfn b() { x.unwrap() }\n"),
            ("pure/sip/src/real.rs", "//! C.\n#[cfg(test)]\nmod more;\nfn c() { x.unwrap() }\n"),
            ("pure/sip/src/real/more.rs", "//! D.\nfn d() { x.unwrap() }\n"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.concat().starts_with("pure/sip/src/real.rs:4: panic"));
    }
}
