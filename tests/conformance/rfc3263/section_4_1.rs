//! §4.1: selecting a transport.

use protocol::Transport;

use super::{EXAMPLE, everything, located, speaking, zone};

/// "that transport protocol SHOULD be used"
/// Proves: rfc3263-4.1-1.
#[test]
fn the_transport_of_the_uri_is_used() {
    let mut names = zone(EXAMPLE);
    let tcp = "TCP 192.0.2.1:5060, TCP 192.0.2.2:5060";
    assert_eq!(located(&mut names, "sip:example.com;transport=tcp", everything()), tcp);
    let udp = located(&mut names, "sip:example.com;transport=udp", everything());
    assert_eq!(udp, "UDP 192.0.2.1:5060");
    let tls = located(&mut names, "sip:example.com;transport=tls", everything());
    assert_eq!(tls, "TLS 192.0.2.1:5061");
}

/// "the client SHOULD use UDP for a SIP URI, and TCP for a SIPS URI": within TLS, for `sips` is nothing else.
/// Proves: rfc3263-4.1-2.
#[test]
fn a_number_goes_by_udp_or_for_sips_by_tls() {
    let mut names = zone(EXAMPLE);
    assert_eq!(located(&mut names, "sip:192.0.2.7", everything()), "UDP 192.0.2.7:5060");
    assert_eq!(located(&mut names, "sips:192.0.2.7", everything()), "TLS 192.0.2.7:5061");
    assert_eq!(
        located(&mut names, "sip:[2001:db8::7]:5070", everything()),
        "UDP [2001:db8::7]:5070"
    );
}

/// The same for a name with a port: its services are not looked for.
/// Proves: rfc3263-4.1-3.
#[test]
fn a_name_with_a_port_goes_by_udp_or_for_sips_by_tls() {
    let mut names = zone(EXAMPLE);
    assert_eq!(located(&mut names, "sip:example.com:5060", everything()), "UDP 192.0.2.9:5060");
    assert_eq!(located(&mut names, "sips:example.com:5061", everything()), "TLS 192.0.2.9:5061");
}

/// "the client SHOULD perform a NAPTR query", and finds the transport that the domain likes best among those that it speaks.
/// Proves: rfc3263-4.1-4, rfc3263-4.1-6, rfc3263-4.1-7.
#[test]
fn without_port_and_transport_the_domain_says_how() {
    let mut names = zone(EXAMPLE);
    // A SIPS service is fine for a SIP URI, for who speaks TLS.
    assert_eq!(located(&mut names, "sip:example.com", everything()), "TLS 192.0.2.1:5061");
    let some = speaking(&[Transport::Udp, Transport::Tcp]);
    let tcp = "TCP 192.0.2.1:5060, TCP 192.0.2.2:5060";
    assert_eq!(located(&mut names, "sip:example.com", some), tcp);
    let udp = speaking(&[Transport::Udp]);
    assert_eq!(located(&mut names, "sip:example.com", udp), "UDP 192.0.2.1:5060");
}

/// "MUST discard any services that do not contain "SIPS""
/// Proves: rfc3263-4.1-5.
#[test]
fn a_sips_uri_takes_sips_services_alone() {
    let mut names = zone(
        r#"
        a.test NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.a.test
        a.test NAPTR 20 10 "s" "SIPS+D2T" "" _sips._tcp.a.test
        _sip._tcp.a.test SRV 0 1 5060 h.a.test
        _sips._tcp.a.test SRV 0 1 5061 h.a.test
        h.a.test A 192.0.2.1
        b.test NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.b.test
        _sip._udp.b.test SRV 0 1 5060 h.a.test
    "#,
    );
    assert_eq!(located(&mut names, "sips:bob@a.test", everything()), "TLS 192.0.2.1:5061");
    assert_eq!(located(&mut names, "sip:bob@a.test", everything()), "TCP 192.0.2.1:5060");
    assert_eq!(located(&mut names, "sips:bob@b.test", everything()), "the name is unknown");
}

/// "If no SRV records are found, the client SHOULD use TCP for a SIPS URI, and UDP for a SIP URI."
/// Proves: rfc3263-4.1-15.
#[test]
fn without_services_the_usual_transport_is_used() {
    let mut names = zone("a.test A 192.0.2.1");
    assert_eq!(located(&mut names, "sip:a.test", everything()), "UDP 192.0.2.1:5060");
    assert_eq!(located(&mut names, "sips:a.test", everything()), "TLS 192.0.2.1:5061");
}
