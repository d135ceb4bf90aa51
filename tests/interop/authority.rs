//! `Authority`: who says in a test who somebody is.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority of a test's own, with its files in a folder.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: folder.to_path_buf() };
        std::fs::write(authority.file(), authority.issuer.pem()).unwrap();
        authority
    }

    /// Its own certificate: whoever trusts it trusts whom it has certified.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// Where the certificate of a server is, for which [`Self::certify`] has been asked.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Certifies a server for a name or a number; the line of its config.
    pub(crate) fn certify(&self, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let kept = self.folder.join("key.pem");
        std::fs::write(self.certificate(), certificate.pem()).unwrap();
        std::fs::write(&kept, key.serialize_pem()).unwrap();
        let (certificate, key) = (self.certificate(), kept);
        format!("tls = {{ certificate = {certificate:?}, private_key = {key:?} }}\n")
    }
}
