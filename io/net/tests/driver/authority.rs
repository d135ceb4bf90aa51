//! `Authority`: certificates of our own making, good and bad, and peers that speak TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use offhook_net::tls::{Files, Named, System, Terms, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType, date_time_ymd,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::echo::PATIENCE;

/// Says who somebody is. Its files go when it does.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    Expired,
    NotYetValid,
    /// It is for clients alone.
    ForClients,
    /// The name stands where it stood in the old days: in the Subject's common name.
    CommonName,
    /// It says that it is an authority's.
    Authority,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("offhook-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = name(&format!("authority {number}"));
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder };
        fs::write(authority.file(), authority.issuer.pem()).unwrap();
        authority
    }

    /// Its own certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A certificate for these names: `sip:…` becomes a URI, anything else a DNS name.
    pub(crate) fn issue(&self, file: &str, names: &[&str], flaw: Flaw) -> Files {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let san = |name: &&str| match name.strip_prefix("sip:") {
            Some(_) => SanType::URI((*name).try_into().unwrap()),
            None => match name.parse() {
                Ok(ip) => SanType::IpAddress(ip),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            },
        };
        params.distinguished_name = name(names[0]);
        params.subject_alt_names = names.iter().map(san).collect();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
        match flaw {
            Flaw::None => {}
            Flaw::Expired => params.not_after = date_time_ymd(2021, 2, 3),
            Flaw::NotYetValid => params.not_before = date_time_ymd(2099, 1, 1),
            Flaw::ForClients => {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }
            Flaw::CommonName => params.subject_alt_names = Vec::new(),
            Flaw::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = Files {
            certificate: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}.key")),
        };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    /// What a driver is told that trusts this authority alone, and shows a certificate for these names.
    pub(crate) fn terms(&self, names: &[&str]) -> Terms {
        Terms {
            certificate: Some(self.issue("house", names, Flaw::None)),
            authorities: vec![self.file()],
            system: System::Ignored,
            ..Terms::default()
        }
    }

    /// The TLS of a server of the tests.
    pub(crate) fn server(&self, files: &Files) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let (chain, key) = read(files);
        Arc::new(config.with_single_cert(chain, key).unwrap())
    }

    /// The TLS of a client of the tests, with a certificate or without.
    pub(crate) fn client(&self, files: Option<&Files>) -> Arc<ClientConfig> {
        self.client_by(files, rustls::ALL_VERSIONS)
    }

    pub(crate) fn client_by(
        &self,
        files: Option<&Files>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match files.map(read) {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
            None => config.with_no_client_auth(),
        })
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn read(files: &Files) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(&files.certificate).unwrap();
    (chain.map(Result::unwrap).collect(), PrivateKeyDer::from_pem_file(&files.key).unwrap())
}

/// A certificate for one more domain.
pub(crate) fn named(name: &str, files: Files) -> Named {
    Named { name: name.into(), files }
}

pub(crate) fn load(terms: &Terms) -> Tls {
    Tls::load(terms).unwrap_or_else(|error| panic!("{error}"))
}

/// A peer that speaks TLS.
pub(crate) type Peer = StreamOwned<ClientConnection, TcpStream>;

/// Calls a house, and asks for a domain there. Nothing is agreed upon before something is written or read.
pub(crate) fn call(config: &Arc<ClientConfig>, to: SocketAddr, domain: &str) -> Peer {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(domain.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream)
}

/// Reads one answer without a body; an error when the peer does not let us.
pub(crate) fn read_answer(peer: &mut impl Read) -> std::io::Result<String> {
    let mut answer = Vec::new();
    let mut octet = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        peer.read_exact(&mut octet)?;
        answer.extend_from_slice(&octet);
    }
    Ok(crate::echo::subject(&answer))
}

/// Asks something and reads the answer.
pub(crate) fn ask(peer: &mut (impl Read + Write), subject: &str) -> std::io::Result<String> {
    peer.write_all(&crate::echo::options(subject, ""))?;
    read_answer(peer)
}
