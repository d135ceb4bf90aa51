//! `Url`: where a hook is: plain HTTP, for a program on this machine or in this network.

use std::fmt;

/// An `http://` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(Box<str>);

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUrl {
    /// It is none.
    Unreadable,
    /// HTTPS is not spoken here.
    Https,
}

impl Url {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, BadUrl> {
        let uri = text.parse::<ureq::http::Uri>().map_err(|_| BadUrl::Unreadable)?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), _) => Err(BadUrl::Https),
            (Some("http"), Some(host)) if !host.is_empty() => Ok(Self(text.into())),
            _ => Err(BadUrl::Unreadable),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_somebody() {
        for (text, read) in [
            ("http://127.0.0.1:8080/push", Ok(())),
            ("http://[::1]/", Ok(())),
            ("https://a.example", Err(BadUrl::Https)),
            ("127.0.0.1:8080", Err(BadUrl::Unreadable)),
            ("ftp://a", Err(BadUrl::Unreadable)),
            ("http://", Err(BadUrl::Unreadable)),
            ("", Err(BadUrl::Unreadable)),
        ] {
            assert_eq!(Url::read(text).map(drop), read, "{text}");
        }
    }
}
