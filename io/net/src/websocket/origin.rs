//! `Origins`: pages of which web sites may open a WebSocket (RFC 6455 §10.2). A browser says in `Origin` whose page it shows; without
//! this check any page in the world could use the phone of whoever looks at it.

use std::fmt;

use sip::uri::{Host, HostPort};

/// Pages of which web sites may come. Who sends no `Origin` is no browser, and may always come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Those of any site.
    Any,
    /// Those of any scheme and port at one of these hosts.
    Hosts(Vec<Box<str>>),
    /// Those of these sites.
    Sites(Vec<Site>),
}

/// A web site: `https://phones.example.test`, with a port when it is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    scheme: Box<str>,
    host: Box<str>,
    port: Option<u16>,
}

/// A text that names no web site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOrigin;

impl fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin looks like https://phones.example.test, without anything behind it")
    }
}

impl std::error::Error for BadOrigin {}

impl Site {
    /// Reads an origin as browsers write it (RFC 6454 §6.2).
    ///
    /// # Errors
    /// When it is none; `null` is none.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, at) = text.split_once("://").ok_or(BadOrigin)?;
        let HostPort { host, port } = HostPort::parse(at.as_bytes()).map_err(|_| BadOrigin)?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
        if !is_scheme {
            return Err(BadOrigin);
        }
        let scheme = scheme.to_ascii_lowercase();
        let usual = match &*scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let port = port.filter(|port| Some(*port) != usual);
        Ok(Self { scheme: scheme.into(), host: name(host), port })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
        write!(f, "{scheme}://{host}")?;
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Origins {
    /// True when a page that shows this `Origin` may come.
    pub(super) fn allow(&self, origin: &[u8]) -> bool {
        let site = std::str::from_utf8(origin).ok().and_then(|text| Site::parse(text).ok());
        match self {
            Self::Any => true,
            Self::Hosts(hosts) => site.is_some_and(|site| {
                let mut known = hosts.iter().filter_map(|host| Host::parse(host.as_bytes()).ok());
                known.any(|host| name(host) == site.host)
            }),
            Self::Sites(sites) => site.is_some_and(|site| sites.contains(&site)),
        }
    }
}

/// A host in the one way to write it.
fn name(host: Host<'_>) -> Box<str> {
    match host {
        Host::Ip(ip) => ip.to_canonical().to_string().into(),
        Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_whole_host() {
        let hosts =
            Origins::Hosts(vec!["example.test".into(), "192.0.2.1".into(), "2001:db8::1".into()]);
        for origin in [
            "https://example.test",
            "http://EXAMPLE.test:8080",
            "https://example.test.",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(hosts.allow(origin.as_bytes()), "{origin}");
        }
        for origin in [
            "",
            "null",
            "example.test",
            "https://",
            "https://example.test.evil.example",
            "https://evilexample.test",
            "https://phones.example.test",
            "https://example.test@evil.example",
            "https://evil.example/example.test",
            "https://evil.example#example.test",
            "https://evil.example\u{0}.example.test",
            "://example.test",
            "192.0.2.10",
        ] {
            assert!(!hosts.allow(origin.as_bytes()), "{origin}");
        }
        assert!(!hosts.allow(b"https://example.test\xff"));
    }

    #[test]
    fn a_site_is_scheme_host_and_port() {
        let site = |text| Site::parse(text).unwrap();
        let sites =
            Origins::Sites(vec![site("https://phones.example.test"), site("http://a:8080")]);
        for origin in
            ["https://phones.example.test", "HTTPS://Phones.example.test:443", "http://a:8080"]
        {
            assert!(sites.allow(origin.as_bytes()), "{origin}");
        }
        for origin in
            ["http://phones.example.test", "https://phones.example.test:8443", "http://a", "null"]
        {
            assert!(!sites.allow(origin.as_bytes()), "{origin}");
        }
        for text in ["https://phones.example.test", "http://[2001:db8::1]:8080"] {
            assert_eq!(site(text).to_string(), text);
        }
        for bad in ["phones.example.test", "*", "https://a/", "https://a b", "1://a"] {
            assert_eq!(Site::parse(bad), Err(BadOrigin), "{bad}");
        }
        assert!(Origins::Any.allow(b"null"));
    }
}
