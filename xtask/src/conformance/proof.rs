//! `Proof`: a test that says which rules it proves.
//!
//! ```text
//! /// Timer G doubles up to T2.
//! /// Proves: rfc3261-17.2.1-4,
//! /// rfc3261-17.2.1-5.
//! #[test]
//! ```

use super::rule::place;
use crate::finding::Finding;

/// One id that one test claims.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) id: String,
    /// `` `path`: function ``
    pub(super) test: String,
    pub(super) line: usize,
}

const WORD: &str = "Proves:";

/// Reads the claims of one file.
pub(super) fn find(path: &str, text: &str, mistakes: &mut Vec<Finding>) -> Vec<Proof> {
    let mut proofs = Vec::new();
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines().map(str::trim)).collect();
    for (at, (line, doc)) in lines.iter().enumerate() {
        let Some(claim) = doc.strip_prefix("///").and_then(|doc| doc.trim().strip_prefix(WORD))
        else {
            continue;
        };
        let below = lines.get(at + 1..).unwrap_or_default();
        let mut wrong = |line: usize, advice: String| {
            mistakes.push(Finding::new(path, line, "conformance", advice))
        };
        let test = match test_below(below) {
            Ok(name) => format!("`{path}`: {name}"),
            Err(advice) => {
                wrong(*line, advice.to_owned());
                continue;
            }
        };
        for (line, id) in ids(*line, claim, below) {
            if place(id).is_some() {
                proofs.push(Proof { id: id.to_owned(), test: test.clone(), line });
            } else {
                wrong(
                    line,
                    format!(
                        "`{id}` is not an id: write `Proves: rfc3261-17.2.1-4, rfc3261-8.1.1-2.`"
                    ),
                );
            }
        }
    }
    proofs
}

/// The ids of a claim: up to its full stop, an empty doc line, or the end of the doc comment.
fn ids<'a>(line: usize, claim: &'a str, below: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let more =
        below.iter().map_while(|(line, text)| Some((*line, text.strip_prefix("///")?.trim())));
    let mut found = Vec::new();
    for (line, text) in std::iter::once((line, claim.trim())).chain(more) {
        let words = text.split([',', ' ']).map(|word| word.trim_end_matches('.'));
        found.extend(words.filter(|word| !word.is_empty()).map(|word| (line, word)));
        if text.is_empty() || text.ends_with('.') {
            break;
        }
    }
    found
}

/// The function that the doc comment belongs to, if it is a test that runs.
fn test_below<'a>(below: &[(usize, &'a str)]) -> Result<&'a str, &'static str> {
    let mut is_test = false;
    for (_, line) in below {
        if line.starts_with("#[ignore") {
            return Err("an ignored test proves nothing");
        }
        is_test |= line.starts_with("#[test]");
        if line.starts_with("///")
            || line.starts_with("//")
            || (line.starts_with("#[") && !line.contains(" fn "))
        {
            continue;
        }
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
        return name
            .filter(|_| is_test)
            .ok_or("`Proves:` stands directly above a `#[test]` function");
    }
    Err("`Proves:` stands directly above a `#[test]` function")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids_of(text: &str) -> (Vec<(String, usize)>, usize) {
        let mut mistakes = Vec::new();
        let found = find("a.rs", text, &mut mistakes);
        (found.into_iter().map(|proof| (proof.id, proof.line)).collect(), mistakes.len())
    }

    #[test]
    fn a_claim_may_span_lines_and_ends_at_its_full_stop() {
        let text = "/// It works.\n/// Proves: rfc3261-8.1-1, rfc3261-8.1-2,\n/// rfc3261-9-1. More words.\n#[test]\nfn a() {}\n";
        let (found, mistakes) = ids_of(&text.replace(" More words.", "\n/// More words."));
        let expected = [("rfc3261-8.1-1", 2), ("rfc3261-8.1-2", 2), ("rfc3261-9-1", 3)];
        assert_eq!(found, expected.map(|(id, line)| (id.to_owned(), line)));
        assert_eq!(mistakes, 0);
        assert_eq!(ids_of(text).1, 2, "words that are no ids are mistakes");
    }

    #[test]
    fn the_proof_is_a_test_that_runs() {
        let mut mistakes = Vec::new();
        let inline = "/// Proves: rfc3261-8.1-1\n#[test] fn short() {}\n";
        assert_eq!(find("a.rs", inline, &mut mistakes).concat_tests(), "`a.rs`: short");
        for text in [
            "#[ignore]\n#[test]\nfn a() {}",
            "#[test]\n#[ignore = \"slow\"]\nfn a() {}",
            "fn a() {}",
            "const A: u8 = 1;",
            "",
        ] {
            let before = mistakes.len();
            assert!(
                find("a.rs", &format!("/// Proves: rfc3261-8.1-1.\n{text}"), &mut mistakes)
                    .is_empty(),
                "{text}"
            );
            assert_eq!(mistakes.len(), before + 1, "{text}");
        }
    }

    trait ConcatTests {
        fn concat_tests(&self) -> String;
    }

    impl ConcatTests for Vec<Proof> {
        fn concat_tests(&self) -> String {
            self.iter().map(|proof| proof.test.as_str()).collect()
        }
    }
}
