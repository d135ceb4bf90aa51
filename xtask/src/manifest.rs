//! `Manifest`: what a `Cargo.toml` says that the floors depend on.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::source::line_of;

/// One package of the house.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The folder, as `pure/sip`.
    pub(crate) folder: String,
    /// `package.name`.
    pub(crate) name: String,
    /// `lints.workspace = true`.
    pub(crate) obeys_house_lints: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line under `dependencies`, of whatever kind.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) key: String,
    /// The name on crates.io, or in our own tree.
    pub(crate) package: String,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    /// `.workspace = true`: version and features are said once, in the root's Cargo.toml.
    pub(crate) from_workspace: bool,
    /// The folder, if it is ours.
    pub(crate) folder: Option<String>,
}

/// Whether it ends up in the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

/// Key → folder (if ours) and package, from the root's `workspace.dependencies`.
pub(crate) type Known = BTreeMap<String, (Option<String>, String)>;

/// Reads the root's `workspace.dependencies`.
pub(crate) fn known(root: &str) -> Result<Known, String> {
    let table = DeTable::parse(root).map_err(|error| error.to_string())?;
    let dependencies = section(table.get_ref(), &["workspace", "dependencies"]);
    let entries = dependencies.into_iter().flat_map(DeTable::iter).map(|(key, value)| {
        let key = key.get_ref().to_string();
        let package = word(value.get_ref(), "package").unwrap_or_else(|| key.clone());
        (key, (word(value.get_ref(), "path"), package))
    });
    Ok(entries.collect())
}

impl Manifest {
    /// Reads one `Cargo.toml`; `None` when it holds no package.
    pub(crate) fn read(folder: &str, text: &str, known: &Known) -> Result<Option<Self>, String> {
        let table = DeTable::parse(text).map_err(|error| error.to_string())?;
        let table = table.get_ref();
        let Some(name) = section(table, &["package"]).and_then(|package| package.get("name"))
        else {
            return Ok(None);
        };
        let name = name.get_ref().as_str().unwrap_or_default().to_owned();
        let obeys_house_lints = section(table, &["lints"]).is_some_and(inherits);
        let mut manifest =
            Self { folder: folder.to_owned(), name, obeys_house_lints, dependencies: Vec::new() };
        manifest.collect(table, text, known);
        let targets = section(table, &["target"]).into_iter().flat_map(DeTable::iter);
        for target in targets.filter_map(|(_, target)| target.get_ref().as_table()) {
            manifest.collect(target, text, known);
        }
        Ok(Some(manifest))
    }

    fn collect(&mut self, table: &DeTable<'_>, text: &str, known: &Known) {
        let kinds = [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Build),
            ("dev-dependencies", Kind::Dev),
        ];
        for (name, kind) in kinds {
            for (key, value) in section(table, &[name]).into_iter().flat_map(DeTable::iter) {
                let line = line_of(text, key.span().start);
                let dependency = self.dependency(key.get_ref(), value.get_ref(), known);
                self.dependencies.push(Dependency { line, kind, ..dependency });
            }
        }
    }

    fn dependency(&self, key: &str, value: &DeValue<'_>, known: &Known) -> Dependency {
        let from_workspace = value.as_table().is_some_and(inherits);
        let (folder, package) = match known.get(key).filter(|_| from_workspace) {
            Some(known) => known.clone(),
            None => {
                let folder = word(value, "path").map(|path| join(&self.folder, &path));
                (folder, word(value, "package").unwrap_or_else(|| key.to_owned()))
            }
        };
        Dependency {
            key: key.to_owned(),
            package,
            line: 0,
            kind: Kind::Normal,
            from_workspace,
            folder,
        }
    }
}

fn inherits(table: &DeTable<'_>) -> bool {
    table.get("workspace").and_then(|value| value.get_ref().as_bool()) == Some(true)
}

fn section<'a, 'i>(table: &'a DeTable<'i>, path: &[&str]) -> Option<&'a DeTable<'i>> {
    path.iter().try_fold(table, |table, name| table.get(*name)?.get_ref().as_table())
}

fn word(value: &DeValue<'_>, name: &str) -> Option<String> {
    Some(value.as_table()?.get(name)?.get_ref().as_str()?.to_owned())
}

/// `pure/sip` and `../machine` make `pure/machine`.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\nbytes = \"1\"\nsip = { path = \"pure/sip\", package = \"offhook-sip\" }\n";

    #[test]
    fn every_kind_of_dependency_is_read_with_its_line_and_folder() {
        let text = "[package]\nname = \"offhook-sim\"\n[lints]\nworkspace = true\n[dependencies]\nsip.workspace = true\nbytes = \"1\"\n\
                    [dev-dependencies]\nfriend = { path = \"../rtp\" }\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n";
        let manifest = Manifest::read("pure/sim", text, &known(ROOT).unwrap()).unwrap().unwrap();
        assert!(manifest.obeys_house_lints);
        let mut seen: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|d| (d.key.as_str(), d.line, d.kind, d.from_workspace, d.folder.as_deref()))
            .collect();
        seen.sort_by_key(|dependency| dependency.1);
        assert_eq!(
            seen,
            [
                ("sip", 6, Kind::Normal, true, Some("pure/sip")),
                ("bytes", 7, Kind::Normal, false, None),
                ("friend", 9, Kind::Dev, false, Some("pure/rtp")),
                ("libc", 11, Kind::Normal, false, None),
            ]
        );
    }

    #[test]
    fn the_root_is_no_package() {
        assert!(Manifest::read("", ROOT, &Known::new()).unwrap().is_none());
    }
}
