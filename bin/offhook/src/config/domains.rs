//! `domains`: the domains that this server answers for.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::table::Table;

/// A host: a name, an IPv4 address, or an IPv6 address in brackets (RFC 3261 §25.1 `host`), in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// The host as it stands in a URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Understands a host as written, or says what is wrong with it and what to write instead.
    pub(super) fn parse(written: &str) -> Result<Self, (String, String)> {
        let no =
            |what: &str, hint: String| Err((format!("`{}` {what}", written.escape_debug()), hint));
        let host = written.to_ascii_lowercase();
        let in_brackets = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if in_brackets.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
            return Ok(Self(host));
        }
        if host.parse::<Ipv6Addr>().is_ok() {
            return no("needs brackets, as in a URI", format!("write \"[{host}]\""));
        }
        let bare = host
            .split_once(':')
            .filter(|(scheme, _)| matches!(*scheme, "sip" | "sips"))
            .map(|(_, rest)| rest);
        if let Some(bare) = bare {
            let bare = bare.rsplit_once('@').map_or(bare, |(_, host)| host);
            return no("is a URI, not a host name", format!("write \"{}\"", bare.escape_debug()));
        }
        if let Some((name, port)) = host.rsplit_once(':')
            && port.parse::<u16>().is_ok()
        {
            return no(
                "has a port, a domain has none",
                format!("write \"{}\"", name.escape_debug()),
            );
        }
        let host = host.strip_suffix('.').unwrap_or(&host);
        let label = |label: &str| {
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len())
                && label.chars().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let digits_only =
            host.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
        let fits = host.len() <= 253 && host.split('.').all(label);
        if fits && (!digits_only || host.parse::<Ipv4Addr>().is_ok()) {
            return Ok(Self(host.to_owned()));
        }
        no("is not a host name", "letters, digits, hyphens and dots: \"example.test\"".into())
    }

    /// Understands a host as written, or refuses it.
    pub(super) fn read(written: At<&str>, faults: &mut Faults) -> Option<Self> {
        match Self::parse(written.value) {
            Ok(domain) => Some(domain),
            Err((what, hint)) => {
                faults.refuse(written.span, what, hint);
                None
            }
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn defaults() -> Vec<Domain> {
    ["localhost", "127.0.0.1", "[::1]"].map(|host| Domain(host.to_owned())).into()
}

pub(super) fn read(top: &Table<'_>, faults: &mut Faults) -> Vec<Domain> {
    let Some(written) = top.texts("domains", faults) else { return defaults() };
    if top
        .value("domains")
        .is_some_and(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
    {
        faults.refuse(
            top.span_of("domains"),
            "`domains` is empty: the server would answer for nobody",
            "add one",
        );
    }
    let mut domains: Vec<Domain> = Vec::new();
    for host in written {
        let Some(domain) = Domain::read(host, faults) else { continue };
        if domains.contains(&domain) {
            faults.refuse(host.span, format!("`{domain}` is listed twice"), "remove one");
        }
        domains.push(domain);
    }
    domains
}

/// The first domain of a server that has no config.
pub(super) const DEFAULT: &str = "localhost";

pub(super) const SECTION: Section = Section {
    name: "",
    repeated: false,
    about: "Outside of every section.",
    keys: &[Key::new(
        "domains",
        r#"["localhost", "127.0.0.1", "[::1]"]"#,
        "The domains that this server answers for: what stands behind the @ in the addresses of its users. Names or \
         addresses, without a port. Requests for all others are somebody else's: see `[[route]]`. The default serves \
         phones on this machine alone, like the default of `[listen]`.",
    )],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_every_form() {
        for (written, host) in [
            ("example.test", "example.test"),
            ("Example.TEST", "example.test"),
            ("example.test.", "example.test"),
            ("a", "a"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("3com.example", "3com.example"),
        ] {
            assert_eq!(Domain::parse(written).map(|domain| domain.0), Ok(host.to_owned()));
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for (written, hint) in [
            ("", "letters"),
            ("two words", "letters"),
            ("-a.example", "letters"),
            ("a..b", "letters"),
            ("1.2.3", "letters"),
            ("1.2.3.400", "letters"),
            ("b\u{fc}cher.example", "letters"),
            ("sip:example.test", "write \"example.test\""),
            ("sip:101@example.test", "write \"example.test\""),
            ("example.test:5060", "write \"example.test\""),
            ("2001:db8::1", "write \"[2001:db8::1]\""),
        ] {
            let (_, said) = Domain::parse(written).expect_err(written);
            assert!(said.starts_with(hint), "{written}: {said}");
        }
    }
}
