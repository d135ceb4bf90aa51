//! TLS: who we are, whom we trust, and one session of it (RFC 8446, RFC 5246; RFC 5922 for the names).
//!
//! [`Terms`] say what is wanted, [`Tls::load`] reads the files. The certificates lie in a [`Keyring`], which looks at its files again
//! when it is told to. A [`Session`](session::Session) is the TLS of one connection, without a socket of its own.

mod authorities;
mod client;
mod faults;
mod keyring;
mod pem;
mod server;
pub(crate) mod session;
mod subject;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use protocol::Identity;
use protocol::transport::Wildcards;
use rustls::{ClientConfig, ServerConfig};

pub use faults::{CannotUse, Wrong};
pub use keyring::{Files, Keyring, Look, Named};
pub use subject::{Validity, subject_of, validity_of};

/// What TLS is to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The certificate that is shown to all who ask for no other; without one nobody is let in, and we can only call out.
    pub certificate: Option<Files>,
    /// Certificates for those who ask for these domains (server name indication, RFC 6066 §3).
    pub domains: Vec<Named>,
    /// Files with certificates of authorities, beside those of the system.
    pub authorities: Vec<PathBuf>,
    /// Whether the system's authorities are trusted.
    pub system: System,
    /// What is asked of those who call us.
    pub clients: Clients,
    /// Whether `*.example.com` stands for `sip.example.com`.
    pub wildcards: Wildcards,
    /// Domains that somebody who calls us may prove to be. Of a certificate for several, the first that is known counts.
    pub known: Vec<Box<str>>,
}

/// Whether the system's authorities are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// They are, as browsers do.
    #[default]
    Trusted,
    /// Only those that are named.
    Ignored,
}

/// What is asked of those who call us (mutual TLS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// No certificate.
    #[default]
    Off,
    /// A certificate; who has none may come in, who shows a bad one may not.
    Ask,
    /// A certificate. Without one nobody comes in.
    Require,
}

/// The TLS of a driver, ready for use. Clones share everything.
#[derive(Clone, Debug)]
pub struct Tls {
    keyring: Option<Arc<Keyring>>,
    server: Option<Arc<ServerConfig>>,
    client: Arc<ClientConfig>,
    reading: subject::Reading,
}

impl Tls {
    /// Reads all files.
    ///
    /// # Errors
    /// The first file that is of no use, and what is wrong with it.
    pub fn load(terms: &Terms) -> Result<Self, CannotUse> {
        let keyring = terms.certificate.as_ref().map(|files| Keyring::load(files, &terms.domains));
        let keyring = keyring.transpose()?.map(Arc::new);
        let roots = Arc::new(authorities::read(&terms.authorities, terms.system)?);
        let server = keyring
            .as_ref()
            .map(|keyring| server::config(Arc::clone(keyring), Arc::clone(&roots), terms.clients));
        Ok(Self {
            client: Arc::new(client::config(keyring.clone(), roots, terms.wildcards)?),
            server: server.transpose()?.map(Arc::new),
            keyring,
            reading: subject::Reading { known: terms.known.clone(), wildcards: terms.wildcards },
        })
    }

    /// The certificates, to be looked at again; `None` when there are none.
    pub const fn keyring(&self) -> Option<&Arc<Keyring>> {
        self.keyring.as_ref()
    }

    /// True when others can call us.
    pub const fn can_serve(&self) -> bool {
        self.server.is_some()
    }

    /// The server's side of a connection that was accepted.
    pub(crate) fn accept(&self) -> Option<session::Session> {
        session::Session::accept(Arc::clone(self.server.as_ref()?), self.reading.clone())
    }

    /// The client's side of a connection to whoever proves to be a domain.
    pub(crate) fn connect(&self, domain: &str) -> Option<session::Session> {
        session::Session::connect(Arc::clone(&self.client), domain, Identity::of(domain))
    }
}

/// The algorithms: those of ring.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
