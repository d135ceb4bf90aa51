//! docs/traps.md says what is true: every trap is in it, and every test that it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The functions below `#[test]` in a file.
fn tests_in(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(str::trim);
    let mut found = BTreeSet::new();
    while lines.any(|line| line.starts_with("#[test]")) {
        let name = lines.find_map(|line| line.strip_prefix("fn ")?.split_once('('));
        found.extend(name.map(|(name, _)| name.to_owned()));
    }
    found
}

/// The rows of the table: number, what we do, where it is shown.
fn rows() -> BTreeMap<u32, (String, String)> {
    let page = fs::read_to_string(root().join("docs/traps.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, what, shown] = &cells[..] else { return None };
        Some((number.parse().ok()?, ((*what).to_owned(), (*shown).to_owned())))
    });
    rows.collect()
}

/// The names in backticks that a cell shows.
fn named(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_trap_has_a_row_and_every_row_a_test_or_an_issue() {
    let rows = rows();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    for (number, (what, shown)) in &rows {
        assert!(!what.is_empty(), "{number}");
        assert!(!named(shown).is_empty() || shown.contains("issue "), "{number}: {shown}");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut files = Vec::new();
    ["tests", "pure", "io", "bin"]
        .iter()
        .for_each(|folder| sources(&root().join(folder), &mut files));
    let all: BTreeSet<_> = files.iter().flat_map(|file| tests_in(file)).collect();
    assert!(all.len() > 1000, "{}", all.len());
    for (number, (_, shown)) in rows() {
        for name in named(&shown) {
            assert!(all.contains(&name), "trap {number} names {name}, which there is not");
        }
    }
}

#[test]
fn every_test_of_this_folder_is_named_in_the_row_of_its_trap() {
    let mut files = Vec::new();
    sources(&root().join("tests/traps"), &mut files);
    let rows = rows();
    for name in files.iter().flat_map(|file| tests_in(file)) {
        let Some(number) = name.strip_prefix("trap_").and_then(|rest| rest.split('_').next())
        else {
            continue;
        };
        let (_, shown) = &rows[&number.parse().unwrap()];
        assert!(named(shown).contains(&name), "{name} is not in docs/traps.md");
    }
}
