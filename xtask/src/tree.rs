//! `Tree`: the files of the house, read once; in tests, made of strings.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Paths that hold nothing of ours: build output, runs' leftovers (the same as in .gitignore).
const NOT_OURS: &[&str] =
    &[".git", "target", "fuzz/target", "fuzz/corpus", "fuzz/artifacts", "data"];

/// What is read as text; of all other files only the name and the size are known.
const TEXT: &[&str] = &["rs", "toml", "md", "sh", "txt", "yml"];

/// Every file of the repository by its path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The folder it was read from; empty in tests.
    pub(crate) root: PathBuf,
    texts: BTreeMap<String, String>,
    sizes: BTreeMap<String, u64>,
}

impl Tree {
    /// The repository that this program was built from.
    pub(crate) fn root_of_this_house() -> PathBuf {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        xtask.parent().unwrap_or(xtask).to_path_buf()
    }

    /// Reads the house.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self { root: root.to_path_buf(), ..Self::default() };
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                let ours = !NOT_OURS.contains(&tree.name(&entry.path()).as_str());
                if kind.is_dir() && ours {
                    folders.push(entry.path());
                } else if kind.is_file() && ours {
                    tree.add(&entry.path())?;
                }
            }
        }
        Ok(tree)
    }

    fn name(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).to_string_lossy().replace('\\', "/")
    }

    fn add(&mut self, file: &Path) -> io::Result<()> {
        let path = self.name(file);
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        self.sizes.insert(path.clone(), fs::metadata(file)?.len());
        if TEXT.contains(&&*extension) || path.starts_with(".ci/") {
            self.texts.insert(path, String::from_utf8_lossy(&fs::read(file)?).into_owned());
        }
        Ok(())
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// True when there is such a file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let inside = self
            .sizes
            .range(folder.clone()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(&folder));
        path.is_empty() || self.sizes.contains_key(path) || inside
    }

    /// All texts whose path ends so, in the order of their paths.
    pub(crate) fn texts<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts
            .iter()
            .filter(move |(path, _)| path.ends_with(ending))
            .map(|(path, text)| (&**path, &**text))
    }

    /// All files with their sizes in octets.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sizes.iter().map(|(path, size)| (&**path, *size))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these paths and texts.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
            tree.sizes.insert((*path).to_owned(), text.len() as u64);
        }
        tree
    }
}
