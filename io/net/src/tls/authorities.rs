//! Whom we trust to say who somebody is: the authorities of the system, and those that are named.

use std::path::PathBuf;

use rustls::RootCertStore;

use super::faults::{CannotUse, Wrong};
use super::{System, pem};

/// The authorities. Of the system's, what cannot be read is left out: it is not our file.
pub(super) fn read(files: &[PathBuf], system: System) -> Result<RootCertStore, CannotUse> {
    let mut store = RootCertStore::empty();
    if system == System::Trusted {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for file in files {
        for certificate in pem::certificates(file)? {
            let library = |error: rustls::Error| Wrong::Library(error.to_string().into());
            store.add(certificate).map_err(|error| CannotUse::new(file, library(error)))?;
        }
    }
    Ok(store)
}
