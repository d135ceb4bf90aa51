//! `Wire`: what carries a line's octets: a socket for datagrams, a connection, or one with TLS. Nobody waits for it.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// More octets than any message of these calls has.
const LONGEST: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// The transport of a word of the command line.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "udp" => Some(Self::Udp),
            "tcp" => Some(Self::Tcp),
            "tls" => Some(Self::Tls),
            _ => None,
        }
    }

    /// As a Via names it.
    pub(crate) const fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As a URI names it.
    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

pub(crate) enum Wire {
    Udp(UdpSocket, VecDeque<String>),
    Tcp(TcpStream, Vec<u8>),
    Tls(TcpStream, Box<ClientConnection>),
}

impl Wire {
    /// Leads to the server; and our port.
    pub(crate) fn connect(
        transport: Transport,
        server: SocketAddr,
    ) -> Result<(Self, u16), Box<dyn Error>> {
        if transport == Transport::Udp {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.connect(server)?;
            socket.set_nonblocking(true)?;
            let port = socket.local_addr()?.port();
            return Ok((Self::Udp(socket, VecDeque::new()), port));
        }
        let mut stream = TcpStream::connect(server)?;
        let port = stream.local_addr()?.port();
        let tls = match transport {
            Transport::Tls => Some(handshake(&mut stream, server)?),
            Transport::Tcp | Transport::Udp => None,
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(match tls {
            Some(tls) => (Self::Tls(stream, Box::new(tls)), port),
            None => (Self::Tcp(stream, Vec::new()), port),
        })
    }

    /// Puts a message into the queue.
    pub(crate) fn say(&mut self, message: String) -> io::Result<()> {
        match self {
            Self::Udp(_, queue) => queue.push_back(message),
            Self::Tcp(_, queue) => queue.extend_from_slice(message.as_bytes()),
            Self::Tls(_, tls) => tls.writer().write_all(message.as_bytes())?,
        }
        Ok(())
    }

    /// Writes what waits and reads what has come, as far as the kernel goes along.
    pub(crate) fn pump(&mut self, heard: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Udp(socket, queue) => {
                while let Some(message) = queue.front()
                    && socket.send(message.as_bytes()).or_else(later)? > 0
                {
                    queue.pop_front();
                }
                let mut room = [0; LONGEST];
                while let length @ 1.. = socket.recv(&mut room).or_else(later)? {
                    heard.extend_from_slice(room.get(..length).unwrap_or_default());
                }
            }
            Self::Tcp(stream, queue) => {
                while !queue.is_empty() {
                    let length @ 1.. = stream.write(queue).or_else(later)? else { break };
                    queue.drain(..length);
                }
                stream.read_to_end(heard).or_else(later)?;
            }
            Self::Tls(stream, tls) => {
                while tls.wants_write() && tls.write_tls(stream).or_else(later)? > 0 {}
                if tls.read_tls(stream).or_else(later)? > 0 {
                    tls.process_new_packets().map_err(io::Error::other)?;
                    tls.reader().read_to_end(heard).or_else(later)?;
                }
            }
        }
        Ok(())
    }
}

/// What the kernel does not take or has not got yet is no error.
fn later(error: io::Error) -> io::Result<usize> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(0),
        _ => Err(error),
    }
}

fn handshake(
    stream: &mut TcpStream,
    server: SocketAddr,
) -> Result<ClientConnection, Box<dyn Error>> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let mut tls = ClientConnection::new(Arc::new(config), server.ip().into())?;
    while tls.is_handshaking() {
        tls.complete_io(stream)?;
    }
    tls.set_buffer_limit(None);
    Ok(tls)
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
