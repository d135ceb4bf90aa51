//! §7.1: finding SIP identities in a certificate.

use protocol::transport::{Subject, Wildcards};

pub(super) fn subject(uris: &[&str], hosts: &[&str]) -> Subject {
    let own = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    Subject { uris: own(uris), hosts: own(hosts) }
}

/// "If the scheme of the URI is not 'sip', then the implementation MUST NOT accept the value as a SIP domain identity." "the only types
/// acceptable for encoding a SIP domain identity SHALL be: URI, DNS"
/// Proves: rfc5922-1-1, rfc5922-1-2.
#[test]
fn only_a_sip_uri_and_a_dns_name_are_domains() {
    let others =
        ["sips:a.example", "https://a.example", "xmpp:a.example", "im:a.example", "a.example"];
    for uri in others {
        assert_eq!(subject(&[uri], &[]).domains(), [""; 0], "{uri}");
    }
    assert_eq!(subject(&["SIP:a.example"], &[]).domains(), ["a.example"]);
    assert_eq!(subject(&[], &["a.example"]).domains(), ["a.example"]);
}

/// "If the scheme of the URI value is 'sip', and the URI value that contains a userpart (there is an '@'), the implementation MUST NOT accept
/// the value as a SIP domain identity". "… and there is no userinfo component in the URI (there is no '@'), then the implementation MUST
/// accept the hostpart as a SIP domain identity."
/// Proves: rfc5922-1-3, rfc5922-1-4.
#[test]
fn a_user_is_no_domain() {
    for uri in ["sip:bob@a.example", "sip:bob:secret@a.example", "sip:@a.example"] {
        assert_eq!(subject(&[uri], &[]).domains(), [""; 0], "{uri}");
    }
    assert_eq!(subject(&["sip:bob@a.example", "sip:b.example"], &[]).domains(), ["b.example"]);
}

/// "An implementation MUST accept a domain name system identifier as a SIP domain identity if and only if no other identity is found that
/// matches the 'sip' URI type described above."
/// Proves: rfc5922-1-5.
#[test]
fn dns_names_count_only_where_there_is_no_uri() {
    let both = subject(&["sip:a.example"], &["b.example", "c.example"]);
    assert!(both.is_for("a.example", Wildcards::Refused));
    assert!(!both.is_for("b.example", Wildcards::Refused));
    let others = subject(&["sip:bob@a.example", "https://a.example"], &["b.example", "c.example"]);
    assert!(!others.is_for("a.example", Wildcards::Refused));
    assert!(others.is_for("c.example", Wildcards::Refused));
}
