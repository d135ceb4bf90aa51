//! The server's side: our certificate by the name that is asked for, and what is asked of clients (RFC 5922 §7.4).

use std::sync::Arc;

use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use super::faults::{CannotUse, Wrong};
use super::keyring::Keyring;
use super::{Clients, provider};
use crate::limits;

pub(super) fn config(
    keyring: Arc<Keyring>,
    roots: Arc<RootCertStore>,
    clients: Clients,
) -> Result<ServerConfig, CannotUse> {
    let file = keyring.first_file();
    let library = |what: String| CannotUse::new(&file, Wrong::Library(what.into()));
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| library(error.to_string()))?;
    let verifier = || WebPkiClientVerifier::builder_with_provider(roots, provider());
    let config = match clients {
        Clients::Off => config.with_no_client_auth(),
        Clients::Ask => {
            let verifier = verifier().allow_unauthenticated().build();
            config.with_client_cert_verifier(verifier.map_err(|error| library(error.to_string()))?)
        }
        Clients::Require => {
            let verifier = verifier().build();
            config.with_client_cert_verifier(verifier.map_err(|error| library(error.to_string()))?)
        }
    };
    let mut config = config.with_cert_resolver(keyring);
    // Tickets cost no memory, and any shard understands them; the cache is for those who cannot use tickets.
    config.ticketer =
        rustls::crypto::ring::Ticketer::new().map_err(|error| library(error.to_string()))?;
    config.session_storage = ServerSessionMemoryCache::new(limits::TLS_SESSIONS);
    Ok(config)
}
