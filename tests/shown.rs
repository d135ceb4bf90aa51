//! Pages that say which test shows what: a numbered table whose last column names tests in backticks. Tests hold them to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One row: what we do, and where it is shown.
#[derive(Clone, Debug)]
pub struct Row {
    /// What we do.
    pub what: String,
    /// The last column: tests in backticks, or words about who will show it.
    pub shown: String,
}

impl Row {
    /// The tests that it names.
    pub fn tests(&self) -> BTreeSet<String> {
        self.shown.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows of a page of docs/, by number.
pub fn rows(page: &str) -> BTreeMap<u32, Row> {
    let page = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, what, shown] = &cells[..] else { return None };
        Some((number.parse().ok()?, Row { what: (*what).into(), shown: (*shown).into() }))
    });
    rows.collect()
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The functions below `#[test]` in the files of some folders.
pub fn tests_in(folders: &[&str]) -> BTreeSet<String> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut lines = text.lines().map(str::trim);
        while lines.any(|line| line.starts_with("#[test]")) {
            let name = lines.find_map(|line| line.strip_prefix("fn ")?.split_once('('));
            found.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    found
}

/// Every row says what we do, and shows it by a test that exists, or says which issue will.
pub fn assert_true(page: &str) {
    let all = tests_in(&["tests", "pure", "io", "bin"]);
    assert!(all.len() > 1000, "{}", all.len());
    for (number, row) in rows(page) {
        assert!(!row.what.is_empty(), "{page}, {number}");
        assert!(!row.tests().is_empty() || row.shown.contains("issue "), "{page}, {number}");
        for name in row.tests() {
            assert!(all.contains(&name), "{page}, {number} names {name}, which there is not");
        }
    }
}

/// Every test of a folder that is called `word_NUMBER_…` is named in the row of its number.
pub fn assert_whole(page: &str, folder: &str, word: &str) {
    let rows = rows(page);
    for name in tests_in(&[folder]) {
        let number = name.strip_prefix(word).and_then(|rest| rest.split('_').next()?.parse().ok());
        let Some(number) = number else { continue };
        assert!(rows[&number].tests().contains(&name), "{name} is not in docs/{page}");
    }
}
