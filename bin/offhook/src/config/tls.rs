//! `[tls]`: the server's certificate.

use std::path::PathBuf;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The chain, PEM, the server's own first.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub private_key: PathBuf,
}

impl Tls {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Option<Self> {
        if written.is_absent() {
            return None;
        }
        let mut path = |key: &'static str| {
            let text = written.required(key, "[tls]", faults)?;
            if text.value.is_empty() {
                faults.refuse(
                    text.span,
                    format!("`{key}` is empty"),
                    "write the name of a PEM file",
                );
            }
            Some(PathBuf::from(text.value))
        };
        let (certificate, private_key) = (path("certificate"), path("private_key"));
        Some(Self { certificate: certificate?, private_key: private_key? })
    }
}

pub(super) const SECTION: Section = Section {
    name: "tls",
    repeated: false,
    about: "The server's certificate: needed when `[listen]` has `tls` or `wss`. Both files are read again when they \
            change.",
    keys: &[
        Key::required(
            "certificate",
            "File with the certificate chain (PEM), the server's own certificate first.",
        ),
        Key::required("private_key", "File with its private key (PEM)."),
    ],
};
