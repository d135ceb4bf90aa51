//! `Wire`: one connection to one server of the store: commands out, answers in.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::limits;
use crate::resp::{self, Said, put};
use crate::url::Url;

/// A connection.
pub(crate) struct Wire {
    stream: BufReader<Stream>,
}

enum Stream {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    const fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Secure(tls) => &tls.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Secure(tls) => tls.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(octets),
            Self::Secure(tls) => tls.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Secure(tls) => tls.flush(),
        }
    }
}

/// Whose certificates are believed, where TLS is spoken.
#[derive(Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities of the file, and no others; without a file those of the system.
    pub(crate) fn of(authority: Option<&Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificates = match authority {
            Some(file) => pem(file)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        roots.add_parsable_certificates(certificates);
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Whether this file could be an `authority`.
///
/// # Errors
/// When it cannot be read, or has no certificate.
pub fn are_certificates(file: &Path) -> io::Result<()> {
    pem(file).map(drop)
}

/// The certificates of a file; one at least.
fn pem(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let named = |what: &str| io::Error::other(format!("{}: {what}", file.display()));
    let all = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| named(&error.to_string()))?;
    if all.is_empty() { Err(named("no certificate is in it")) } else { Ok(all) }
}

impl Wire {
    /// Connects, and says who we are.
    pub(crate) fn open(
        (url, trust): (&Url, Option<&Trust>),
        (host, port): (&str, u16),
    ) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limits::CONNECT) {
                Ok(tcp) => return Self::greet((url, trust), host, tcp),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn greet((url, trust): (&Url, Option<&Trust>), host: &str, tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(limits::ANSWER))?;
        tcp.set_write_timeout(Some(limits::ANSWER))?;
        let stream = match trust {
            Some(trust) => secured(trust, host, tcp)?,
            None => Stream::Plain(tcp),
        };
        let mut wire = Self { stream: BufReader::new(stream) };
        if let Some((user, password)) = &url.user {
            let user = Some(user.as_bytes()).filter(|user| !user.is_empty());
            let words = [Some(&b"AUTH"[..]), user, Some(password.as_bytes())];
            let words: Vec<_> = words.into_iter().flatten().collect();
            match wire.ask(&words)? {
                Said::Error(why) => {
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
                }
                _ => return Ok(wire),
            }
        }
        Ok(wire)
    }

    /// Sends one command, and waits for its answer.
    pub(crate) fn ask(&mut self, words: &[&[u8]]) -> io::Result<Said> {
        let mut octets = Vec::new();
        put(&mut octets, words);
        self.send(&octets)?;
        self.read()
    }

    /// Sends commands that [`put`] has written.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(octets)?;
        self.stream.get_mut().flush()
    }

    /// The next answer.
    pub(crate) fn read(&mut self) -> io::Result<Said> {
        resp::read(&mut self.stream)
    }

    /// How long an answer may take; `None`: for ever.
    pub(crate) fn patience(&self, time: Option<Duration>) -> io::Result<()> {
        self.stream.get_ref().tcp().set_read_timeout(time)
    }
}

fn secured(trust: &Trust, host: &str, tcp: TcpStream) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::clone(&trust.0), name).map_err(io::Error::other)?;
    Ok(Stream::Secure(Box::new(StreamOwned::new(session, tcp))))
}
