//! `User`: somebody we know, and what proves it (RFC 3261 §22).

use protocol::auth::{Algorithm, Ha1};

/// Somebody we know.
#[derive(Clone, Debug)]
pub struct User {
    /// The user part of the address, unescaped, and the username of the credentials.
    pub name: Box<str>,
    /// How it proves itself.
    pub credential: Credential,
}

/// What a user proves itself with.
#[derive(Clone)]
pub enum Credential {
    /// The password: every digest is made from it.
    Password(Box<str>),
    /// Digests of it, by algorithm.
    Ha1s(Vec<(Algorithm, Ha1)>),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl User {
    /// A user with a password.
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.into(), credential: Credential::Password(password.into()) }
    }
}
