//! Samples from beside the project: messages that were meant to hurt somebody.

use std::fs;
use std::path::{Path, PathBuf};

/// One sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its folder and file.
    pub name: String,
    /// What its index says: `accept`, `reject`, `either`, `semantic`, `nocrash`.
    pub class: String,
    /// The octets.
    pub octets: Vec<u8>,
}

/// The samples of some folders of `../shared/corpus` (or of where `OFFHOOK_SHARED` says). None, and a word about it, when they
/// are not there.
pub fn samples(folders: &[&str]) -> Vec<Sample> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("OFFHOOK_SHARED").map_or_else(beside, PathBuf::from);
    folders.iter().flat_map(|folder| read(&root.join("corpus").join(folder))).collect()
}

fn read(folder: &Path) -> Vec<Sample> {
    let Ok(index) = fs::read_to_string(folder.join("INDEX.tsv")) else {
        let missing = format!("{} is not there (set OFFHOOK_SHARED)", folder.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return Vec::new();
    };
    let sample = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let octets = fs::read(folder.join(columns.first()?)).ok()?;
        let class = columns.get(4)?.to_string();
        let name = format!("{}/{}", folder.file_name()?.display(), columns.first()?);
        Some(Sample { name, class, octets })
    };
    index.lines().skip(1).filter_map(sample).collect()
}
