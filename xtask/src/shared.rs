//! Where the material lies that is too large or not ours to carry: RFCs, requirement lists, corpora.

use std::path::{Path, PathBuf};

/// `$OFFHOOK_SHARED`, or `../shared` beside the repository; `None` when neither is a folder.
pub(crate) fn folder(root: &Path) -> Option<PathBuf> {
    std::env::var_os("OFFHOOK_SHARED")
        .map(PathBuf::from)
        .or_else(|| Some(root.parent()?.join("shared")))
        .filter(|folder| folder.is_dir())
}
