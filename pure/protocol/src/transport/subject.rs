//! `Subject`: whom a certificate is for, as SIP understands it (RFC 5922 §7.1, §7.2).

use sip::Uri;
use sip::uri::Host;

/// The names in the subjectAltName of a certificate. The Subject's common name is not among them: what stands there may be the name of a
/// person or a machine, and authorities have not checked it for years.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Values of type URI.
    pub uris: Vec<Box<str>>,
    /// Values of type dNSName.
    pub hosts: Vec<Box<str>>,
}

/// Whether `*.example.com` stands for `sip.example.com`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wildcards {
    /// It stands for nobody (RFC 5922 §7.2).
    #[default]
    Refused,
    /// It does, for one label: what authorities of the web write, against the letter of RFC 5922.
    Allowed,
}

impl Subject {
    /// The SIP domains of the certificate: the hosts of its `sip:` URIs without a user; only when there is none, its DNS names.
    pub fn domains(&self) -> Vec<&str> {
        let uris: Vec<&str> = self.uris.iter().filter_map(|uri| domain_of(uri)).collect();
        if uris.is_empty() { self.hosts.iter().map(|host| &**host).collect() } else { uris }
    }

    /// True when the certificate is for a domain: the names are the same as a whole, in any case.
    pub fn is_for(&self, domain: &str, wildcards: Wildcards) -> bool {
        let wanted = domain.trim_end_matches('.');
        self.domains().into_iter().any(|name| stands_for(name, wanted, wildcards))
    }
}

fn stands_for(name: &str, wanted: &str, wildcards: Wildcards) -> bool {
    let name = name.trim_end_matches('.');
    let Some(parent) = name.strip_prefix("*.") else { return name.eq_ignore_ascii_case(wanted) };
    let rest = wanted.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, rest)| rest);
    wildcards == Wildcards::Allowed && rest.is_some_and(|rest| rest.eq_ignore_ascii_case(parent))
}

/// The domain that a URI stands for: one of scheme `sip`, and of nobody in particular.
fn domain_of(uri: &str) -> Option<&str> {
    let Ok(Uri::Sip(read)) = Uri::parse(uri.as_bytes()) else { return None };
    if read.secure || read.user.is_some() || uri.contains('@') {
        return None;
    }
    match read.host {
        Host::Name(name) => Some(name),
        // As it is written: a number is compared as a number elsewhere.
        Host::Ip(_) => {
            let rest = uri.get(4..)?;
            let end = if rest.starts_with('[') {
                rest.find(']')? + 1
            } else {
                rest.find([':', ';', '?']).unwrap_or(rest.len())
            };
            Some(rest.get(..end)?.trim_matches(['[', ']']))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(uris: &[&str], hosts: &[&str]) -> Subject {
        let own = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        Subject { uris: own(uris), hosts: own(hosts) }
    }

    #[test]
    fn a_uri_of_the_domain_silences_the_names_of_machines() {
        let both = subject(&["sip:a.example"], &["sip1.a.example", "b.example"]);
        assert_eq!(both.domains(), ["a.example"]);
        assert!(!both.is_for("b.example", Wildcards::Refused));
        let other = subject(
            &["https://a.example", "sips:a.example", "sip:bob@a.example", "mailto:x@a.example"],
            &["b.example"],
        );
        assert_eq!(other.domains(), ["b.example"]);
        assert_eq!(subject(&[], &[]).domains(), [""; 0]);
    }

    #[test]
    fn port_and_parameters_of_a_uri_do_not_count() {
        for uri in ["sip:a.example:5061", "SIP:A.Example;transport=tls", "sip:a.example."] {
            assert!(subject(&[uri], &[]).is_for("a.example", Wildcards::Refused), "{uri}");
        }
        for (uri, number) in
            [("sip:192.0.2.7:5061", "192.0.2.7"), ("sip:[2001:db8::1];x", "2001:db8::1")]
        {
            assert_eq!(subject(&[uri], &[]).domains(), [number]);
        }
    }

    #[test]
    fn names_are_compared_as_a_whole_and_in_any_case() {
        let of = |name: &str| subject(&[], &[name]);
        assert!(of("a.example").is_for("A.EXAMPLE.", Wildcards::Refused));
        for other in ["example", "x.a.example", "aa.example", "a.example.evil", ""] {
            assert!(!of("a.example").is_for(other, Wildcards::Refused), "{other}");
        }
        assert!(!of(".example").is_for("a.example", Wildcards::Allowed));
    }

    #[test]
    fn a_wildcard_stands_for_one_label_and_only_when_it_is_allowed() {
        let of = |name: &str| subject(&[], &[name]);
        assert!(!of("*.example").is_for("a.example", Wildcards::Refused));
        assert!(!of("*.example").is_for("*.example", Wildcards::Refused));
        assert!(of("*.example").is_for("A.example", Wildcards::Allowed));
        for other in ["example", "b.a.example", ".example"] {
            assert!(!of("*.example").is_for(other, Wildcards::Allowed), "{other}");
        }
    }
}
