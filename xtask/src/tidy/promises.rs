//! Words that put work off (to-do marks) are listed with a reason in `xtask/todo.txt`, or are not there.

use crate::finding::Finding;
use crate::source::{Source, line_of, words};
use crate::tree::Tree;

/// Spelled in two halves, or this file would find itself.
const MARKS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const MACROS: &[&str] = &["todo", "unimplemented"];
const LIST: &str = "xtask/todo.txt";
const RULE: &str = "put off";

/// One line of the list: `path | words that stand in the line | reason`.
struct Permit<'a> {
    path: &'a str,
    words: &'a str,
    line: usize,
}

/// Checks all files, and the list itself.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let permits = permits(tree.text(LIST).unwrap_or_default(), &mut findings);
    let mut used = vec![false; permits.len()];
    for (path, line, text) in marked_lines(tree) {
        match permits.iter().position(|permit| permit.path == path && text.contains(permit.words)) {
            Some(at) => used.iter_mut().skip(at).take(1).for_each(|used| *used = true),
            None => {
                let advice = format!("do it now, drop it, or list it with a reason in {LIST}");
                findings.push(Finding::new(&path, line, RULE, advice));
            }
        }
    }
    for (permit, _) in permits.iter().zip(used).filter(|(_, used)| !used) {
        findings.push(Finding::new(
            LIST,
            permit.line,
            RULE,
            "nothing in the tree needs this line any more: delete it",
        ));
    }
    findings
}

fn permits<'a>(list: &'a str, findings: &mut Vec<Finding>) -> Vec<Permit<'a>> {
    let mut permits = Vec::new();
    let lines = (1..)
        .zip(list.lines())
        .filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#'));
    for (line, text) in lines {
        let fields: Vec<&str> = text.split('|').map(str::trim).collect();
        match fields.as_slice() {
            [path, words, reason] if !reason.is_empty() && !words.is_empty() => {
                permits.push(Permit { path, words, line });
            }
            _ => findings.push(Finding::new(
                LIST,
                line,
                RULE,
                "write `path | words in that line | reason`",
            )),
        }
    }
    permits
}

/// Path, line and text of every line with a mark in it.
fn marked_lines(tree: &Tree) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for (path, text) in tree.texts("") {
        let is_script =
            path.ends_with(".sh") || path.starts_with(".ci/") || path.ends_with(".toml");
        let places: Vec<usize> = if path.ends_with(".rs") {
            let source = Source::read(text);
            let marks = MARKS.iter().flat_map(|mark| words(&source.comments, mark));
            let calls = MACROS.iter().flat_map(|name| words(&source.code, name));
            marks.chain(calls.filter(|at| after_word(&source.code, *at).starts_with('!'))).collect()
        } else if is_script {
            MARKS.iter().flat_map(|mark| words(text, mark)).collect()
        } else {
            Vec::new()
        };
        for line in places.into_iter().map(|at| line_of(text, at)) {
            found.push((
                path.to_owned(),
                line,
                text.lines().nth(line - 1).unwrap_or_default().to_owned(),
            ));
        }
    }
    found
}

fn after_word(code: &str, at: usize) -> &str {
    code.get(at..).unwrap_or_default().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_mark_is_found_in_comments_macros_and_scripts() {
        for mark in MARKS {
            assert_eq!(found(&[("a.rs", &format!("//! A.\n// {mark}: later\n"))]).len(), 1);
            assert_eq!(found(&[(".ci/run", &format!("# {mark}\n"))]).len(), 1);
        }
        assert_eq!(found(&[("a.rs", "fn a() { unimplemented!() }")]).len(), 1);
        assert!(
            found(&[("a.rs", &format!("let s = \"{}\"; // {}s", MARKS[0], MARKS[0]))]).is_empty()
        );
    }

    #[test]
    fn a_listed_mark_is_fine_and_a_stale_line_is_not() {
        let marked = format!("// {}: wait for the RFC\n", MARKS[0]);
        let list = "a.rs | wait for the RFC | the draft expires in spring\n";
        assert!(found(&[("a.rs", &marked), (LIST, list)]).is_empty());
        assert_eq!(found(&[("a.rs", "//! A.\n"), (LIST, list)]).len(), 1);
        assert_eq!(found(&[("a.rs", &marked), (LIST, "a.rs | wait for the RFC\n")]).len(), 2);
    }
}
