//! RFC 3264 §8: changing what was agreed.

use sdp::{Codec, Description, Direction, Hold, Refusal, Stream};

use super::{call, lines, phone, round, text, theirs};

fn without_version(description: &Description) -> Description {
    let mut description = description.clone();
    description.origin.version = "".into();
    description
}

/// Proves: rfc3264-8-1, rfc3264-8-2.
#[test]
fn the_version_says_whether_something_changed() {
    let ((mut alice, stream), (mut bob, _)) = (phone(1), phone(2));
    let (first, _) = round(&mut alice, &mut bob);
    let (again, _) = round(&mut alice, &mut bob);
    assert_eq!(first, again);
    alice.hold(stream);
    let (held, _) = round(&mut alice, &mut bob);
    assert_eq!(
        held.origin.version_number(),
        first.origin.version_number().map(|version| version + 1)
    );
    assert_eq!(without_version(&held).origin, without_version(&first).origin);
}

/// Proves: rfc3264-8-3, rfc3264-8-4.
#[test]
fn an_offer_that_changes_nothing_is_answered_as_before() {
    let (mut bob, _) = phone(2);
    let offer = theirs("m=audio 9000 RTP/AVP 0\r\n");
    let first = bob.answer(&offer).unwrap();
    assert_eq!(bob.answer(&offer), Ok(first));
}

/// Proves: rfc3264-8-5, rfc3264-8-6, rfc3264-8-7, rfc3264-8.1-1.
#[test]
fn sections_are_added_below_and_never_vanish() {
    let ((mut alice, audio), (mut bob, _)) = (phone(1), phone(2));
    round(&mut alice, &mut bob);
    alice.add(Stream::video(([192, 0, 2, 1], 4002).into(), [Codec::new("H261", 90_000)]));
    let (offer, _) = round(&mut alice, &mut bob);
    assert_eq!(lines(&offer, "m="), ["m=audio 4000 RTP/AVP 0 8 96", "m=video 4002 RTP/AVP 31"]);
    alice.remove(audio);
    // The one who answers second adds nothing of its own either, and keeps what was refused in its place.
    assert_eq!(
        lines(&bob.offer().unwrap(), "m="),
        ["m=audio 4000 RTP/AVP 0 8 96", "m=video 0 RTP/AVP 31"]
    );
    assert_eq!(
        lines(&alice.offer().unwrap(), "m="),
        ["m=audio 0 RTP/AVP 0 8 96", "m=video 0 RTP/AVP 31"]
    );
    assert_eq!(bob.accept(&theirs("")), Err(Refusal::Sections { got: 0, want: 2 }));
    assert_eq!(bob.answer(&theirs("")), Err(Refusal::Sections { got: 0, want: 2 }));
}

/// "A stream that is offered with a port of zero MUST be marked with port zero in the answer."
/// Proves: rfc3264-8.2-1.
#[test]
fn what_they_removed_is_off_on_both_sides() {
    let (_, mut bob) = call();
    let (answer, agreed) = bob.answer(&theirs("m=audio 0 RTP/AVP 0\r\n")).unwrap();
    assert_eq!((answer.media[0].port, agreed.len(), bob.agreed().len()), (0, 0, 0));
}

/// Proves: rfc3264-8.3.1-1.
#[test]
fn another_port_changes_nothing_else() {
    let ((mut alice, stream), (mut bob, _)) = (phone(1), phone(2));
    let (before, _) = round(&mut alice, &mut bob);
    let stream = alice.stream_mut(stream).unwrap();
    stream.local.set_port(4100);
    stream.rtcp = 4101;
    let (after, _) = round(&mut alice, &mut bob);
    assert_eq!(text(&after), text(&before).replace("o=- 1 1", "o=- 1 2").replace("4000", "4100"));
}

/// Proves: rfc3264-8.3.2-1, rfc3264-8.3.2-2.
#[test]
fn a_number_keeps_its_meaning_whoever_gave_it() {
    let (mut bob, stream) = phone(2);
    bob.answer(&theirs(
        "m=audio 9000 RTP/AVP 46 97 0\r\na=rtpmap:46 x/8000\r\na=rtpmap:97 y/8000\r\n",
    ))
    .unwrap();
    bob.stream_mut(stream).unwrap().codecs.insert(0, Codec::new("opus", 48_000).with_channels(2));
    let offer = bob.offer().unwrap();
    assert_eq!(lines(&offer, "m="), ["m=audio 4000 RTP/AVP 96 0 8 98 99"], "97 is taken");
    bob.rejected();
    bob.stream_mut(stream).unwrap().codecs.remove(0);
    let offer = bob.offer().unwrap();
    assert_eq!(lines(&offer, "a=rtpmap:9"), ["a=rtpmap:99 telephone-event/8000"], "and stays 99");
}

/// Proves: rfc3264-8.3.2-3, rfc3264-8.3.2-4.
#[test]
fn the_newest_exchange_says_what_may_be_sent() {
    let (mut bob, _) = phone(2);
    bob.answer(&theirs("m=audio 9000 RTP/AVP 0 8\r\n")).unwrap();
    let (_, agreed) = bob.answer(&theirs("m=audio 9000 RTP/AVP 8\r\n")).unwrap();
    assert_eq!(agreed[0].formats.iter().map(|format| format.send).collect::<Vec<_>>(), [8]);
    bob.offer().unwrap();
    let agreed = bob.accept(&theirs("m=audio 9000 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(agreed[0].formats.iter().map(|format| format.send).collect::<Vec<_>>(), [0]);
}

/// "an agent MUST send media … using the new parameters once the SDP with the change is received"
/// Proves: rfc3264-8.3.4-1.
#[test]
fn new_parameters_hold_at_once() {
    let (_, mut bob) = call();
    let changed =
        theirs("m=audio 9000 RTP/AVP 8\r\nc=IN IP4 192.0.2.77\r\na=ptime:40\r\na=rtcp:9005\r\n");
    let (_, agreed) = bob.answer(&changed).unwrap();
    assert_eq!(agreed[0].ptime, 40);
    assert_eq!(agreed[0].remote.rtp_address(), Some(([192, 0, 2, 77], 9000).into()));
    assert_eq!(agreed[0].remote.rtcp_address(), Some(([192, 0, 2, 77], 9005).into()));
}

/// "The recipient of an offer for a stream on-hold SHOULD NOT automatically return an answer with the corresponding stream on hold."
/// Proves: rfc3264-8.4-1, rfc3264-8.4-2.
#[test]
fn hold_is_not_held_back_and_has_a_port() {
    let ((mut alice, stream), (mut bob, _)) = (phone(1), phone(2));
    round(&mut alice, &mut bob);
    alice.hold(stream);
    let (offer, answer) = round(&mut alice, &mut bob);
    assert_eq!(
        (offer.media[0].direction(), offer.media[0].port),
        (Some(Direction::SendOnly), 4000)
    );
    assert_eq!(answer.media[0].direction(), Some(Direction::RecvOnly));
    assert_eq!((alice.agreed()[0].hold, bob.agreed()[0].hold), (Hold::Ours, Hold::Theirs));
    alice.resume(stream);
    round(&mut alice, &mut bob);
    assert_eq!((alice.agreed()[0].hold, bob.agreed()[0].hold), (Hold::None, Hold::None));
    assert_eq!(bob.agreed()[0].direction, Direction::SendRecv);
}

/// "An agent MUST be capable of receiving SDP with a connection address of 0.0.0.0, in which case … neither RTP nor RTCP should be sent"
/// Proves: rfc3264-8.4-3.
#[test]
fn nothing_goes_to_nowhere() {
    let (_, mut bob) = call();
    let (_, agreed) =
        bob.answer(&theirs("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n")).unwrap();
    assert_eq!((agreed[0].direction.sends(), agreed[0].hold), (false, Hold::Theirs));
    assert_eq!((agreed[0].remote.rtp_address(), agreed[0].remote.rtcp_address()), (None, None));
}
