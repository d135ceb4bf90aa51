//! `Authority`: who says in a test who somebody is.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An authority of a test's own, with its files in a folder.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// What shows who somebody is: files.
pub(crate) struct Proof {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path) -> Self {
        let mut params = params(&[], "the authority of a test");
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

    /// Certifies somebody for names and numbers.
    pub(crate) fn certify(&self, names: &[&str]) -> Proof {
        let file = |kind: &str| self.folder.join(format!("{}.{kind}", names[0]));
        let proof = Proof { certificate: file("pem"), key: file("key") };
        let key = KeyPair::generate().unwrap();
        let params = params(names, names[0]);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(&proof.certificate, certificate.pem()).unwrap();
        std::fs::write(&proof.key, key.serialize_pem()).unwrap();
        proof
    }

    /// The line of a config that has a server show this proof, and trust this authority alone.
    pub(crate) fn line(&self, Proof { certificate, key }: &Proof) -> String {
        let ours = self.file();
        format!(
            "tls = {{ certificate = {certificate:?}, private_key = {key:?}, authorities = [{ours:?}], system_authorities = false }}\n"
        )
    }
}

/// Each has a subject of its own: OpenSSL takes a certificate whose subject is its issuer's for one that has signed itself.
fn params(names: &[&str], subject: &str) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}
