//! §16.11: what is forwarded without a state: the ACK of a 2xx.

use offhook_tests::office::{Office, Phone, Request, Sent, method, reply, rows};
use sip::Name;

/// A call that is up, and the ACK of it.
fn up() -> (Office, Phone, Phone, Request) {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let contact = format!("Contact: <{}>\r\n", bob.contact());
    let ok = office.receive(bob.flow, reply(&sent[1].message, 200, &contact));
    let mut ack = alice.request("ACK", &bob.contact());
    ack.to = "<sip:102@example.test>;tag=to-tag".into();
    ack.cseq = 2;
    let ack = ack.row(&format!("Route: {}", rows(&ok, Name::RecordRoute)[0]));
    (office, alice, bob, ack)
}

fn only(sent: Vec<Sent>) -> Sent {
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.into_iter().next().unwrap()
}

/// "an element MUST NOT generate its own 100 (Trying) or any other provisional response" "A stateless proxy MUST follow the request processing
/// steps described in Sections 16.4 through 16.5" and 16.6 "MUST choose one and only one target" "a retransmitted request MUST be forwarded to the
/// same destination each time it is processed" "the component of the branch parameter that makes it unique MUST be the same each time a
/// retransmitted request is forwarded" "All other message transformations … MUST result in the same transformation of a retransmitted request"
/// Proves: rfc3261-16.11-1, rfc3261-16.11-3, rfc3261-16.11-4, rfc3261-16.11-5, rfc3261-16.11-6, rfc3261-16.11-8, rfc3261-16.11-9, rfc3261-16.11-10, rfc3261-16.11-12, rfc3261-16.11-13, rfc3261-16.11-14.
#[test]
fn trap_4_an_ack_goes_along_its_route_and_its_repeat_the_same_way() {
    let (mut office, alice, bob, ack) = up();
    let first = only(office.receive(alice.flow, ack.wire()));
    assert_eq!((method(&first), first.flow), ("ACK", bob.flow));
    let copy = std::slice::from_ref(&first);
    assert_eq!(rows(copy, Name::Via).len(), 2);
    assert_eq!(
        (rows(copy, Name::Route).len(), rows(copy, Name::MaxForwards)),
        (0, vec!["69".into()])
    );
    let again = only(office.receive(alice.flow, ack.wire()));
    assert_eq!((again.flow, again.message.wire()), (first.flow, first.message.wire()));
    let mut other = ack;
    other.branch += "another";
    let other = only(office.receive(alice.flow, other.wire()));
    assert_ne!(rows(&[other], Name::Via)[0], rows(&[first], Name::Via)[0]);
    assert_eq!(office.node.forwarding(), 0);
}

/// "A stateless proxy MUST validate a request as described in Section 16.3": what fails is dropped, for an ACK cannot be answered.
/// Proves: rfc3261-16.11-2.
#[test]
fn an_ack_that_is_not_valid_goes_no_further() {
    for (from, to) in [
        ("Max-Forwards: 70", "Max-Forwards: 0"),
        ("CSeq: 2 ACK", "CSeq: 2 BYE"),
        ("Call-ID: call", "Call-ID: other"),
    ] {
        let (mut office, alice, _, ack) = up();
        assert!(office.receive(alice.flow, ack.wire().replace(from, to)).is_empty(), "{to}");
    }
}

/// A phone whose Contact is the address of its user is found where it is registered, by each of its ways.
#[test]
fn an_ack_for_the_address_of_a_user_goes_where_its_phones_are() {
    let (mut office, alice, bob, mut ack) = up();
    ack.uri = "sip:102@example.test".into();
    assert!(office.receive(alice.flow, ack.wire()).is_empty());
    let first = only(office.locate());
    assert_eq!((method(&first), first.flow), ("ACK", bob.flow));
    assert_eq!(first.message.request_uri(), Some(bob.contact().as_bytes()));
    office.receive(alice.flow, ack.wire());
    assert_eq!(
        only(office.locate()).message.wire(),
        first.message.wire(),
        "a repeat goes the same way"
    );
    ack.uri = "sip:103@example.test".into();
    office.receive(alice.flow, ack.wire());
    assert!(office.locate().is_empty(), "who is not registered is nowhere");
    assert_eq!(office.node.forwarding(), 0);
}
