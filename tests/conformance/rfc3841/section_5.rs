//! §5, §11: what goes with the preferences, and how many there may be.

use std::fmt::Write as _;

use offhook_tests::office::{Office, Phone, reply, requests, rows, status, trusting};
use sip::Name;

const ROWS: &str =
    "Accept-Contact: *;audio\r\nReject-Contact: *;video\r\nRequest-Disposition: fork, parallel";

/// "The Accept-Contact, Reject-Contact, and Request-Disposition header fields in an ACK for a non-2xx final response, or in a CANCEL request,
/// MUST be equal to the values in the original request" and "a proxy MUST NOT modify or remove an existing header field value"
/// Proves: rfc3841-5-1, rfc3841-7-1.
#[test]
fn what_belongs_to_a_request_says_what_it_said() {
    for answer in [486, 180] {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register(&bob);
        let invite = alice.invite("sip:102@example.test").row(ROWS);
        let copy = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
        let mut sent = office.receive(bob.flow, reply(&copy.message, answer, ""));
        if answer == 180 {
            let mut cancel = invite.clone();
            (cancel.method, cancel.body) = ("CANCEL".into(), String::new());
            sent = office.receive(alice.flow, cancel.wire());
        }
        let method = if answer == 180 { "CANCEL" } else { "ACK" };
        let sent = requests(&sent, method);
        for name in [Name::AcceptContact, Name::RejectContact, Name::RequestDisposition] {
            let expected: Vec<_> = copy.message.rows(name).collect();
            assert!(!expected.is_empty());
            assert_eq!(sent[0].message.rows(name).collect::<Vec<_>>(), expected, "{method}");
        }
    }
}

/// "servers SHOULD reject requests with too many rules"
/// Proves: rfc3841-11-2.
#[test]
fn more_rules_than_anybody_needs_are_refused() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let mut rules = String::from("Accept-Contact: *;audio");
    for rule in 0..32 {
        write!(rules, ", *;+x{rule}").unwrap();
    }
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").row(&rules).wire());
    assert_eq!((status(&sent), rows(&sent, Name::Via).len(), sent.len()), (400, 1, 1));
}
