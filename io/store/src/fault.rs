//! `Fault`: what is wrong with the store, in words for who has to mend it.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with the store.
#[derive(Debug)]
pub enum Fault {
    /// The folder cannot be made or read.
    Folder(PathBuf, std::io::Error),
    /// Another process has it open.
    InUse(PathBuf),
    /// A newer Offhook wrote it; it is left untouched.
    Newer {
        /// The file.
        file: PathBuf,
        /// The version of its form.
        has: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The database says no.
    Database(PathBuf, rusqlite::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path, error) => write!(f, "{}: {error}", path.display()),
            Self::InUse(file) => {
                write!(f, "{} is in use: another offhook serves from this folder", file.display())
            }
            Self::Newer { file, has, known } => write!(
                f,
                "{} was written by a newer offhook (form {has}, known here: {known}): it is left as it is",
                file.display()
            ),
            Self::Database(file, error) => write!(f, "{}: {error}", file.display()),
        }
    }
}

impl std::error::Error for Fault {}
