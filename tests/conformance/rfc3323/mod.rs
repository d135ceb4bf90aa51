//! RFC 3323, A Privacy Mechanism for SIP, as a proxy that is no privacy service keeps it.

use offhook_tests::office::{Phone, answers, requests};
use sip::Status;

use crate::rfc3325::{office, rows_of};

/// "If the 'critical' privacy level is present in the Privacy header of a request, then if the privacy service is incapable of performing all of
/// the levels of privacy specified …, then it MUST fail the request with a 500 (Server Error) response code. The reason phrase … SHOULD contain
/// … an enumeration of the priv-value(s) which were not supported". To a carrier whom we trust to do it, it goes.
/// Proves: rfc3323-5-1, rfc3323-5-3, rfc3323-5-4, rfc3323-5-5.
#[test]
fn who_insists_on_what_nobody_provides_is_told_so() {
    for (number, privacy, refused) in [
        ("102", "header;session;critical", Some("Privacy Failed: header, session")),
        ("+33", "user;critical", Some("Privacy Failed: user")),
        ("+33", "id;critical", None),
        ("+44", "header;session;critical", None),
        ("102", "header;session", None),
        ("102", "none", None),
    ] {
        let (mut office, alice) = (office(), Phone::udp(101));
        let invite = alice.invite(&format!("sip:{number}@example.test"));
        let invite = invite.row(&format!("Privacy: {privacy}"));
        let sent = office.converse(&alice, &invite);
        let copies = requests(&sent, "INVITE");
        assert_eq!(copies.is_empty(), refused.is_some(), "{number} {privacy}");
        if let Some(phrase) = refused {
            let last = sent.last().unwrap();
            assert_eq!(answers(&sent, alice.flow).last(), Some(&500));
            assert_eq!(last.message.status(), Some(Status::SERVER_INTERNAL_ERROR));
            assert!(String::from_utf8_lossy(last.message.wire()).contains(phrase), "{phrase}");
        }
        for copy in copies {
            assert_eq!(rows_of(&copy, sip::Name::Privacy), [privacy]);
        }
    }
}
