//! `Wire`: one connection to one server of the store, and its protocol (RESP2): commands out, answers in.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::limits;
use crate::url::Url;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A word, like OK.
    Word(String),
    /// It refuses, and why.
    Error(String),
    /// A number.
    Number(i64),
    /// Octets; nothing, when there are none.
    Octets(Option<Box<[u8]>>),
    /// Several answers in one.
    Row(Vec<Self>),
}

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
        read(&mut self.stream, limits::NESTS)
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

/// Writes a command.
pub(crate) fn put(octets: &mut Vec<u8>, words: &[&[u8]]) {
    octets.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        octets.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        octets.extend_from_slice(word);
        octets.extend_from_slice(b"\r\n");
    }
}

fn read(from: &mut impl io::BufRead, nests: u32) -> io::Result<Said> {
    let mut line = Vec::new();
    from.by_ref().take(limits::LINE).read_until(b'\n', &mut line)?;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let Some((kind, rest)) = line.split_first() else { return Err(broken()) };
    let text = || String::from_utf8_lossy(rest).into_owned();
    let number = || {
        let text = std::str::from_utf8(rest).ok()?;
        text.parse::<i64>().ok()
    };
    match kind {
        b'+' => Ok(Said::Word(text())),
        b'-' => Ok(Said::Error(text())),
        b':' => Ok(Said::Number(number().ok_or_else(broken)?)),
        b'$' => read_octets(from, number().ok_or_else(broken)?),
        b'*' => {
            let count = usize::try_from(number().ok_or_else(broken)?).unwrap_or(0);
            if count > limits::ROW || nests == 0 {
                return Err(broken());
            }
            (0..count).map(|_| read(from, nests - 1)).collect::<io::Result<_>>().map(Said::Row)
        }
        _ => Err(broken()),
    }
}

fn read_octets(from: &mut impl io::BufRead, length: i64) -> io::Result<Said> {
    let Ok(length) = usize::try_from(length) else { return Ok(Said::Octets(None)) };
    if length > limits::RECORD {
        return Err(broken());
    }
    let mut octets = vec![0; length.saturating_add(2)];
    from.read_exact(&mut octets)?;
    octets.truncate(length);
    Ok(Said::Octets(Some(octets.into())))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not speak the protocol of Redis")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(octets: &[u8]) -> io::Result<Said> {
        read(&mut &*octets, limits::NESTS)
    }

    #[test]
    fn answers_are_read_and_half_of_one_is_none() {
        let octets = b"*4\r\n+OK\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n";
        let row = [
            Said::Word("OK".into()),
            Said::Number(-7),
            Said::Octets(Some(b"a\r\n"[..].into())),
            Said::Octets(None),
        ];
        assert_eq!(said(octets).unwrap(), Said::Row(row.into()));
        for end in 0..octets.len() {
            assert!(said(&octets[..end]).is_err(), "{end}");
        }
        assert_eq!(said(b"-ERR x\r\n").unwrap(), Said::Error("ERR x".into()));
    }

    #[test]
    fn what_is_too_much_is_not_allocated() {
        let nested = "*1\r\n".repeat(50);
        let huge = ["$99999999999\r\n", "*99999999\r\n", &nested, "?\r\n", ":x\r\n", "\r\n"];
        assert!(huge.iter().all(|octets| said(octets.as_bytes()).is_err()));
        assert!(said(&vec![b'+'; 100_000]).is_err());
    }

    #[test]
    fn a_command_is_a_row_of_octets() {
        let mut octets = Vec::new();
        put(&mut octets, &[b"GET", b"a\r\nb"]);
        assert_eq!(octets, b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
    }
}
