//! RFC 8866 §6: attributes.

use sdp::Direction;

use super::read;

/// "If none of the media direction attributes is present at either session level or media level, "a=sendrecv" SHOULD be assumed"
/// Proves: rfc8866-6.7-1.
#[test]
fn both_ways_unless_something_is_said() {
    let direction = |session: &str, media: &str| {
        let description = read(&format!("{session}m=audio 9 RTP/AVP 0\r\n{media}")).unwrap();
        description.direction_of(&description.media[0])
    };
    assert_eq!(direction("", ""), Direction::SendRecv);
    assert_eq!(direction("a=inactive\r\n", ""), Direction::Inactive);
    assert_eq!(direction("a=inactive\r\n", "a=recvonly\r\n"), Direction::RecvOnly);
}

/// The obsolete attributes "SHOULD be ignored if received".
/// Proves: rfc8866-6-2, rfc8866-6-4.
#[test]
fn obsolete_attributes_mean_nothing() {
    let description = read("a=cat:foo.bar\r\na=keywds:x\r\nm=audio 9 RTP/AVP 0\r\n").unwrap();
    assert_eq!(description.direction_of(&description.media[0]), Direction::SendRecv);
}
