//! `Session`: the TLS of one connection.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use protocol::Identity;
use protocol::transport::distrust::Why;
use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Connection, Error,
    HandshakeKind, ServerConfig, ServerConnection,
};

use super::subject::Reading;
use crate::limits;

/// The TLS of one connection.
pub(crate) struct Session {
    tls: Connection,
    peer: Peer,
    /// Octets that were taken from the socket, are no secret any more, and nobody has asked for yet.
    left: usize,
    /// The peer has said that it will say nothing more.
    closed: bool,
    /// What ended it.
    fault: Option<Error>,
}

/// Who is on the other side.
#[derive(Debug)]
enum Peer {
    /// Somebody who has called us: who it is, its certificate says, if it has one.
    Stranger(Reading),
    /// Whom we have called: it has proven to be this one, or there is no session.
    Wanted(Identity),
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn accept(config: Arc<ServerConfig>, reading: Reading) -> Option<Self> {
        let mut tls = Connection::from(ServerConnection::new(config).ok()?);
        tls.set_buffer_limit(Some(limits::TLS_BUFFER));
        Some(Self { tls, peer: Peer::Stranger(reading), left: 0, closed: false, fault: None })
    }

    /// `None` when the domain is no name that a certificate could be for.
    pub(super) fn connect(
        config: Arc<ClientConfig>,
        domain: &str,
        identity: Identity,
    ) -> Option<Self> {
        let name = ServerName::try_from(domain.to_owned()).ok()?;
        let mut tls = Connection::from(ClientConnection::new(config, name).ok()?);
        tls.set_buffer_limit(Some(limits::TLS_BUFFER));
        Some(Self { tls, peer: Peer::Wanted(identity), left: 0, closed: false, fault: None })
    }

    /// True once the handshake is done.
    pub(crate) fn is_up(&self) -> bool {
        self.fault.is_none() && !self.tls.is_handshaking()
    }

    /// True when the handshake was short because the peer was here before.
    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Who the peer has proven to be.
    pub(crate) fn identity(&self) -> Identity {
        match &self.peer {
            Peer::Wanted(identity) => *identity,
            Peer::Stranger(reading) => self
                .tls
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map_or(Identity::NONE, |first| reading.identity(first)),
        }
    }

    /// Why it has ended, when that was before its time; `None` when the peer just went.
    pub(crate) fn why(&self) -> Option<Why> {
        self.fault.as_ref().map(why)
    }

    pub(crate) fn read(&mut self, stream: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        // Each round takes what one read of the socket brings. Whoever fills rounds with nothing for us has had its turn.
        for _ in 0..limits::READS {
            match self.opened(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            self.tls.read_tls(stream)?;
            match self.tls.process_new_packets() {
                Ok(state) => {
                    self.left = state.plaintext_bytes_to_read();
                    self.closed = state.peer_has_closed();
                }
                Err(error) => {
                    self.fault = Some(error);
                    // The peer is told why, if it still listens.
                    while self.tls.wants_write() && self.tls.write_tls(stream).is_ok() {}
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        // What the last round has brought: the socket does not tell of it again.
        self.opened(room)
    }

    /// What was taken from the socket and is no secret any more.
    fn opened(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.tls.reader().read(room) {
            // The stream ended without a word of farewell: what came is whole messages, or it is thrown away with the rest.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Ok(count) => {
                self.left = self.left.saturating_sub(count);
                Ok(count)
            }
            result => result,
        }
    }

    /// True when it holds more to read, or the end: the socket does not tell of that again.
    pub(crate) const fn holds_more(&self) -> bool {
        self.left > 0 || self.closed
    }

    pub(crate) fn write(&mut self, stream: &mut TcpStream, octets: &[u8]) -> io::Result<usize> {
        let taken = if octets.is_empty() { 0 } else { self.tls.writer().write(octets)? };
        let mut moved = taken > 0;
        while self.tls.wants_write() {
            match self.tls.write_tls(stream) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => moved = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && moved => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    pub(crate) fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Says that nothing more will be written (RFC 8446 §6.1).
    pub(crate) fn farewell(&mut self, stream: &mut TcpStream) {
        self.tls.send_close_notify();
        while self.tls.wants_write() && self.tls.write_tls(stream).is_ok() {}
        // A stream that is gone has been told already.
        drop(stream.shutdown(Shutdown::Write));
    }
}

/// In our words.
fn why(error: &Error) -> Why {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::NoCertificatesPresented => Why::BadCertificate("it showed none".into()),
        Error::AlertReceived(alert) => Why::Refused(said(*alert)),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Why::NotTls,
        error => Why::Refused(error.to_string().into()),
    }
}

fn of_certificate(error: &CertificateError) -> Why {
    match error {
        CertificateError::NotValidForNameContext { presented, .. } => {
            Why::OtherName(presented.iter().map(|name| name.as_str().into()).collect())
        }
        CertificateError::ExpiredContext { not_after, .. } => Why::Expired(not_after.as_secs()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Why::NotYetValid(not_before.as_secs())
        }
        CertificateError::UnknownIssuer => Why::UnknownAuthority,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Why::OtherPurpose
        }
        CertificateError::Other(other)
            if matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) =>
        {
            Why::BadCertificate(
                "it is an authority's (CA:TRUE), which a server must not use".into(),
            )
        }
        error => Why::BadCertificate(error.to_string().into()),
    }
}

/// What a peer says when it ends a handshake (RFC 8446 §6.2).
fn said(alert: AlertDescription) -> Box<str> {
    match alert {
        AlertDescription::UnknownCA => "it does not trust the authority of our certificate",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown => "it does not accept our certificate",
        AlertDescription::CertificateExpired => "our certificate has expired, it says",
        AlertDescription::CertificateRequired => "it wants a certificate of ours",
        AlertDescription::AccessDenied => "it does not let us in",
        AlertDescription::UnrecognisedName => "it is not the server of that domain, it says",
        AlertDescription::ProtocolVersion => "it speaks no version of TLS that we speak",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it found no way to talk to us: no cipher in common, or it wants a certificate of ours"
        }
        other => return format!("{other:?}").into(),
    }
    .into()
}
