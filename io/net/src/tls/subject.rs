//! What a certificate says: for whom it is, and how long (RFC 5280 §4.1.2.5, §4.2.1.6; RFC 5922 §7.1).

use std::time::Duration;

use protocol::Identity;
use protocol::transport::{Subject, Wildcards};
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// How certificates of those who call us are read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub known: Vec<Box<str>>,
    pub wildcards: Wildcards,
}

impl Reading {
    /// Who it is: the first domain that is known; when none is, the first that the certificate names.
    pub(crate) fn identity(&self, certificate: &CertificateDer<'_>) -> Identity {
        let Some(subject) = subject_of(certificate) else { return Identity::NONE };
        let known = self.known.iter().find(|domain| subject.is_for(domain, self.wildcards));
        let first = || subject.domains().into_iter().find(|name| !name.starts_with("*."));
        known.map(|known| &**known).or_else(first).map_or(Identity::NONE, Identity::of)
    }
}

/// For whom a certificate is; `None` when it cannot be read.
pub fn subject_of(certificate: &CertificateDer<'_>) -> Option<Subject> {
    let read = EndEntityCert::try_from(certificate).ok()?;
    let own = |name: &str| name.into();
    Some(Subject {
        uris: read.valid_uri_names().map(own).collect(),
        hosts: read.valid_dns_names().map(own).collect(),
    })
}

/// How long a certificate is valid, in seconds after 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From when on.
    pub from: u64,
    /// Until when.
    pub until: u64,
}

/// How long a certificate is valid; `None` when it cannot be read.
pub fn validity_of(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let read = EndEntityCert::try_from(certificate).ok()?;
    let judge = |seconds| {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::server_auth();
        read.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &[], &[], now, usage, None, None).err()
    };
    // The library looks at the time before all else, and says what it has found there.
    let (
        Some(Error::CertNotValidYet { not_before, .. }),
        Some(Error::CertExpired { not_after, .. }),
    ) = (judge(0), judge(END_OF_TIME))
    else {
        return None;
    };
    Some(Validity { from: not_before.as_secs(), until: not_after.as_secs() })
}

/// The last second of the year 9999: no certificate is valid then, but those "without an end" (RFC 5280 §4.1.2.5).
const END_OF_TIME: u64 = 253_402_300_800;
