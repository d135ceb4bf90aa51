//! `Account`: whose phone it is, where the phone is, and which server it belongs to.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::authority::Authority;
use crate::land::Host;

/// A phone's account. Its password is `pw-NUMBER`.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) number: String,
    /// Where its requests go.
    pub(crate) server: SocketAddr,
    /// What stands behind the @ of its address; without a name of its own, the server's address.
    pub(crate) domain: String,
    pub(crate) transport: &'static str,
    scheme: &'static str,
    /// Where the phone is.
    pub(crate) host: Host,
    /// The tone that it plays, in hertz.
    pub(crate) tone: f64,
    /// The certificate of the authority that it trusts; for TLS.
    pub(crate) trust: Option<PathBuf>,
    /// Whether nobody may hear its calls on their way: SRTP or nothing.
    pub(crate) secret: bool,
    /// The only codec that it speaks, as baresip names it; nothing: the usual ones.
    pub(crate) codec: Option<&'static str>,
    /// The proxies to which it keeps ways open (RFC 5626); none: it registers as usual.
    pub(crate) ways: Vec<String>,
}

impl Account {
    /// A phone on loopback that speaks UDP and plays 440 Hz.
    pub(crate) fn new(number: &str, server: SocketAddr) -> Self {
        let (number, domain) = (number.to_owned(), server.to_string());
        Self {
            number,
            server,
            domain,
            transport: "udp",
            scheme: "sip",
            host: Host::HERE,
            tone: 440.0,
            trust: None,
            secret: false,
            codec: None,
            ways: Vec::new(),
        }
    }

    pub(crate) fn playing(self, tone: f64) -> Self {
        Self { tone, ..self }
    }

    pub(crate) fn by(self, transport: &'static str) -> Self {
        Self { transport, ..self }
    }

    /// By TLS, to a server that this authority has certified.
    pub(crate) fn trusting(self, authority: &Authority) -> Self {
        Self { transport: "tls", trust: Some(authority.file()), ..self }
    }

    pub(crate) fn in_secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(crate) fn speaking(self, codec: &'static str) -> Self {
        Self { codec: Some(codec), ..self }
    }

    pub(crate) fn keeping(self, ways: &[String]) -> Self {
        Self { ways: ways.to_vec(), ..self }
    }

    pub(crate) fn of(self, domain: &str) -> Self {
        Self { domain: domain.to_owned(), ..self }
    }

    pub(crate) fn on(self, host: &Host) -> Self {
        Self { host: host.clone(), ..self }
    }

    /// The same, and to be reached by TLS alone (`sips:`).
    pub(crate) fn secure(self) -> Self {
        Self { scheme: "sips", ..self }
    }

    /// Its address of record.
    pub(crate) fn uri(&self) -> String {
        format!("{}:{}@{}", self.scheme, self.number, self.domain)
    }
}
