//! The full files of a book: how they are called, and which of them go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log::timestamp;

/// The name under which a full file is kept: `calls-2026-11-28T120000Z.csv`, and when there is one already `…Z-2.csv`.
pub(super) fn name(path: &Path, now: Duration) -> PathBuf {
    let (stem, ending) = parts(path);
    let stamp: String = timestamp(now).chars().filter(|c| *c != ':').take(STAMP - 1).collect();
    let named = |more: &str| path.with_file_name(format!("{stem}-{stamp}Z{more}{ending}"));
    let first = std::iter::once(named(""));
    let others = (2..u32::MAX).map(|number| named(&format!("-{number}")));
    first.chain(others).find(|name| !name.exists()).unwrap_or_else(|| named("-x"))
}

/// Removes the oldest full files, so that `keep` are left.
///
/// # Errors
/// When the folder cannot be read, or a file cannot be removed; the others are all the same.
pub(super) fn thin(path: &Path, keep: usize) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut full = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let found = entry.file_name();
        full.extend(found.to_str().and_then(|found| age(path, found)).map(|age| (age, found)));
    }
    full.sort();
    let more = full.len().saturating_sub(keep);
    let removed = full.iter().take(more).map(|(_, name)| std::fs::remove_file(folder.join(name)));
    // Somebody else may have been faster.
    let missed =
        removed.filter(|it| !matches!(it, Err(error) if error.kind() == io::ErrorKind::NotFound));
    // All of them, whatever becomes of one.
    let mut all = Ok(());
    missed.for_each(|one| all = std::mem::replace(&mut all, Ok(())).and(one));
    all
}

/// What says how old a full file of ours is: its stamp, then its number. Nothing for a file that is none: it is never touched.
fn age(path: &Path, found: &str) -> Option<(String, u32)> {
    let (stem, ending) = parts(path);
    let rest = found.strip_prefix(&stem)?.strip_prefix('-')?.strip_suffix(&ending)?;
    let (stamp, number) = rest.split_at_checked(STAMP)?;
    let fits = |(c, pattern): (char, char)| match pattern {
        '0' => c.is_ascii_digit(),
        _ => c == pattern,
    };
    if !stamp.chars().zip(PATTERN.chars()).all(fits) {
        return None;
    }
    let number = match number {
        "" => 1,
        number => number.strip_prefix('-')?.parse().ok()?,
    };
    Some((stamp.to_owned(), number))
}

fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    (text(path.file_stem()), ending.unwrap_or_default())
}

const PATTERN: &str = "0000-00-00T000000Z";
const STAMP: usize = PATTERN.len();
