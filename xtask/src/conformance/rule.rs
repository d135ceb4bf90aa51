//! `Rule`: one MUST or SHOULD of an RFC, with its id.

use std::fs;
use std::path::Path;

/// One line of `../shared/conformance/rfcNNNN.tsv`.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// `rfc3261-17.2.1-4`: the fourth of section 17.2.1.
    pub(super) id: String,
    pub(super) rfc: u32,
    /// `17.2.1`
    pub(super) section: String,
    /// `MUST`, `SHOULD NOT` …
    pub(super) level: String,
    /// The RFC's sentence.
    pub(super) text: String,
}

/// Reads all `.tsv` files of a folder.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Rule>, String> {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tsv"));
    files.sort();
    let mut rules = Vec::new();
    for file in files {
        let named = |why: String| format!("{}: {why}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| named(error.to_string()))?;
        rules.extend(parse(&text).map_err(named)?);
    }
    Ok(rules)
}

/// Reads one file: a header, then `id level section requirement`, with tabs between.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, String> {
    text.lines()
        .skip(1)
        .map(|line| rule(line).ok_or_else(|| format!("not a rule: {line}")))
        .collect()
}

fn rule(line: &str) -> Option<Rule> {
    let [id, level, _title, text] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let (rfc, section) = place(id)?;
    Some(Rule {
        id: id.to_owned(),
        rfc,
        section: section.to_owned(),
        level: level.to_owned(),
        text: text.to_owned(),
    })
}

/// RFC and section of an id; `None` when it is not one.
pub(super) fn place(id: &str) -> Option<(u32, &str)> {
    let (rfc, rest) = id.strip_prefix("rfc")?.split_once('-')?;
    let (section, number) = rest.rsplit_once('-')?;
    number.parse::<u32>().ok()?;
    Some((rfc.parse().ok()?, section))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_place() {
        assert_eq!(place("rfc3261-17.2.1-4"), Some((3261, "17.2.1")));
        assert_eq!(place("rfc3327-A-1"), Some((3327, "A")));
        assert_eq!(place("rfc3261-17.2.1"), None);
        assert_eq!(place("17.2.1-4"), None);
    }

    #[test]
    fn a_broken_line_is_named() {
        assert!(parse("id\nrfc1-1-1\tMUST\tno text").unwrap_err().contains("no text"));
    }
}
