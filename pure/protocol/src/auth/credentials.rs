//! `Credentials`: who we are, to one realm or to any (RFC 3261 §22.1).

use std::fmt;

/// A user name and a password. The password never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    realm: Option<Box<str>>,
    pub(super) user: Box<str>,
    pub(super) password: Box<str>,
}

impl Credentials {
    /// Credentials for whoever asks. Right for a phone that talks to its own server only.
    pub fn for_any_realm(user: &str, password: &str) -> Self {
        Self { realm: None, user: user.into(), password: password.into() }
    }

    /// Credentials for one realm: nobody else learns a hash of them.
    pub fn for_realm(realm: &str, user: &str, password: &str) -> Self {
        Self { realm: Some(realm.into()), user: user.into(), password: password.into() }
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How well they fit a realm: by name before any.
    pub(super) fn fits(&self, realm: &str) -> Option<Fit> {
        match &self.realm {
            Some(own) => (**own == *realm).then_some(Fit::ByName),
            None => Some(Fit::Any),
        }
    }
}

/// See [`Credentials::fits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Any,
    ByName,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let realm = self.realm.as_deref().unwrap_or("any realm");
        write!(f, "Credentials({} for {realm})", self.user)
    }
}
