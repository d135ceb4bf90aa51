//! `CannotUse`: what is wrong with a file of certificates or keys, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file that is of no use, and what is wrong with it.
#[derive(Debug)]
pub struct CannotUse {
    /// The file; of a pair that does not fit, the key's.
    pub file: PathBuf,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Wrong {
    /// The system does not let us read it.
    NotRead(io::Error),
    /// There is no such section in it: `CERTIFICATE`, or `PRIVATE KEY`.
    Without(&'static str),
    /// What stands from this line on is no PEM.
    NotPem {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: Box<str>,
    },
    /// The certificate that begins at this line is none.
    NotACertificate {
        /// The line, from 1.
        line: usize,
    },
    /// The key is of a kind that cannot be used.
    UnusableKey(Box<str>),
    /// The key is another certificate's.
    OtherKey {
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// Something that the TLS library says.
    Library(Box<str>),
}

impl CannotUse {
    pub(super) fn new(file: &Path, wrong: Wrong) -> Self {
        Self { file: file.to_owned(), wrong }
    }
}

impl fmt::Display for CannotUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.wrong {
            Wrong::NotRead(error) => write!(f, "{file}: {error}"),
            Wrong::Without(what) => write!(
                f,
                "{file}: there is no \"-----BEGIN {what}-----\" in it: is it a PEM file, and the right one?"
            ),
            Wrong::NotPem { line, what } => write!(f, "{file}:{line}: {what}"),
            Wrong::NotACertificate { line } => {
                write!(f, "{file}:{line}: what begins here is no certificate")
            }
            Wrong::UnusableKey(what) => write!(f, "{file}: the key cannot be used: {what}"),
            Wrong::OtherKey { certificate } => {
                write!(
                    f,
                    "{file}: this is not the key of the certificate in {}",
                    certificate.display()
                )
            }
            Wrong::Library(what) => write!(f, "{file}: {what}"),
        }
    }
}

impl std::error::Error for CannotUse {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.wrong {
            Wrong::NotRead(error) => Some(error),
            _ => None,
        }
    }
}
