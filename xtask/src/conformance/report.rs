//! docs/conformance.md: counts for all RFCs, then every rule of the RFCs that we have begun with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Verdict;
use super::rule::Rule;

type Rules = BTreeMap<u32, Vec<(Rule, Verdict)>>;

/// A longer sentence is cut: the RFC has it whole.
const LONGEST_TEXT: usize = 110;

#[derive(Default)]
struct Counts {
    proven: usize,
    not_applicable: usize,
    open: usize,
}

impl Counts {
    fn of<'a>(rules: impl IntoIterator<Item = &'a (Rule, Verdict)>) -> Self {
        let mut counts = Self::default();
        for (_, verdict) in rules {
            match verdict {
                Verdict::Proven(_) => counts.proven += 1,
                Verdict::NotApplicable(_) => counts.not_applicable += 1,
                Verdict::Open(_) => counts.open += 1,
            }
        }
        counts
    }
}

/// One line for the terminal.
pub(super) fn summary(rules: &Rules, undecided: usize) -> String {
    let Counts { proven, not_applicable, open } = Counts::of(rules.values().flatten());
    format!(
        "conformance: {proven} proven, {not_applicable} not applicable, {open} open; {undecided} required ones undecided"
    )
}

/// One line: how many of the required rules of each RFC are open.
pub(super) fn required(asked: &[&Rule], undecided: &[&Rule]) -> String {
    let of = |rules: &[&Rule], rfc| rules.iter().filter(|rule| rule.rfc == rfc).count();
    let rfcs: BTreeSet<u32> = asked.iter().map(|rule| rule.rfc).collect();
    let counts: Vec<_> = rfcs
        .into_iter()
        .map(|rfc| format!("RFC {rfc}: {} of {}", of(undecided, rfc), of(asked, rfc)))
        .collect();
    format!("required and open: {}", counts.join(", "))
}

/// The whole page.
pub(super) fn page(rules: &Rules, undecided: usize) -> String {
    let mut page = String::from(
        "# Conformance\n\nWritten by `cargo xtask conformance`; do not edit. How a rule is proven or put aside: \
         [conformance/README.md](conformance/README.md).\n\n",
    );
    let _ = writeln!(
        page,
        "Each MUST and SHOULD of an RFC has an id. *Proven*: a test names it. *Not applicable*: it does not concern \
         us, with the reason. *Open*: neither. Required ones (conformance/required.toml) that are undecided: {undecided}.\n"
    );
    page.push_str("| RFC | rules | proven | not applicable | open |\n|---|---|---|---|---|\n");
    for (rfc, rules) in rules {
        let Counts { proven, not_applicable, open } = Counts::of(rules);
        let total = rules.len();
        let name =
            if begun(rules) { format!("[RFC {rfc}](#rfc-{rfc})") } else { format!("RFC {rfc}") };
        let _ = writeln!(page, "| {name} | {total} | {proven} | {not_applicable} | {open} |");
    }
    page.push_str("\nAn RFC that no test and no decision names yet has its counts above and no table below.\n");
    for (rfc, rules) in rules.iter().filter(|(_, rules)| begun(rules)) {
        let _ = writeln!(
            page,
            "\n## RFC {rfc}\n\n| id | level | requirement | state | test or reason |\n|---|---|---|---|---|"
        );
        for (rule, verdict) in rules {
            page.push_str(&row(rule, verdict));
        }
    }
    page
}

fn begun(rules: &[(Rule, Verdict)]) -> bool {
    rules.iter().any(|(_, verdict)| *verdict != Verdict::Open(None))
}

fn row(rule: &Rule, verdict: &Verdict) -> String {
    let (state, why) = match verdict {
        Verdict::Proven(tests) => ("proven", tests.join("<br>")),
        Verdict::NotApplicable(reason) => ("not applicable", cell(reason)),
        Verdict::Open(reason) => ("open", cell(reason.as_deref().unwrap_or_default())),
    };
    let id = rule.id.split_once('-').map_or("", |(_, id)| id);
    format!("| {id} | {} | {} | {state} | {why} |\n", rule.level, cell(&short(&rule.text)))
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_TEXT {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST_TEXT).collect();
    format!("{}…", cut.trim_end())
}

/// Text that may stand in a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}
