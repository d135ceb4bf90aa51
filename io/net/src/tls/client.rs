//! The client's side: the peer must prove to be the domain that was asked for (RFC 5922 §7.3).

use std::sync::Arc;

use protocol::transport::Wildcards;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::faults::{CannotUse, Wrong};
use super::keyring::Keyring;
use super::{provider, subject};
use crate::limits;

pub(super) fn config(
    keyring: Option<Arc<Keyring>>,
    roots: Arc<RootCertStore>,
    wildcards: Wildcards,
) -> Result<ClientConfig, CannotUse> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Verifier { roots, algorithms, wildcards };
    let config = ClientConfig::builder_with_provider(Arc::<CryptoProvider>::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| CannotUse::new("TLS".as_ref(), Wrong::Library(error.to_string().into())))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match keyring {
        Some(keyring) => config.with_client_cert_resolver(keyring),
        None => config.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(limits::TLS_SESSIONS);
    Ok(config)
}

/// Judges the certificates of servers as SIP wants it: the chain as everywhere (RFC 5280), the name by RFC 5922.
#[derive(Debug)]
struct Verifier {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    wildcards: Wildcards,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        let subject = subject::subject_of(end_entity).ok_or(CertificateError::BadEncoding)?;
        if subject.is_for(&server_name.to_str(), self.wildcards) {
            return Ok(ServerCertVerified::assertion());
        }
        // A number is no SIP domain, so RFC 5922 says nothing of it: RFC 5280 §4.2.1.6 does.
        if matches!(server_name, ServerName::IpAddress(_))
            && verify_server_name(&parsed, server_name).is_ok()
        {
            return Ok(ServerCertVerified::assertion());
        }
        let presented = subject.domains().into_iter().map(str::to_owned).collect();
        let expected = server_name.to_owned();
        Err(CertificateError::NotValidForNameContext { expected, presented }.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
