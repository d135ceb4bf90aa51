//! §3: what a client does, here the proxy towards its next hop.

use offhook_tests::office::{Office, Phone, requests, rows, trusting};
use sip::Name;

/// "This parameter MUST have no value; it serves as a flag"
/// Proves: rfc3581-3-1.
#[test]
fn we_ask_for_it_in_datagrams() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let via = rows(&requests(&sent, "INVITE"), Name::Via).remove(0);
    assert!(via.ends_with(";rport"), "{via}");
}
