//! §7.2: comparing SIP identities.

use protocol::Identity;
use protocol::transport::Wildcards;

use super::section_7_1::subject;

/// "Implementations MUST compare only the DNS name component of each SIP domain identifier; an implementation MUST NOT use any scheme or
/// parameters in the comparison." "… compare the values as DNS names, which means that the comparison is case insensitive"
/// Proves: rfc5922-7.2-1, rfc5922-7.2-2.
#[test]
fn only_the_name_is_compared_in_any_case() {
    let uris =
        ["sip:a.example", "sip:A.Example:5061", "sip:a.example;transport=tls", "sip:a.example?x=y"];
    for uri in uris {
        for wanted in ["a.example", "A.EXAMPLE", "a.example."] {
            assert!(subject(&[uri], &[]).is_for(wanted, Wildcards::Refused), "{uri} {wanted}");
        }
    }
    // What flows carry of a name is compared in the same way.
    assert_eq!(Identity::of("A.Example."), Identity::of("a.example"));
    assert_ne!(Identity::of("a.example"), Identity::of("b.example"));
}

/// "Implementations MUST handle Internationalized Domain Names (IDNs) in accordance with Section 7.2 of RFC 5280": as ASCII, "converted
/// … performing the case-insensitive exact match of A-labels".
/// Proves: rfc5922-7.2-3.
#[test]
fn names_of_other_scripts_are_compared_as_they_stand_in_the_dns() {
    let written = subject(&[], &["xn--mnchen-3ya.example"]);
    assert!(written.is_for("XN--MNCHEN-3YA.example", Wildcards::Refused));
    assert!(!written.is_for("xn--mnchen-3yb.example", Wildcards::Refused));
    assert!(!written.is_for("münchen.example", Wildcards::Refused), "no name of the DNS");
}

/// "Implementations MUST match the values in their entirety: Implementations MUST NOT match suffixes. Implementations MUST NOT match any form
/// of wildcard, such as a leading '.' or '*.'"
/// Proves: rfc5922-7.2-4, rfc5922-7.2-5, rfc5922-7.2-6.
#[test]
fn trap_31_names_match_as_a_whole_or_not_at_all() {
    for name in
        ["example", ".example", "*.example", "*", "*.a.example", "a.example.b", "aa.example"]
    {
        assert!(!subject(&[], &[name]).is_for("a.example", Wildcards::Refused), "{name}");
    }
    assert!(!subject(&[], &["a.example"]).is_for("b.a.example", Wildcards::Refused));
    assert!(!subject(&[], &["a.example"]).is_for("example", Wildcards::Refused));
}
