//! `User`: somebody we know, and what proves it (RFC 3261 §22).

use protocol::auth::{Algorithm, Ha1};

/// Somebody we know.
#[derive(Clone, Debug)]
pub struct User {
    /// The user part of the address, unescaped, and the username of the credentials.
    pub name: Box<str>,
    /// How it proves itself.
    pub credential: Credential,
    /// Where it can be reached at all times, beside its registrations: SIP URIs.
    pub contacts: Vec<Box<str>>,
    /// Whom else it may register: users, by name (RFC 3261 §10.2, third-party registration).
    pub may_register: Vec<Box<str>>,
    /// How many calls it has at once on routes; `None`: as [`Tolls`](super::Tolls) says.
    pub calls: Option<u32>,
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
        Self::with(name, Credential::Password(password.into()))
    }

    /// A user that proves itself so.
    pub fn with(name: &str, credential: Credential) -> Self {
        let (contacts, may_register) = (Vec::new(), Vec::new());
        Self { name: name.into(), credential, contacts, may_register, calls: None }
    }
}
