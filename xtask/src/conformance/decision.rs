//! What people decided about rules: `docs/conformance/rfcNNNN.toml`, and which must be decided: `required.toml`.

use toml::de::{DeTable, DeValue};

use super::Verdict;
use super::rule::Rule;
use crate::finding::Finding;
use crate::source::line_of;
use crate::tree::Tree;

const FOLDER: &str = "docs/conformance/";

/// One id in one of the files.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) id: String,
    pub(super) verdict: Verdict,
    pub(super) path: String,
    pub(super) line: usize,
}

/// `[[required]]`: rules that must be decided before the gate opens.
#[derive(Debug)]
pub(super) struct Required {
    rfc: u32,
    /// `8` means 8, 8.1, 8.1.1 …
    sections: Vec<String>,
    levels: Vec<String>,
}

/// All files together.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    pub(super) list: Vec<Decision>,
    pub(super) required: Vec<Required>,
}

impl Required {
    /// True when `rule` must be decided.
    pub(super) fn covers(&self, rule: &Rule) -> bool {
        let inside = |section: &String| {
            rule.section
                .strip_prefix(section.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.rfc == rule.rfc
            && self.levels.contains(&rule.level)
            && self.sections.iter().any(inside)
    }
}

impl Decisions {
    /// Reads the folder.
    pub(super) fn read(tree: &Tree, mistakes: &mut Vec<Finding>) -> Self {
        let mut decisions = Self::default();
        for (path, text) in tree.texts(".toml").filter(|(path, _)| path.starts_with(FOLDER)) {
            let mut wrong = |line, advice: String| {
                mistakes.push(Finding::new(path, line, "conformance", advice))
            };
            match DeTable::parse(text) {
                Ok(table) => decisions.add(path, text, table.get_ref(), &mut wrong),
                Err(error) => wrong(
                    error.span().map_or(1, |span| line_of(text, span.start)),
                    error.message().to_owned(),
                ),
            }
        }
        decisions
    }

    fn add(
        &mut self,
        path: &str,
        text: &str,
        table: &DeTable<'_>,
        wrong: &mut dyn FnMut(usize, String),
    ) {
        for (key, entries) in table.iter() {
            for entry in entries.get_ref().as_array().into_iter().flat_map(|entries| entries.iter())
            {
                let line = line_of(text, entry.span().start);
                let value = entry.get_ref();
                let verdict = match (&**key.get_ref(), word(value, "reason")) {
                    ("required", _) => {
                        match required(value) {
                            Some(required) => self.required.push(required),
                            None => wrong(line, "write `rfc`, `sections` and `levels`".to_owned()),
                        }
                        continue;
                    }
                    ("not_applicable", Some(reason)) => Verdict::NotApplicable(reason),
                    ("open", Some(reason)) => Verdict::Open(Some(reason)),
                    ("not_applicable" | "open", None) => {
                        wrong(line, "give a `reason`".to_owned());
                        continue;
                    }
                    (other, _) => {
                        wrong(
                            line,
                            format!(
                                "`{other}`: write [[not_applicable]], [[open]] or [[required]]"
                            ),
                        );
                        continue;
                    }
                };
                for (id, at) in words(value, "ids") {
                    let (verdict, path, line) =
                        (verdict.clone(), path.to_owned(), line_of(text, at));
                    self.list.push(Decision { id, verdict, path, line });
                }
            }
        }
    }
}

fn required(value: &DeValue<'_>) -> Option<Required> {
    let rfc = value.as_table()?.get("rfc")?.get_ref().as_integer()?.as_str().parse().ok()?;
    let list = |name| words(value, name).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    let (sections, levels) = (list("sections"), list("levels"));
    (!sections.is_empty() && !levels.is_empty()).then_some(Required { rfc, sections, levels })
}

fn word(value: &DeValue<'_>, name: &str) -> Option<String> {
    let word = value.as_table()?.get(name)?.get_ref().as_str()?.trim();
    (!word.is_empty()).then(|| word.to_owned())
}

/// The strings of a list, and where each stands.
fn words(value: &DeValue<'_>, name: &str) -> Vec<(String, usize)> {
    let list = value
        .as_table()
        .and_then(|table| table.get(name))
        .and_then(|list| list.get_ref().as_array());
    let entries = list.into_iter().flat_map(|list| list.iter());
    entries
        .filter_map(|word| Some((word.get_ref().as_str()?.to_owned(), word.span().start)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Decisions, Vec<String>) {
        let mut mistakes = Vec::new();
        let decisions =
            Decisions::read(&Tree::of(&[("docs/conformance/rfc1.toml", text)]), &mut mistakes);
        (decisions, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_decision_has_ids_and_a_reason() {
        let (decisions, mistakes) =
            read("[[open]]\nids = [\n  \"rfc1-1-1\",\n  \"rfc1-1-2\",\n]\nreason = \"later\"\n");
        let seen: Vec<_> = decisions.list.iter().map(|d| (d.id.as_str(), d.line)).collect();
        assert_eq!(seen, [("rfc1-1-1", 3), ("rfc1-1-2", 4)]);
        assert!(mistakes.is_empty());
        assert!(
            read("[[open]]\nids = [\"rfc1-1-1\"]\nreason = \" \"\n")
                .1
                .concat()
                .contains("give a `reason`")
        );
        assert!(read("[[opne]]\nids = []\nreason = \"x\"\n").1.concat().contains("`opne`"));
        assert!(read("[[open]]\nids = [\n").1.concat().starts_with("docs/conformance/rfc1.toml:"));
    }

    #[test]
    fn a_section_covers_its_parts_and_nothing_else() {
        let (decisions, _) =
            read("[[required]]\nrfc = 1\nsections = [\"8\"]\nlevels = [\"MUST\"]\n");
        let rule = |section: &str, level: &str| Rule {
            id: String::new(),
            rfc: 1,
            section: section.to_owned(),
            level: level.to_owned(),
            text: String::new(),
        };
        let covers = |section, level| {
            decisions.required.iter().any(|required| required.covers(&rule(section, level)))
        };
        assert!(covers("8", "MUST") && covers("8.1.2", "MUST"));
        assert!(!covers("80.1", "MUST") && !covers("8", "SHOULD") && !covers("18", "MUST"));
    }
}
