//! PEM files (RFC 7468): certificates and keys, and the line where one is wrong.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::faults::{CannotUse, Wrong};
use crate::limits;

/// The certificates of a file, in order.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CannotUse> {
    let text = read(file)?;
    let mut found = Vec::new();
    for section in CertificateDer::pem_slice_iter(&text) {
        let certificate = section.map_err(|error| not_pem(file, &text, &error))?;
        if webpki::EndEntityCert::try_from(&certificate).is_err() && anchor(&certificate).is_err() {
            let line = begins(&text, "CERTIFICATE").nth(found.len()).unwrap_or(1);
            return Err(CannotUse::new(file, Wrong::NotACertificate { line }));
        }
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(CannotUse::new(file, Wrong::Without("CERTIFICATE")));
    }
    Ok(found)
}

fn anchor(certificate: &CertificateDer<'_>) -> Result<(), webpki::Error> {
    webpki::anchor_from_trusted_cert(certificate).map(drop)
}

/// The first key of a file.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, CannotUse> {
    let text = read(file)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => CannotUse::new(file, Wrong::Without("PRIVATE KEY")),
        error => not_pem(file, &text, &error),
    })
}

fn read(file: &Path) -> Result<Vec<u8>, CannotUse> {
    use std::io::Read as _;
    let mut text = Vec::new();
    let room = u64::try_from(limits::PEM_FILE).unwrap_or(u64::MAX);
    let read = fs::File::open(file).and_then(|open| open.take(room).read_to_end(&mut text));
    read.map_err(|error| CannotUse::new(file, Wrong::NotRead(error)))?;
    Ok(text)
}

fn not_pem(file: &Path, text: &[u8], error: &pem::Error) -> CannotUse {
    let broken = broken_line(text).unwrap_or(1);
    let (line, what) = match error {
        pem::Error::MissingSectionEnd { .. } => (
            begins(text, "").last().unwrap_or(1),
            "what begins here has no end: no -----END …-----".into(),
        ),
        pem::Error::IllegalSectionStart { line } => {
            let at = text
                .split(|octet| *octet == b'\n')
                .position(|other| other.trim_ascii() == line.trim_ascii());
            (at.map_or(1, |at| at + 1), "this line should be -----BEGIN …-----".into())
        }
        pem::Error::Base64Decode(_) => (broken, "this is not base64, or not all of it".into()),
        other => (1, other.to_string()),
    };
    CannotUse::new(file, Wrong::NotPem { line, what: what.into() })
}

/// The lines on which sections of a kind begin, from 1.
fn begins(text: &[u8], kind: &'static str) -> impl Iterator<Item = usize> {
    let lines = (1..).zip(text.split(|octet| *octet == b'\n'));
    lines.filter_map(move |(number, line)| {
        let rest = line.trim_ascii().strip_prefix(b"-----BEGIN ")?;
        rest.starts_with(kind.as_bytes()).then_some(number)
    })
}

/// The first line within a section that holds something else than base64; without one, the last line of the section that is too short.
fn broken_line(text: &[u8]) -> Option<usize> {
    let mut within = false;
    for (number, line) in (1..).zip(text.split(|octet| *octet == b'\n')) {
        let line = line.trim_ascii();
        if line.starts_with(b"-----") {
            within = line.starts_with(b"-----BEGIN");
            continue;
        }
        let base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
        if within && !line.iter().all(base64) {
            return Some(number);
        }
    }
    begins(text, "").last()
}
