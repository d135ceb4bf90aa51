//! RFC 3264 §7: what the offerer makes of the answer.

use super::{phone, theirs};

/// Proves: rfc3264-7-1, rfc3264-6.1-13.
#[test]
fn the_first_format_of_the_answer_is_sent() {
    let (mut alice, _) = phone(1);
    alice.offer().unwrap();
    let agreed = alice.accept(&theirs("m=audio 9000 RTP/AVP 18 8 0\r\n")).unwrap();
    assert_eq!(agreed[0].codec.send, 8);
    let sendable: Vec<_> = agreed[0].formats.iter().map(|format| format.send).collect();
    assert_eq!(sendable, [8, 0], "G.729 was not offered");
}

/// "The offerer SHOULD send media according to the value of any ptime … attribute in the answer." (And bandwidth: G.711 has but one.)
/// Proves: rfc3264-7-3.
#[test]
fn packets_are_as_long_as_the_answer_wants_them() {
    let (mut alice, _) = phone(1);
    alice.offer().unwrap();
    let agreed = alice.accept(&theirs("m=audio 9000 RTP/AVP 0\r\na=ptime:40\r\n")).unwrap();
    assert_eq!(agreed[0].ptime, 40);
}
