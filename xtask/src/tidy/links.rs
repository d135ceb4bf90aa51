//! A link in a document leads somewhere.

use crate::finding::Finding;
use crate::manifest::join;
use crate::source::line_of;
use crate::tree::Tree;

/// Checks every `.md` file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, _) in text.match_indices("](") {
            let rest = text.get(at + 2..).unwrap_or_default();
            let target = rest.split([')', ' ', '\n']).next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere =
                target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
            if !elsewhere && !tree.has(&join(folder, file)) {
                let advice = format!("`{target}` is not there: mend the link, or write the page");
                findings.push(Finding::new(path, line_of(text, at), "link", advice));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found() {
        let page = "# A\n[good](b.md) [part](b.md#x) [folder](../pure/) [far](https://a.b/c) [here](#a)\n[bad](c.md)\n";
        let tree = Tree::of(&[("docs/a.md", page), ("docs/b.md", ""), ("pure/sip/lib.rs", "")]);
        let found: Vec<_> =
            check(&tree).into_iter().map(|finding| (finding.line, finding.path)).collect();
        assert_eq!(found, [(3, "docs/a.md".to_owned())]);
    }
}
