//! §4, §7: who may know who calls.

use offhook_tests::office::{Office, Phone, reply, requests};
use sip::Name::{PAssertedIdentity, Privacy};

use super::{CARRIER, called, calls_102, office, rows_of};

const WHO: &str = "P-Asserted-Identity: <sip:4420@carrier.test>, <tel:+4420>";

/// "A proxy that is about to forward a message to a proxy server or UA that it does not trust MUST remove all the P-Asserted-Identity header
/// field values if the user requested that this information be kept private"; "MUST examine the Privacy header field"; "all instances … MUST be
/// removed"; with "none" it "MUST NOT remove"; without any it is "RECOMMENDED that [they] SHOULD NOT be removed".
/// Proves: rfc3325-4-1, rfc3325-5-4, rfc3325-7-1, rfc3325-7-2, rfc3325-7-4, rfc3325-7-6, rfc3325-11-5, rfc3323-5-2, rfc3323-4.2-3, rfc3323-4.2-6.
#[test]
fn who_does_not_want_to_be_known_is_known_to_those_whom_we_trust_alone() {
    for (privacy, known) in
        [("id", false), ("header;ID", false), ("none", true), ("header", true), ("", true)]
    {
        let row = format!("Privacy: {privacy}");
        let rows: &[&str] = if privacy.is_empty() { &[WHO] } else { &[WHO, &row] };
        let (_, copy) = calls_102(CARRIER, rows);
        assert_eq!(!rows_of(&copy, PAssertedIdentity).is_empty(), known, "{privacy}");
        let kept: Vec<_> =
            Some(privacy).filter(|privacy| !privacy.is_empty()).into_iter().collect();
        assert_eq!(rows_of(&copy, Privacy), kept);
    }
    let copy = called("+44", &["Privacy: id"]);
    assert_eq!(rows_of(&copy, PAssertedIdentity), ["<sip:101@example.test>"]);
}

/// Whoever hides its name in the From alone is told to those whom we trust, too, and to nobody else.
#[test]
fn an_anonymous_caller_is_known_to_those_whom_we_trust_alone() {
    for (number, known) in [("+44", 1), ("+33", 0), ("102", 0)] {
        let alice = Phone::udp(101);
        let mut invite = alice.invite(&format!("sip:{number}@example.test"));
        invite.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1".into();
        let sent = office().converse(&alice, &invite);
        let copy = requests(&sent, "INVITE").remove(0);
        assert_eq!(rows_of(&copy, PAssertedIdentity).len(), known, "{number}");
        assert!(
            !String::from_utf8_lossy(copy.message.wire()).contains("sip:101@example.test>;tag")
        );
    }
    let (mut office, copy): (Office, _) = calls_102(CARRIER, &[]);
    let sent = office.receive(copy.flow, reply(&copy.message, 200, ""));
    assert_eq!(sent[0].flow.peer.to_string(), CARRIER);
}
