//! `Wire`: one connection to one server of the store: commands out, answers in.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

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

impl Wire {
    /// Connects, and says who we are.
    pub(crate) fn open(url: &Url, (host, port): (&str, u16)) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limits::CONNECT) {
                Ok(tcp) => return Self::greet(url, host, tcp),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn greet(url: &Url, host: &str, tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(limits::ANSWER))?;
        tcp.set_write_timeout(Some(limits::ANSWER))?;
        let stream = if url.secure { secured(host, tcp)? } else { Stream::Plain(tcp) };
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

fn secured(host: &str, tcp: TcpStream) -> io::Result<Stream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(Stream::Secure(Box::new(StreamOwned::new(session, tcp))))
}
