//! What is secret is compared in constant time: how long it takes tells nobody how near a guess is.

use super::house::COMPARES_SECRETS;
use crate::finding::Finding;
use crate::source::Source;
use crate::tree::Tree;

const RULE: &str = "secret";

/// Every place in the house's table compares so, and nobody compares a signature in another way.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    COMPARES_SECRETS.iter().filter_map(|path| compares(tree, path)).collect()
}

fn compares(tree: &Tree, path: &str) -> Option<Finding> {
    let is_there = tree.has(path.split_once("/src/").map_or(path, |(package, _)| package));
    let source = Source::read(tree.text(path).unwrap_or_default());
    let mut lines = source.code_lines().filter(|(line, _)| !source.is_test(*line));
    let advice = "compare what is secret by `ct_eq` (subtle); if it is compared elsewhere now, say so in xtask/src/tidy/house.rs";
    let compares = lines.any(|(_, code)| code.contains(".ct_eq("));
    (is_there && !compares).then(|| Finding::new(path, 1, RULE, advice))
}

/// Checks one Rust file: a signature that is made is not compared by `==`, which ends at the first octet that differs.
pub(super) fn signatures(path: &str, source: &Source<'_>) -> Vec<Finding> {
    let advice =
        "compare signatures by `ct_eq` (subtle): `==` takes longer the more of a guess is right";
    let made = [".sign(", ".short(", ".mac("];
    let compares = |code: &str| {
        let makes = made.iter().any(|call| code.contains(call));
        makes && (code.contains(" == ") || code.contains(" != "))
    };
    let lines = source.code_lines().filter(|(line, _)| !source.is_test(*line));
    lines
        .filter(|(_, code)| compares(code))
        .map(|(line, _)| Finding::new(path, line, RULE, advice))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let files = COMPARES_SECRETS.iter().map(|path| (*path, "let right = a.ct_eq(b);"));
        let mut files: Vec<_> = files.collect();
        files[1].1 = text;
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_place_that_compares_secrets_does_so_in_constant_time() {
        assert!(found("fn a() -> bool { mark.ct_eq(given).into() }").is_empty());
        for bad in [
            "fn a() -> bool { mark == given }",
            "// .ct_eq(\nfn a() -> bool { mark == given }",
            "#[cfg(test)]\nmod tests { fn a() -> bool { mark.ct_eq(given).into() } }",
        ] {
            let found = found(bad).concat();
            assert!(
                found.starts_with("pure/protocol/src/auth/nonce.rs:1: secret"),
                "{bad}: {found}"
            );
        }
        assert!(check(&Tree::of(&[])).is_empty(), "a house without them");
    }

    #[test]
    fn no_signature_is_compared_octet_by_octet() {
        let found = |text: &str| signatures("a.rs", &Source::read(text)).len();
        assert_eq!(found("fn a() { if seal.sign([b]) != *c { d() } }"), 1);
        assert_eq!(found("fn a() { (self.short([b])[..] == c).then_some(d) }"), 1);
        assert_eq!(found("fn a() { self.sign(b).ct_eq(c).into() }"), 0);
        assert_eq!(found("#[cfg(test)]\nmod tests { fn a() { assert!(x.sign(b) == c) } }"), 0);
    }
}
