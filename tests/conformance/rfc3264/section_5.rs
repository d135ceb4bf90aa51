//! RFC 3264 §5: making an offer.

use std::net::IpAddr;

use sdp::{Codec, Description, Direction, Events, Origin, Session, Stream};

use super::{lines, phone, text, theirs};

/// Proves: rfc3264-5-1, rfc3264-5-4.
#[test]
fn an_offer_is_one_valid_description() {
    let (mut alice, _) = phone(1);
    let offer = alice.offer().unwrap();
    assert_eq!(Description::parse(&offer.write()).as_ref(), Ok(&offer));
    assert_eq!(lines(&offer, "v=").len(), 1);
    let order: Vec<_> = text(&offer).lines().take(6).map(|line| line.as_bytes()[0]).collect();
    assert_eq!(order, *b"vosctm");
}

/// "The numeric value of the session id and version … MUST be representable with a 64 bit signed integer", and the first version
/// MUST be less than 2^62 - 1.
/// Proves: rfc3264-5-2, rfc3264-5-3.
#[test]
fn numbers_of_the_origin_fit() {
    let mut session = Session::new(Origin::new(u64::MAX, IpAddr::from([192, 0, 2, 1])));
    session.add(Stream::audio(([192, 0, 2, 1], 4000).into(), [Codec::pcmu()]));
    let origin = session.offer().unwrap().origin;
    assert_eq!(origin.id.parse(), Ok(i64::MAX));
    assert!(origin.version_number().unwrap() < (1 << 62) - 1);
}

/// Proves: rfc3264-5-5, rfc3264-5-6.
#[test]
fn a_call_has_no_name_and_no_time() {
    let offer = phone(1).0.offer().unwrap();
    assert_eq!(lines(&offer, "s="), ["s=-"]);
    assert_eq!(lines(&offer, "t="), ["t=0 0"]);
}

/// Proves: rfc3264-5.1-1, rfc3264-5.1-2, rfc3264-5.1-3.
#[test]
fn what_is_wanted_of_a_stream_is_marked() {
    for direction in [Direction::SendOnly, Direction::RecvOnly, Direction::Inactive] {
        let (mut alice, stream) = phone(1);
        alice.stream_mut(stream).unwrap().direction = direction;
        let offer = alice.offer().unwrap();
        assert_eq!(offer.media[0].direction(), Some(direction));
        assert!(text(&offer).contains(&format!("a={}\r\n", direction.name())));
    }
}

/// "A port number of zero in the offer indicates that the stream is offered but MUST NOT be used."
/// Proves: rfc3264-5.1-4.
#[test]
fn port_zero_is_not_used() {
    let (_, agreed) = phone(2).0.answer(&theirs("m=audio 0 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(agreed, []);
}

/// Proves: rfc3264-5.1-5, rfc3264-5.1-6, rfc3264-5.1-7, rfc3264-5.1-9, rfc3264-5.1-10.
#[test]
fn all_that_we_speak_is_listed_most_wanted_first_with_its_name() {
    let (mut alice, _) = phone(1);
    let offer = alice.offer().unwrap();
    assert_eq!(lines(&offer, "m="), ["m=audio 4000 RTP/AVP 0 8 96"]);
    let maps = ["a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 telephone-event/8000"];
    assert_eq!(lines(&offer, "a=rtpmap"), maps);
}

/// "the offerer MUST send with the payload type numbers from the answer"
/// Proves: rfc3264-5.1-8.
#[test]
fn the_offerer_sends_with_the_numbers_of_the_answer() {
    let (mut alice, _) = phone(1);
    alice.offer().unwrap();
    let answer = "m=audio 9000 RTP/AVP 110 120\r\na=rtpmap:110 PCMA/8000\r\na=rtpmap:120 telephone-event/8000\r\n";
    let agreed = alice.accept(&theirs(answer)).unwrap();
    assert_eq!((agreed[0].codec.send, agreed[0].codec.receive), (110, 8));
    assert_eq!(agreed[0].events, Some(Events { send: 120, receive: 96, list: None }));
}

/// "the recipient of the offer SHOULD use the format with the highest preference that is acceptable to it"
/// Proves: rfc3264-5.1-11.
#[test]
fn the_answerer_uses_what_the_offerer_likes_best() {
    let (_, agreed) = phone(2).0.answer(&theirs("m=audio 9000 RTP/AVP 18 8 0\r\n")).unwrap();
    assert_eq!(&*agreed[0].codec.name, "PCMA");
}

/// "The ptime attribute MUST be greater than zero." One that is not says nothing, and we never write one.
/// Proves: rfc3264-5.1-12.
#[test]
fn a_packet_time_is_above_zero() {
    let (mut alice, stream) = phone(1);
    alice.stream_mut(stream).unwrap().ptime = Some(0);
    assert_eq!(lines(&alice.offer().unwrap(), "a=ptime"), Vec::<String>::new());
    let (_, agreed) =
        phone(2).0.answer(&theirs("m=audio 9000 RTP/AVP 0\r\na=ptime:0\r\n")).unwrap();
    assert_eq!(agreed[0].ptime, 20);
}
