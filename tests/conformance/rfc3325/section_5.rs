//! §5: whom a proxy believes, and what it asserts.

use offhook_tests::office::{Phone, Sent, reply};
use sip::Name::{PAssertedIdentity, PPreferredIdentity};

use super::{CARRIER, STRANGER, called, calls_102, office, rows_of};

const CLAIM: &str = "P-Asserted-Identity: \"Chief\" <sip:100@example.test>, <tel:+1>";

/// "When a proxy receives a message from a node it does not trust and it wishes to add a P-Asserted-Identity header field, the proxy MUST
/// authenticate the originator of the message, and use the identity which results from this authentication"; what such a node claims, it "MUST
/// replace … with a single SIP or SIPS URI or remove".
/// Proves: rfc3325-5-1, rfc3325-5-2, rfc3325-5-3, rfc3325-A-1, rfc3325-A-2, rfc3325-A-3, rfc3325-A-4.
#[test]
fn who_has_proven_who_it_is_is_asserted_to_those_who_trust_us() {
    for rows in [&[][..], &[CLAIM], &["P-Asserted-Identity: <tel:+1>"]] {
        let copy = called("+44", rows);
        assert_eq!(rows_of(&copy, PAssertedIdentity), ["<sip:101@example.test>"]);
        assert!(rows_of(&called("+33", rows), PAssertedIdentity).is_empty(), "to a stranger");
    }
    let (_, copy) = calls_102(STRANGER, &[CLAIM]);
    assert!(rows_of(&copy, PAssertedIdentity).is_empty(), "and a stranger's claim is nobody's");
}

/// What comes from those whom we trust is believed, and passes.
#[test]
fn what_the_carrier_says_of_a_caller_reaches_the_phone() {
    let (_, copy) = calls_102(CARRIER, &[CLAIM]);
    assert_eq!(rows_of(&copy, PAssertedIdentity), ["\"Chief\" <sip:100@example.test>, <tel:+1>"]);
}

/// The same for answers: that of a phone claims what it likes.
#[test]
fn what_a_phone_claims_in_an_answer_goes_no_further() {
    let alice = Phone::udp(101);
    let claims =
        "P-Asserted-Identity: <sip:100@example.test>\r\nP-Preferred-Identity: <sip:1@h>\r\n";
    let answer = |number: &str, rows: &str| -> Sent {
        let mut office = office();
        let invite = alice.invite(&format!("sip:{number}@example.test"));
        let sent = office.converse(&alice, &invite);
        let copy = offhook_tests::office::requests(&sent, "INVITE").remove(0);
        let ok = reply(&copy.message, 200, rows);
        let first = office.receive(copy.flow, ok.clone()).remove(0);
        let again = office.receive(copy.flow, ok).remove(0);
        assert_eq!(rows_of(&first, PAssertedIdentity), rows_of(&again, PAssertedIdentity));
        first
    };
    for (number, rows, expected) in [
        ("102", claims.to_owned(), 0),
        ("+44", claims.to_owned(), 1),
        ("+44", format!("{claims}Privacy: id\r\n"), 0),
        ("+44", format!("{claims}Privacy: none\r\n"), 1),
    ] {
        let answer = answer(number, &rows);
        assert_eq!(rows_of(&answer, PAssertedIdentity).len(), expected, "{number} {rows}");
        assert!(rows_of(&answer, PPreferredIdentity).is_empty());
    }
}
