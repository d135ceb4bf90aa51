//! `Line`: one TLS connection, and the messages that come out of it. Nobody waits for it.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

pub(crate) struct Line {
    /// Our port.
    pub(crate) port: u16,
    stream: TcpStream,
    tls: ClientConnection,
    heard: Vec<u8>,
}

impl Line {
    pub(crate) fn connect(server: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let mut stream = TcpStream::connect(server)?;
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let mut tls = ClientConnection::new(Arc::new(config), server.ip().into())?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        tls.set_buffer_limit(None);
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { port: stream.local_addr()?.port(), stream, tls, heard: Vec::new() })
    }

    /// Puts a message into the queue.
    pub(crate) fn say(&mut self, message: &str) -> io::Result<()> {
        self.tls.writer().write_all(message.as_bytes())
    }

    /// Writes what waits and reads what has come, as far as the kernel goes along.
    pub(crate) fn pump(&mut self) -> io::Result<()> {
        let later = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => Ok(0),
            _ => Err(error),
        };
        while self.tls.wants_write() && self.tls.write_tls(&mut self.stream).or_else(later)? > 0 {}
        if self.tls.read_tls(&mut self.stream).or_else(later)? > 0 {
            self.tls.process_new_packets().map_err(io::Error::other)?;
            self.tls.reader().read_to_end(&mut self.heard).or_else(later)?;
        }
        Ok(())
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Option<String> {
        let end = self.heard.windows(4).position(|octets| octets == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(self.heard.get(..end)?).into_owned();
        let length = head.lines().find_map(|row| row.strip_prefix("Content-Length:"));
        let end = end + length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        (self.heard.len() >= end).then(|| self.heard.drain(..end))?;
        Some(head)
    }
}

/// Believes any certificate: what is measured is the server.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
