//! §5: where a response goes when the way of its request is gone.

use protocol::locate::Hop;
use sip::Header as _;
use sip::header::Via;

use super::{everything, words, zone};

fn located(via: &str) -> String {
    let mut names = zone(
        "_sip._udp.a.test SRV 0 1 5070 backup.a.test
         _sips._tcp.a.test SRV 0 1 5071 backup.a.test
         backup.a.test A 192.0.2.2
         a.test A 192.0.2.1
         b.test A 192.0.2.3",
    );
    let via = format!("SIP/2.0/{via};branch=z9hG4bK1");
    let hop = Hop::of_via(&Via::parse(via.as_bytes()).unwrap()).unwrap();
    words(&names.resolve(hop, everything()))
}

/// "When this value is present, the server MUST use TLS over TCP to send the response."
/// Proves: rfc3263-5-1.
#[test]
fn tls_in_the_via_is_tls_and_nothing_else() {
    assert_eq!(located("TLS 192.0.2.9"), "TLS 192.0.2.9:5061");
    assert_eq!(located("TLS a.test:5061"), "TLS 192.0.2.1:5061");
    assert_eq!(located("TLS a.test"), "TLS 192.0.2.2:5071");
    assert_eq!(located("TLS b.test"), "TLS 192.0.2.3:5061");
}

#[test]
fn a_port_means_addresses_and_none_means_services() {
    assert_eq!(located("UDP 192.0.2.9"), "UDP 192.0.2.9:5060");
    assert_eq!(located("UDP a.test:5060"), "UDP 192.0.2.1:5060");
    assert_eq!(located("UDP a.test"), "UDP 192.0.2.2:5070");
    assert_eq!(located("TCP a.test"), "TCP 192.0.2.1:5060");
}
