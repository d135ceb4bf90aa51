//! §16: a call through the proxy, from INVITE to BYE.

use offhook_tests::office::{Office, Phone, method, reply, status};

#[test]
fn a_call_passes_by_the_proxy_both_ways() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&alice);
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    assert_eq!(status(&sent), 100);
    let invite = &sent[1];
    assert_eq!((method(invite), invite.flow), ("INVITE", bob.flow));
    let contact = format!("Contact: <{}>\r\n", bob.contact());
    for code in [180, 200] {
        let sent = office.receive(bob.flow, reply(&invite.message, code, &contact));
        assert_eq!((status(&sent), sent[0].flow), (code, alice.flow));
    }
}
