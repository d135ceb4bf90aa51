//! Files and functions that are read in one sitting.

use super::house::{LONG_FILE, LONGEST_FILE, LONGEST_FUNCTION};
use crate::finding::Finding;
use crate::source::Source;

/// Checks one Rust file.
pub(super) fn check(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.text.starts_with("//!") {
        let advice = "begin with a `//!` line that says what this file is (and the RFC section)";
        findings.push(Finding::new(path, 1, "first line", advice));
    }
    let lines = source.text.lines().count();
    if lines > LONGEST_FILE {
        let advice = format!(
            "{lines} lines, at most {LONGEST_FILE}: split it by noun, or move its tests beside it"
        );
        findings.push(Finding::new(path, LONGEST_FILE, "file size", advice));
    } else if lines > LONG_FILE {
        let advice = format!("{lines} lines; {LONG_FILE} is the habit");
        findings.push(Finding::new(path, LONG_FILE, "file size", advice).warning());
    }
    for function in
        source.functions().into_iter().filter(|function| function.length > LONGEST_FUNCTION)
    {
        let advice = format!(
            "`{}` has {} lines of code, at most {LONGEST_FUNCTION}: name its parts and move them out",
            function.name, function.length
        );
        findings.push(Finding::new(path, function.line, "function size", advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check("a.rs", &Source::read(text)).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert!(found("//! A.\n").is_empty());
        assert!(found("// A.\n").concat().contains("first line"));
        assert!(found("").concat().contains("first line"));
    }

    #[test]
    fn four_hundred_lines_are_the_habit_and_six_hundred_the_limit() {
        let lines = |count: usize| format!("//! A.{}", "\n//".repeat(count - 1));
        assert!(found(&lines(400)).is_empty());
        assert!(found(&lines(401)).concat().contains("warning: file size"));
        assert!(found(&lines(600)).concat().contains("warning: file size"));
        assert!(found(&lines(601)).concat().contains("600: file size"));
    }

    #[test]
    fn a_function_has_at_most_sixty_lines_of_code() {
        let function = |lines: usize| {
            format!("//! A.\n\nfn long() {{{}\n    // why\n}}\n", "\n    a();".repeat(lines - 2))
        };
        assert!(found(&function(60)).is_empty());
        assert!(found(&function(61)).concat().starts_with("a.rs:3: function size: `long` has 61"));
    }
}
