//! Import floors: who may depend on whom (ARCHITECTURE.md, "Floors").

use super::house;
use crate::finding::Finding;
use crate::manifest::{self, Dependency, Kind, Manifest};
use crate::tree::Tree;

const RULE: &str = "floors";

/// Checks every `Cargo.toml`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let known = match manifest::known(tree.text("Cargo.toml").unwrap_or_default()) {
        Ok(known) => known,
        Err(why) => return vec![Finding::new("Cargo.toml", 1, RULE, why)],
    };
    let mut findings = Vec::new();
    for (path, text) in tree.texts("Cargo.toml") {
        let folder = path.strip_suffix("Cargo.toml").unwrap_or(path).trim_end_matches('/');
        match Manifest::read(folder, text, &known) {
            Ok(Some(manifest)) => findings.extend(package(path, &manifest)),
            Ok(None) => {}
            Err(why) => findings.push(Finding::new(path, 1, RULE, why)),
        }
    }
    findings
}

/// Where a package lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Pure {
        name: &'a str,
        floor: u8,
    },
    Io,
    Bin,
    /// tests, fuzz, bench, xtask: above all.
    Above,
}

fn place(folder: &str) -> Option<Place<'_>> {
    match folder.split_once('/').unwrap_or((folder, "")) {
        ("pure", name) => {
            let (_, floor) = house::PURE.iter().find(|(known, _)| *known == name)?;
            Some(Place::Pure { name, floor: *floor })
        }
        ("io", _) => Some(Place::Io),
        ("bin", _) => Some(Place::Bin),
        ("tests" | "fuzz" | "bench" | "xtask", _) => Some(Place::Above),
        _ => None,
    }
}

fn package(path: &str, manifest: &Manifest) -> Vec<Finding> {
    let Some(place) = place(&manifest.folder) else {
        let advice =
            format!("`{}` has no floor: give it one in xtask/src/tidy/house.rs", manifest.folder);
        return vec![Finding::new(path, 1, RULE, advice)];
    };
    let mut findings = Vec::new();
    // fuzz/ is a workspace of its own: cargo-fuzz needs a nightly compiler and its own flags.
    let in_workspace = !manifest.folder.starts_with("fuzz");
    if in_workspace && !manifest.obeys_house_lints {
        findings.push(Finding::new(path, 1, "lints", "add `[lints]` with `workspace = true`"));
    }
    if let Place::Pure { name, .. } = place
        && manifest.name != format!("offhook-{name}")
    {
        findings.push(Finding::new(path, 1, "names", format!("call the package `offhook-{name}`")));
    }
    for dependency in &manifest.dependencies {
        let key = &dependency.key;
        if in_workspace && !dependency.from_workspace {
            let advice = format!(
                "list `{key}` in the root's Cargo.toml and write `{key}.workspace = true` here"
            );
            findings.push(Finding::new(path, dependency.line, "dependencies", advice));
        }
        if let Err(advice) = allowed(place, &manifest.name, dependency) {
            findings.push(Finding::new(path, dependency.line, RULE, advice));
        }
    }
    findings
}

fn allowed(place: Place<'_>, user: &str, dependency: &Dependency) -> Result<(), String> {
    let Some(folder) = &dependency.folder else { return outsider(place, user, dependency) };
    let Some(used) = self::place(folder) else { return Err(format!("`{folder}` has no floor")) };
    let test = dependency.kind == Kind::Dev;
    match (place, used) {
        (_, Place::Bin) => {
            Err("nothing imports bin/: move what is shared to a crate below".to_owned())
        }
        (_, Place::Above) => Err(format!("`{folder}` is above all: nothing imports it")),
        (Place::Pure { name, floor: 0 }, Place::Pure { name: "machine", .. })
            if house::MAY_USE_MACHINE.contains(&name) =>
        {
            Ok(())
        }
        (Place::Pure { floor, .. }, Place::Pure { floor: lower, .. })
            if lower < floor || (test && lower == floor) =>
        {
            Ok(())
        }
        (Place::Pure { floor, .. }, Place::Pure { floor: other, .. }) => Err(format!(
            "`{}` is on floor {other}, this crate on floor {floor}: pure/ imports only lower floors. Let the caller \
             pass it in, or move the common part down",
            dependency.key
        )),
        (Place::Pure { .. }, Place::Io) => {
            Err("pure/ does no IO: ask for it with an output instead".to_owned())
        }
        (Place::Io, Place::Io) => {
            Err("io/ crates do not know each other: let bin/ connect them".to_owned())
        }
        (Place::Io | Place::Bin | Place::Above, _) => Ok(()),
    }
}

fn outsider(place: Place<'_>, user: &str, dependency: &Dependency) -> Result<(), String> {
    let package = dependency.package.as_str();
    if house::RUNTIMES.contains(&package) && !house::MAY_USE_A_RUNTIME.contains(&user) {
        return Err(format!(
            "`{package}` brings a runtime: only {:?} may use one",
            house::MAY_USE_A_RUNTIME
        ));
    }
    let pure = matches!(place, Place::Pure { .. });
    if pure && dependency.kind != Kind::Dev && !house::PURE_MAY_IMPORT.contains(&package) {
        return Err(format!(
            "pure/ may import only {}: not `{package}`",
            house::PURE_MAY_IMPORT.join(", ")
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"[workspace.dependencies]
bytes = "1"
tokio = "1"
machine = { path = "pure/machine", package = "offhook-machine" }
sip = { path = "pure/sip", package = "offhook-sip" }
sim = { path = "pure/sim", package = "offhook-sim" }
protocol = { path = "pure/protocol", package = "offhook-protocol" }
net = { path = "io/net", package = "offhook-net" }
"#;

    /// What is found in a package in `folder` with these lines at its end.
    fn found(folder: &str, name: &str, lines: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{lines}");
        let path = format!("{folder}/Cargo.toml");
        let tree = Tree::of(&[("Cargo.toml", ROOT), (&path, &text)]);
        check(&tree).into_iter().map(|finding| finding.to_string()).collect()
    }

    fn one(folder: &str, name: &str, lines: &str) -> String {
        let found = found(folder, name, lines);
        assert_eq!(found.len(), 1, "{found:?}");
        found.concat()
    }

    #[test]
    fn the_good_ways_down_are_open() {
        assert!(
            found(
                "pure/protocol",
                "offhook-protocol",
                "[dependencies]\nsip.workspace = true\nbytes.workspace = true"
            )
            .is_empty()
        );
        assert!(
            found("pure/sim", "offhook-sim", "[dependencies]\nmachine.workspace = true").is_empty()
        );
        assert!(
            found("pure/sip", "offhook-sip", "[dev-dependencies]\nsim.workspace = true").is_empty()
        );
        assert!(
            found("io/net", "offhook-net", "[dependencies]\nprotocol.workspace = true").is_empty()
        );
        assert!(found("bin/offhook", "offhook", "[dependencies]\nnet.workspace = true").is_empty());
    }

    #[test]
    fn pure_imports_only_lower_floors() {
        let found = one("pure/sip", "offhook-sip", "[dependencies]\nmachine.workspace = true");
        assert!(found.starts_with("pure/sip/Cargo.toml:6: floors:"), "{found}");
        one("pure/sip", "offhook-sip", "[dependencies]\nprotocol.workspace = true");
        one("pure/sip", "offhook-sip", "[dev-dependencies]\nprotocol.workspace = true");
        one("pure/protocol", "offhook-protocol", "[dependencies]\nnet.workspace = true");
    }

    #[test]
    fn pure_imports_only_the_listed_outsiders() {
        one("pure/protocol", "offhook-protocol", "[dependencies]\nrand.workspace = true");
        assert!(
            found("pure/sip", "offhook-sip", "[dev-dependencies]\nproptest.workspace = true")
                .is_empty()
        );
    }

    #[test]
    fn io_does_not_know_io_and_nothing_knows_bin() {
        one("io/dns", "offhook-dns", "[dependencies]\nnet.workspace = true");
        one(
            "tests",
            "tests",
            "[dependencies]\noffhook = { path = \"../bin/offhook\", workspace = true }",
        );
    }

    #[test]
    fn a_runtime_needs_a_permit() {
        assert!(
            one("io/net", "offhook-net", "[dependencies]\ntokio.workspace = true")
                .contains("runtime")
        );
    }

    #[test]
    fn a_package_has_a_floor_a_name_house_lints_and_house_versions() {
        assert!(one("pure/newcomer", "offhook-newcomer", "").contains("has no floor"));
        assert!(one("pure/sip", "sip", "").contains("offhook-sip"));
        assert!(
            one("pure/sip", "offhook-sip", "[dependencies]\nbytes = \"1\"")
                .contains("bytes.workspace")
        );
        let bare = Tree::of(&[
            ("Cargo.toml", ROOT),
            ("pure/sip/Cargo.toml", "[package]\nname = \"offhook-sip\""),
        ]);
        assert_eq!(check(&bare).len(), 1);
    }
}
