//! `cargo xtask conformance`: which rules of the RFCs are proven by a test, which do not concern us, and which are open.
//!
//! The rules come from `../shared/conformance/*.tsv`, the proofs from doc comments above tests (`Proves: rfc3261-8.1.1-2.`),
//! the decisions from `docs/conformance/rfcNNNN.toml`. docs/conformance/README.md says how to write both.

mod decision;
mod proof;
mod report;
mod rule;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::finding::Finding;
use crate::shared;
use crate::tree::Tree;
use decision::{Decisions, Required};
use rule::Rule;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Write,
    Check,
    ListUndecided,
}

const PAGE: &str = "docs/conformance.md";

/// So many ids are shown when the gate closes.
const FEW: usize = 8;

/// What is known of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// By these tests: path and name of the function.
    Proven(Vec<String>),
    /// With the reason.
    NotApplicable(String),
    /// With the reason, if somebody has thought about it.
    Open(Option<String>),
}

/// Everything that was found out.
#[derive(Debug, Default)]
struct Standing {
    /// By RFC; inside, in the order of the RFC.
    rules: BTreeMap<u32, Vec<(Rule, Verdict)>>,
    required: Vec<Required>,
    mistakes: Vec<Finding>,
}

/// Does what is wished.
pub(crate) fn run(root: &Path, wish: Wish) -> Result<(), String> {
    let Some(shared) = shared::folder(root).filter(|folder| folder.join("conformance").is_dir())
    else {
        println!(
            "skipped: conformance (no ../shared/conformance here, and OFFHOOK_SHARED is not set)"
        );
        return Ok(());
    };
    let tree = Tree::read(root).map_err(|error| error.to_string())?;
    let standing = Standing::find(&tree, rule::read_all(&shared.join("conformance"))?);
    standing.mistakes.iter().for_each(|mistake| println!("{mistake}"));
    let undecided = standing.undecided();
    if wish == Wish::ListUndecided {
        undecided.iter().for_each(|rule| println!("{}\t{}\t{}", rule.id, rule.level, rule.text));
        println!("{} required rules are undecided", undecided.len());
        return Ok(());
    }
    let page = report::page(&standing.rules, undecided.len());
    if wish == Wish::Write {
        fs::write(root.join(PAGE), &page).map_err(|error| format!("{PAGE}: {error}"))?;
    }
    println!("{}", report::summary(&standing.rules, undecided.len()));
    println!("{}", report::required(&standing.asked(), &undecided));
    if !standing.mistakes.is_empty() {
        return Err("conformance: the lines above are wrong".to_owned());
    }
    if wish == Wish::Check {
        return standing.gate(&page, tree.text(PAGE).unwrap_or_default());
    }
    Ok(())
}

impl Standing {
    fn find(tree: &Tree, rules: Vec<Rule>) -> Self {
        let mut standing = Self::default();
        let mut verdicts: BTreeMap<String, Verdict> =
            rules.iter().map(|rule| (rule.id.clone(), Verdict::Open(None))).collect();
        for (path, text) in tree.texts(".rs") {
            for proof in proof::find(path, text, &mut standing.mistakes) {
                match verdicts.get_mut(&proof.id) {
                    Some(Verdict::Proven(tests)) => tests.push(proof.test),
                    Some(verdict) => *verdict = Verdict::Proven(vec![proof.test]),
                    None => {
                        standing.mistake(path, proof.line, format!("there is no rule {}", proof.id))
                    }
                }
            }
        }
        let decisions = Decisions::read(tree, &mut standing.mistakes);
        for decision in decisions.list {
            let (path, line, id) = (&decision.path, decision.line, &decision.id);
            match verdicts.get_mut(id) {
                Some(verdict @ Verdict::Open(None)) => *verdict = decision.verdict,
                Some(Verdict::Proven(tests)) => {
                    let advice =
                        format!("{id} is proven by {}: delete one of the two", tests.join(", "));
                    standing.mistake(path, line, advice);
                }
                Some(_) => standing.mistake(path, line, format!("{id} is decided twice")),
                None => standing.mistake(path, line, format!("there is no rule {id}")),
            }
        }
        standing.required = decisions.required;
        for rule in rules {
            let verdict = verdicts.get(&rule.id).cloned().unwrap_or(Verdict::Open(None));
            standing.rules.entry(rule.rfc).or_default().push((rule, verdict));
        }
        standing
    }

    fn mistake(&mut self, path: &str, line: usize, advice: String) {
        self.mistakes.push(Finding::new(path, line, "conformance", advice));
    }

    /// The rules that must be decided.
    fn asked(&self) -> Vec<&Rule> {
        let all = self.rules.values().flatten().map(|(rule, _)| rule);
        all.filter(|rule| self.required.iter().any(|required| required.covers(rule))).collect()
    }

    /// Required rules that are neither proven nor not applicable.
    fn undecided(&self) -> Vec<&Rule> {
        let open = self
            .rules
            .values()
            .flatten()
            .filter(|(_, verdict)| matches!(verdict, Verdict::Open(_)));
        open.map(|(rule, _)| rule)
            .filter(|rule| self.required.iter().any(|required| required.covers(rule)))
            .collect()
    }

    /// What `--check` wants.
    fn gate(&self, page: &str, written: &str) -> Result<(), String> {
        if page != written {
            return Err(format!("{PAGE} is out of date: run `cargo xtask conformance`"));
        }
        let undecided = self.undecided();
        if undecided.is_empty() {
            return Ok(());
        }
        let few: Vec<&str> = undecided.iter().take(FEW).map(|rule| rule.id.as_str()).collect();
        Err(format!(
            "{} required rules are undecided: {} … `cargo xtask conformance --undecided` lists them; prove them, or say \
             in docs/conformance/ why they do not apply",
            undecided.len(),
            few.join(" ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "id\tlevel\tsection\trequirement\n\
        rfc3261-8.1-1\tMUST\tA\tBe good.\nrfc3261-8.1-2\tMUST NOT\tA\tBe bad.\n\
        rfc3261-9-1\tSHOULD\tB\tBe better.\nrfc3261-80-1\tMUST\tC\tBe elsewhere.\n";
    const REQUIRED: &str =
        "[[required]]\nrfc = 3261\nsections = [\"8\", \"9\"]\nlevels = [\"MUST\", \"MUST NOT\"]\n";
    const TEST: &str = "/// Good.\n/// Proves: rfc3261-8.1-1.\n#[test]\nfn good() {}\n";

    fn standing(files: &[(&str, &str)]) -> Standing {
        Standing::find(&Tree::of(files), rule::parse(RULES).unwrap())
    }

    fn mistakes(files: &[(&str, &str)]) -> String {
        standing(files).mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
    }

    #[test]
    fn a_required_rule_stays_undecided_until_it_is_proven_or_not_applicable() {
        let required = ("docs/conformance/required.toml", REQUIRED);
        let ids = |standing: &Standing| {
            standing.undecided().iter().map(|r| r.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&standing(&[required])), ["rfc3261-8.1-1", "rfc3261-8.1-2"]);
        assert_eq!(ids(&standing(&[required, ("a.rs", TEST)])), ["rfc3261-8.1-2"]);
        let open = "[[open]]\nids = [\"rfc3261-8.1-2\"]\nreason = \"later\"\n";
        let left = standing(&[required, ("a.rs", TEST), ("docs/conformance/rfc3261.toml", open)]);
        assert_eq!(ids(&left), ["rfc3261-8.1-2"]);
        let page = report::page(&left.rules, 1);
        assert!(left.gate(&page, &page).unwrap_err().contains("rfc3261-8.1-2"));
        let decided = open.replace("open", "not_applicable");
        let done =
            standing(&[required, ("a.rs", TEST), ("docs/conformance/rfc3261.toml", &decided)]);
        assert!(done.mistakes.is_empty() && done.undecided().is_empty());
        assert!(done.gate("new page", "old page").unwrap_err().contains("out of date"));
        assert_eq!(done.gate("page", "page"), Ok(()));
    }

    #[test]
    fn a_rule_that_is_not_there_is_a_mistake() {
        let test = TEST.replace("8.1-1", "8.1-7");
        assert!(
            mistakes(&[("a.rs", &test)])
                .starts_with("a.rs:2: conformance: there is no rule rfc3261-8.1-7")
        );
        let toml = "[[open]]\nids = [\"rfc3261-8-7\"]\nreason = \"later\"\n";
        assert!(mistakes(&[("docs/conformance/rfc3261.toml", toml)]).contains("there is no rule"));
    }

    #[test]
    fn a_rule_is_not_both_proven_and_not_applicable_nor_decided_twice() {
        let toml = "[[not_applicable]]\nids = [\"rfc3261-8.1-1\"]\nreason = \"no\"\n";
        assert!(
            mistakes(&[("a.rs", TEST), ("docs/conformance/rfc3261.toml", toml)])
                .contains("is proven by `a.rs`: good")
        );
        assert!(
            mistakes(&[("docs/conformance/rfc3261.toml", &toml.repeat(2))])
                .contains("decided twice")
        );
    }

    #[test]
    fn the_page_counts_and_lists() {
        let toml = "[[not_applicable]]\nids = [\"rfc3261-9-1\"]\nreason = \"we have | no b\"\n";
        let page = report::page(
            &standing(&[("a.rs", TEST), ("docs/conformance/rfc3261.toml", toml)]).rules,
            0,
        );
        assert!(page.contains("| [RFC 3261](#rfc-3261) | 4 | 1 | 1 | 2 |"), "{page}");
        assert!(page.contains("| 8.1-1 | MUST | Be good. | proven | `a.rs`: good |"), "{page}");
        assert!(
            page.contains("| 9-1 | SHOULD | Be better. | not applicable | we have \\| no b |"),
            "{page}"
        );
    }
}
