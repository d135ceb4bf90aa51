//! No file of a corpus whose licence does not let us carry it (GPL, LGPL, unclear) is in our tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::tree::Tree;

/// Shorter files are equal by chance.
const SHORTEST: u64 = 40;

/// Words in an index that let a file be carried; all others do not.
const FREE: &[&str] =
    &["RFC", "IETF", "BSD", "MIT", "APACHE", "VOVIDA", "OWN", "PUBLIC DOMAIN", "CC0", "ISC"];

/// Words that weigh more than those.
const BOUND: &[&str] = &["GPL", "MPL", "UNCLEAR", "NEVER SHIP"];

/// Files of the corpora that must stay where they are, by size.
#[derive(Debug, Default)]
pub(super) struct Corpora {
    by_size: BTreeMap<u64, Vec<PathBuf>>,
}

impl Corpora {
    /// Reads `corpus/*/INDEX.tsv` of the shared folder.
    pub(super) fn read(shared: &Path) -> Self {
        let mut corpora = Self::default();
        for folder in fs::read_dir(shared.join("corpus")).into_iter().flatten().flatten() {
            let Ok(index) = fs::read_to_string(folder.path().join("INDEX.tsv")) else { continue };
            for name in not_ours(&index) {
                let file = folder.path().join(name);
                let Ok(size) = fs::metadata(&file).map(|data| data.len()) else { continue };
                corpora.by_size.entry(size).or_default().push(file);
            }
        }
        corpora
    }

    /// Compares every file of the house with them.
    pub(super) fn check(&self, tree: &Tree) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (path, size) in tree.sizes().filter(|(_, size)| *size >= SHORTEST) {
            let Some(alike) = self.by_size.get(&size) else { continue };
            let Ok(ours) = fs::read(tree.root.join(path)) else { continue };
            for file in
                alike.iter().filter(|file| fs::read(file).is_ok_and(|theirs| theirs == ours))
            {
                let advice = format!(
                    "a copy of {}, whose licence is not ours: read it from there",
                    file.display()
                );
                findings.push(Finding::new(path, 1, "licence", advice));
            }
        }
        findings
    }
}

/// Names in an index whose licence is not known to be free.
fn not_ours(index: &str) -> Vec<&str> {
    let mut lines = index.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let licence_at = header.iter().position(|column| column.eq_ignore_ascii_case("licence"));
    let mut names = Vec::new();
    for line in lines {
        let licence =
            licence_at.and_then(|at| line.split('\t').nth(at)).unwrap_or_default().to_uppercase();
        let bound = BOUND.iter().any(|word| licence.contains(word));
        let free = FREE.iter().any(|word| licence.contains(word)) && !bound;
        if !free {
            names.extend(line.split('\t').next());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_free_is_not_ours() {
        let index = "name\tkind\tlicence\na\tsip\tGPL-2.0\nb\tsip\tBSD\nc\tsip\t\nd\tsip\tLGPL or MIT\ne\tsip\tRFC 4475\nf\tsip\tcarried in an MIT project; unclear, never ship\n";
        assert_eq!(not_ours(index), ["a", "c", "d", "f"]);
    }

    #[test]
    fn a_copied_file_is_found() {
        let place = std::env::temp_dir().join(format!("offhook-tidy-{}", std::process::id()));
        let corpus = place.join("shared/corpus/sip");
        fs::create_dir_all(&corpus).unwrap();
        fs::create_dir_all(place.join("house/tests")).unwrap();
        let message = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\r\n";
        fs::write(corpus.join("INDEX.tsv"), "name\tlicence\ntheirs\tGPL-2.0\nfree\tMIT\n").unwrap();
        fs::write(corpus.join("theirs"), message).unwrap();
        fs::write(corpus.join("free"), message.to_lowercase()).unwrap();
        fs::write(place.join("house/tests/copy.sip"), message).unwrap();
        fs::write(place.join("house/tests/fine.sip"), message.to_lowercase()).unwrap();
        let tree = Tree::read(&place.join("house")).unwrap();
        let found = Corpora::read(&place.join("shared")).check(&tree);
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "tests/copy.sip");
    }
}
