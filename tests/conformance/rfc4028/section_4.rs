//! §4, §5: Session-Expires and Min-SE.

use offhook_tests::office::{Phone, rows, status};
use sip::Name;

use super::{forwarded, invite, office};

/// "SIP entities MUST be prepared to handle Session-Expires header field values of any duration greater than 90 seconds"; "the value … MUST NOT
/// be less than 90 seconds"
/// Proves: rfc4028-4-2, rfc4028-5-1.
#[test]
fn any_duration_is_read_and_none_below_90_seconds_is_written() {
    for (wish, goes_on) in [("301", 301), ("1800", 1800), ("4294967295", 1800), ("90", 300)] {
        let copy = forwarded(&mut office(), &format!("Session-Expires: {wish}\r\n"));
        let expires = copy.message.get::<sip::header::SessionExpires<'_>>().unwrap().seconds;
        assert_eq!(expires, goes_on, "{wish}");
        assert!(copy.message.get::<sip::header::MinSe<'_>>().is_none_or(|min| min.seconds >= 90));
    }
}

/// "The Min-SE header field MUST NOT be used in responses except for those with a 422 response code." "The 422 response MUST contain a Min-SE
/// header field with the minimum timer for that server." "That minimum MUST NOT be lower than 90 seconds."
/// Proves: rfc4028-5-2, rfc4028-5-3, rfc4028-8.1-6, rfc4028-8.1-7.
#[test]
fn a_phone_that_counts_too_fast_is_told_how_slowly() {
    let (mut office, alice) = (office(), Phone::udp(101));
    let brief = invite("Supported: 100rel, timer\r\nSession-Expires: 299\r\n").wire();
    let sent = office.receive(alice.flow, brief);
    assert_eq!((status(&sent), sent.len()), (422, 1));
    assert_eq!(rows(&sent, Name::MinSe), ["300"]);
    let unknown = office.receive(alice.flow, alice.invite("sip:nobody@far.test").wire());
    assert!(unknown.iter().all(|sent| !sent.message.has(Name::MinSe)));
}
