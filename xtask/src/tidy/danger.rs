//! Code that may bring the process down, or silences the tools that would have said so.

use super::house::MAY_BE_UNSAFE;
use crate::finding::Finding;
use crate::source::{Source, closing, line_of, words};

/// Checks one Rust file.
pub(super) fn check(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let mut findings = unsafe_code(path, source);
    findings.extend(silenced(path, source));
    if path.starts_with("pure/") || path.starts_with("io/") {
        findings.extend(panics(path, source));
    }
    findings
}

fn unsafe_code(path: &str, source: &Source<'_>) -> Vec<Finding> {
    if MAY_BE_UNSAFE.iter().any(|allowed| path.starts_with(allowed)) {
        return Vec::new();
    }
    let advice = format!("`unsafe` lives only in {}", MAY_BE_UNSAFE.join(" and "));
    words(&source.code, "unsafe")
        .map(|at| Finding::new(path, line_of(&source.code, at), "unsafe", &*advice))
        .collect()
}

/// `#[allow(…)]` and `#[expect(…)]` say why.
fn silenced(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, _) in source.code.match_indices('#') {
        let rest = source.code.get(at..).unwrap_or_default();
        let inside = rest.trim_start_matches('#').trim_start_matches('!');
        if !inside.starts_with("[allow(") && !inside.starts_with("[expect(") {
            continue;
        }
        let attribute = closing(inside, 0).and_then(|end| inside.get(..end)).unwrap_or(inside);
        if words(attribute, "reason").next().is_none() {
            let advice = "obey the lint, or say why not: `#[allow(lint, reason = \"…\")]`";
            findings.push(Finding::new(path, line_of(&source.code, at), "silenced", advice));
        }
    }
    findings
}

/// Calls that end the process over what a peer sent.
const PANICS: &[(&str, &str)] = &[
    (".unwrap()", "use `let … else`, `?` or `unwrap_or…`"),
    (".unwrap_err()", "use `let … else`"),
    // With the quote: a parser may well have a method `expect(b'x')`; clippy knows the difference by type.
    (".expect(\"", "use `let … else`, `?` or `unwrap_or…`"),
    ("panic!", "a peer's mistake is a Fault; our own is an error returned"),
    ("unreachable!", "give the impossible case an answer, or a type that rules it out"),
];

fn panics(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code) in source.code_lines().filter(|(line, _)| !source.is_test(*line)) {
        for (call, advice) in PANICS.iter().filter(|(call, _)| code.contains(call)) {
            findings.push(Finding::new(path, line, "panic", format!("`{call}`: {advice}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, &Source::read(text)).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn unsafe_lives_in_the_kernel_file_only() {
        let code = "//! A.\nunsafe fn a() {}\n";
        assert!(
            found("pure/sip/src/a.rs", code).concat().starts_with("pure/sip/src/a.rs:2: unsafe")
        );
        assert!(found("io/net/src/kernel.rs", code).is_empty());
        assert!(found("pure/sip/src/a.rs", "// unsafe\n#![forbid(unsafe_code)]").is_empty());
    }

    #[test]
    fn a_silenced_lint_says_why() {
        assert_eq!(found("a.rs", "#[allow(dead_code)]\nfn a() {}").len(), 1);
        assert_eq!(found("a.rs", "#![expect(\n    dead_code\n)]").len(), 1);
        assert!(
            found("a.rs", "#[allow(dead_code, reason = \"the ABI has it\")]\nfn a() {}").is_empty()
        );
    }

    #[test]
    fn what_panics_is_found_outside_of_tests() {
        for call in
            ["x.unwrap()", "x.expect(\"y\")", "panic!(\"z\")", "unreachable!()", "x.unwrap_err()"]
        {
            let code =
                format!("fn a() {{ {call} }}\n#[cfg(test)]\nmod tests {{ fn b() {{ {call} }} }}\n");
            assert_eq!(found("pure/sip/src/a.rs", &code).len(), 1, "{call}");
            assert!(check("pure/sip/src/a/tests.rs", &Source::read(&code).all_tests()).is_empty());
        }
        assert!(
            found("pure/sip/src/a.rs", "fn a() { x.unwrap_or(1); p.expect(b'x'); }").is_empty()
        );
    }
}
