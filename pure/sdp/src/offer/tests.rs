//! Offers and answers as phones make them.

use std::net::SocketAddr;

use super::*;
use crate::{Description, Direction, Host, Origin};

fn party(last: u8, port: u16) -> (Session, StreamId) {
    let address = [192, 0, 2, last];
    let mut session = Session::new(Origin::new(last.into(), address.into()));
    let stream = session.add(Stream::audio((address, port).into(), [Codec::pcmu(), Codec::pcma()]));
    (session, stream)
}

fn text(description: &Description) -> String {
    String::from_utf8(description.write()).unwrap()
}

fn offer(sections: &str) -> Description {
    let head = "v=0\r\no=bob 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n";
    Description::parse(format!("{head}{sections}").as_bytes()).unwrap()
}

#[test]
fn an_offer_is_written_as_the_rfc_shows_it() {
    let (mut alice, _) = party(1, 4000);
    assert_eq!(
        text(&alice.offer().unwrap()),
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0 8 96\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=sendrecv\r\n"
    );
}

#[test]
fn a_call_is_agreed_on_both_sides() {
    let ((mut alice, _), (mut bob, _)) = (party(1, 4000), party(2, 5000));
    let (answer, at_bob) = bob.answer(&alice.offer().unwrap()).unwrap();
    let at_alice = alice.accept(&answer).unwrap();
    let [at_alice] = &at_alice[..] else { panic!("{at_alice:?}") };
    let [at_bob] = &at_bob[..] else { panic!("{at_bob:?}") };
    assert_eq!(at_alice.remote.rtp_address(), Some("192.0.2.2:5000".parse().unwrap()));
    assert_eq!(at_alice.remote.rtcp_address(), Some("192.0.2.2:5001".parse().unwrap()));
    assert_eq!(at_bob.remote.rtp_address(), Some("192.0.2.1:4000".parse().unwrap()));
    assert_eq!(
        (&*at_alice.codec.name, at_alice.codec.send, at_alice.codec.receive),
        ("PCMU", 0, 0)
    );
    assert_eq!(at_alice.formats, at_bob.formats);
    assert_eq!(at_alice.events, Some(events(96, 96, Some("0-15"))));
    assert_eq!(
        (at_alice.direction, at_alice.hold, at_alice.ptime),
        (Direction::SendRecv, Hold::None, 20)
    );
}

fn events(send: u8, receive: u8, list: Option<&str>) -> Events {
    Events { send, receive, list: list.map(Box::from) }
}

/// What the other side takes is its own list, in an offer and in an answer (RFC 4733 §2.4.1).
#[test]
fn the_list_of_keys_is_that_of_the_other_side() {
    let section =
        "m=audio 9000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11,66\r\n";
    let agreed = party(2, 5000).0.answer(&offer(section)).unwrap().1;
    assert_eq!(agreed[0].events, Some(events(101, 101, Some("0-11,66"))));
    let (mut alice, _) = party(1, 4000);
    alice.offer().unwrap();
    assert_eq!(
        alice.accept(&offer(section)).unwrap()[0].events,
        Some(events(101, 96, Some("0-11,66")))
    );
}

/// RFC 3605 §2.1: port, and the machine where it is another.
#[test]
fn reports_go_where_the_other_side_wants_them() {
    let at = |line: &str| {
        let section = format!("m=audio 9000 RTP/AVP 8\r\n{line}");
        party(2, 5000).0.answer(&offer(&section)).unwrap().1[0].remote.rtcp_address().unwrap()
    };
    let host = at("").ip();
    assert_eq!(at(""), SocketAddr::new(host, 9001));
    assert_eq!(at("a=rtcp:9009\r\n"), SocketAddr::new(host, 9009));
    assert_eq!(at("a=rtcp:53020 IN IP4 198.51.100.7\r\n"), "198.51.100.7:53020".parse().unwrap());
    for nobody in ["0.0.0.0", "224.0.0.5"] {
        assert_eq!(at(&format!("a=rtcp:9009 IN IP4 {nobody}\r\n")), SocketAddr::new(host, 9009));
    }
}

#[test]
fn payload_types_of_the_answer_are_sent_and_ours_are_received() {
    let (mut alice, stream) = party(1, 4000);
    alice.stream_mut(stream).unwrap().codecs =
        vec![Codec::new("opus", 48_000).with_channels(2), Codec::pcmu()];
    let offered = text(&alice.offer().unwrap());
    assert!(offered.contains("m=audio 4000 RTP/AVP 96 0 97 98\r\n"), "{offered}");
    let answer = offer(
        "m=audio 9000 RTP/AVP 111 101 0\r\na=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
         a=rtpmap:101 telephone-event/48000\r\n",
    );
    let agreed = alice.accept(&answer).unwrap();
    assert_eq!((agreed[0].codec.send, agreed[0].codec.receive), (111, 96));
    assert_eq!(agreed[0].codec.parameters.as_deref(), Some("useinbandfec=1"));
    assert_eq!(agreed[0].events, Some(events(101, 97, None)));
    assert_eq!(agreed[0].formats.len(), 2);
}

#[test]
fn keys_run_at_the_clock_of_the_codec_or_not_at_all() {
    let (mut bob, _) = party(2, 5000);
    let section = |rate| {
        offer(&format!("m=audio 9000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/{rate}\r\n"))
    };
    let (answer, agreed) = bob.answer(&section(16_000)).unwrap();
    assert_eq!(agreed[0].events, None);
    assert!(!text(&answer).contains("telephone-event"));
    let (answer, agreed) = bob.answer(&section(8_000)).unwrap();
    assert_eq!(agreed[0].events, Some(events(101, 101, None)));
    assert!(text(&answer).contains("m=audio 5000 RTP/AVP 8 101\r\n"));
}

#[test]
fn keys_of_another_clock_are_not_taken_even_when_they_come_first() {
    let (mut bob, stream) = party(2, 5000);
    let opus = Codec::new("opus", 48_000).with_channels(2);
    bob.stream_mut(stream).unwrap().codecs = vec![opus, Codec::pcma()];
    let both = "m=audio 9000 RTP/AVP 111 8 101 102\r\na=rtpmap:111 opus/48000/2\r\n\
                a=rtpmap:101 telephone-event/8000\r\na=rtpmap:102 telephone-event/48000\r\n";
    let (answer, agreed) = bob.answer(&offer(both)).unwrap();
    assert_eq!((&*agreed[0].codec.name, agreed[0].codec.clock_rate), ("opus", 48_000));
    assert_eq!(agreed[0].events, Some(events(102, 102, None)));
    assert!(text(&answer).contains("m=audio 5000 RTP/AVP 111 8 102\r\n"));
}

/// baresip 1.0.0 lists them so beside Opus, and sends them.
#[test]
fn who_lists_keys_at_8000_alone_gives_and_gets_them() {
    let (mut bob, stream) = party(2, 5000);
    bob.stream_mut(stream).unwrap().codecs = vec![Codec::new("opus", 48_000).with_channels(2)];
    let theirs = "m=audio 9000 RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";
    let (answer, agreed) = bob.answer(&offer(theirs)).unwrap();
    assert_eq!(agreed[0].events, Some(events(101, 101, None)));
    assert!(text(&answer).contains("a=rtpmap:101 telephone-event/8000\r\n"));

    let (mut alice, stream) = party(1, 4000);
    alice.stream_mut(stream).unwrap().codecs =
        vec![Codec::new("opus", 48_000).with_channels(2), Codec::pcmu()];
    let offered = text(&alice.offer().unwrap());
    assert!(offered.contains("a=rtpmap:98 telephone-event/8000\r\n"), "{offered}");
    let agreed = alice.accept(&offer(theirs)).unwrap();
    assert_eq!(agreed[0].events, Some(events(101, 98, None)));
}

#[test]
fn the_version_rises_by_one_when_something_changed_and_only_then() {
    let ((mut alice, stream), (mut bob, _)) = (party(1, 4000), party(2, 5000));
    let mut round = |alice: &mut Session| {
        let offer = alice.offer().unwrap();
        let (answer, _) = bob.answer(&offer).unwrap();
        alice.accept(&answer).unwrap();
        (
            offer.origin.version.parse::<u64>().unwrap(),
            answer.origin.version.parse::<u64>().unwrap(),
        )
    };
    assert_eq!(round(&mut alice), (1, 1));
    assert_eq!(round(&mut alice), (1, 1));
    alice.hold(stream);
    assert_eq!(round(&mut alice), (2, 2));
    assert_eq!(round(&mut alice), (2, 2));
    alice.resume(stream);
    assert_eq!(round(&mut alice), (3, 3));
    alice.stream_mut(stream).unwrap().local = ([192, 0, 2, 1], 4002).into();
    assert_eq!(round(&mut alice), (4, 3));
}

#[test]
fn a_refused_offer_changes_nothing_but_the_version() {
    let ((mut alice, stream), (mut bob, _)) = (party(1, 4000), party(2, 5000));
    let (answer, _) = bob.answer(&alice.offer().unwrap()).unwrap();
    let before = alice.accept(&answer).unwrap();
    alice.hold(stream);
    assert_eq!(&*alice.offer().unwrap().origin.version, "2");
    assert_eq!(alice.offer(), Err(Refusal::OfferPending));
    alice.rejected();
    assert_eq!(alice.agreed(), before);
    alice.resume(stream);
    assert_eq!(&*alice.offer().unwrap().origin.version, "3");
}

#[test]
fn hold_in_every_style() {
    let hold = |line: &str, address: &str| {
        let (mut bob, _) = party(2, 5000);
        let text = format!("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 {address}\r\n{line}");
        let (answer, agreed) = bob.answer(&offer(&text)).unwrap();
        (answer.media[0].direction().unwrap(), agreed[0].direction, agreed[0].hold)
    };
    let here = "192.0.2.9";
    assert_eq!(hold("", here), (Direction::SendRecv, Direction::SendRecv, Hold::None));
    assert_eq!(
        hold("a=sendonly\r\n", here),
        (Direction::RecvOnly, Direction::RecvOnly, Hold::Theirs)
    );
    assert_eq!(
        hold("a=inactive\r\n", here),
        (Direction::Inactive, Direction::Inactive, Hold::Theirs)
    );
    assert_eq!(hold("", "0.0.0.0"), (Direction::RecvOnly, Direction::RecvOnly, Hold::Theirs));
    assert_eq!(
        hold("a=inactive\r\n", "0.0.0.0"),
        (Direction::Inactive, Direction::Inactive, Hold::Theirs)
    );
    assert_eq!(
        hold("a=recvonly\r\n", here),
        (Direction::SendOnly, Direction::SendOnly, Hold::None)
    );
}

#[test]
fn nothing_is_sent_to_nowhere() {
    let (mut bob, _) = party(2, 5000);
    let (_, agreed) = bob.answer(&offer("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n")).unwrap();
    assert_eq!((agreed[0].remote.rtp_address(), agreed[0].remote.rtcp_address()), (None, None));
    assert_eq!(agreed[0].remote.host, Host::Ip([0, 0, 0, 0].into()));
}

#[test]
fn who_holds_answers_a_hold_with_inactive() {
    let (mut bob, stream) = party(2, 5000);
    bob.hold(stream);
    let (answer, agreed) = bob.answer(&offer("m=audio 9000 RTP/AVP 0\r\na=sendonly\r\n")).unwrap();
    assert_eq!(
        (answer.media[0].direction(), agreed[0].hold),
        (Some(Direction::Inactive), Hold::Both)
    );
}

#[test]
fn pictures_are_refused_and_the_order_stays() {
    let (mut bob, _) = party(2, 5000);
    let (answer, agreed) = bob
        .answer(&offer(
            "m=video 9002 RTP/AVP 31\r\nm=audio 9000 RTP/AVP 0\r\nm=audio 9004 RTP/AVP 0\r\n",
        ))
        .unwrap();
    let lines: Vec<_> = answer.media.iter().map(|media| (&*media.kind, media.port)).collect();
    assert_eq!(lines, [("video", 0), ("audio", 5000), ("audio", 0)]);
    assert_eq!((agreed.len(), agreed[0].section), (1, 1));
    // And they stay off in our own offers, in their places.
    let again = bob.offer().unwrap();
    assert_eq!(again.media[0], answer.media[0]);
    assert_eq!(again.media[2], answer.media[2]);
}

/// RFC 9143 §7.3.2: what has a port of its own here shares no way with the rest.
#[test]
fn what_has_a_port_of_its_own_is_in_no_bundle() {
    let (mut bob, _) = party(2, 5000);
    bob.add(Stream::video(([192, 0, 2, 2], 5010).into(), [Codec::new("H261", 90_000)]));
    let media = "a=group:BUNDLE a v\r\nm=audio 9000 RTP/AVP 0\r\na=mid:a\r\nm=video 9002 RTP/AVP 31\r\na=mid:v\r\n";
    let (answer, agreed) = bob.answer(&offer(media)).unwrap();
    assert_eq!((agreed.len(), answer.media[1].port), (2, 5010));
    assert_eq!(answer.attribute("group").unwrap().text(), "BUNDLE a");
}

#[test]
fn media_is_added_later_removed_and_its_place_is_kept() {
    let ((mut alice, _), (mut bob, _)) = (party(1, 4000), party(2, 5000));
    let video = |port| Stream::video(([192, 0, 2, 1], port).into(), [Codec::new("H261", 90_000)]);
    let (answer, _) = bob.answer(&alice.offer().unwrap()).unwrap();
    alice.accept(&answer).unwrap();
    let at_alice = alice.add(video(4010));
    bob.add(video(5010));
    let (answer, at_bob) = bob.answer(&alice.offer().unwrap()).unwrap();
    assert_eq!((alice.accept(&answer).unwrap().len(), at_bob.len()), (2, 2));
    alice.remove(at_alice);
    let offer = alice.offer().unwrap();
    assert_eq!((offer.media.len(), offer.media[1].port), (2, 0));
    let (answer, at_bob) = bob.answer(&offer).unwrap();
    assert_eq!(
        (answer.media[1].port, at_bob.len(), alice.accept(&answer).unwrap().len()),
        (0, 1, 1)
    );
    assert_eq!(
        bob.offer().unwrap().media[1].port,
        0,
        "what they turned off is not offered again unasked"
    );
}

#[test]
fn a_payload_type_keeps_its_meaning() {
    let (mut bob, stream) = party(2, 5000);
    bob.stream_mut(stream).unwrap().codecs.insert(0, Codec::new("opus", 48_000).with_channels(2));
    bob.answer(&offer("m=audio 9000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"))
        .unwrap();
    let section = text(&bob.offer().unwrap());
    assert!(section.contains("a=rtpmap:96 telephone-event/8000\r\n"), "{section}");
    assert!(section.contains("a=rtpmap:97 opus/48000/2\r\n"), "{section}");
}

#[test]
fn impossible_offers_are_refused_with_a_reason() {
    let refused = |sections: &str| {
        let (mut bob, _) = party(2, 5000);
        let refusal = bob.answer(&offer(sections)).unwrap_err();
        (refusal.status(), refusal.warning().unwrap_or_default(), refusal.to_string())
    };
    let is = |code, text: &str| (488, code, text.to_string());
    assert_eq!(refused("m=audio 9000 RTP/AVP 18\r\n"), is(305, "m= line 1: no codec in common"));
    assert_eq!(
        refused("m=video 9000 RTP/AVP 31\r\n"),
        is(304, "no media of a kind that is wanted here")
    );
    assert_eq!(
        refused("m=audio 9000 RTP/SAVP 0\r\n"),
        is(302, "m= line 1: RTP/SAVP is not spoken here")
    );
    let group = refused("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 224.2.17.12/127\r\n");
    assert_eq!(group, is(301, "m= line 1: no address that media can be sent to"));
}

#[test]
fn a_refused_re_offer_leaves_the_call_alone() {
    let ((mut alice, _), (mut bob, _)) = (party(1, 4000), party(2, 5000));
    let (_, before) = bob.answer(&alice.offer().unwrap()).unwrap();
    assert!(bob.answer(&offer("m=audio 9000 RTP/AVP 18\r\n")).is_err());
    assert_eq!(bob.agreed(), before);
    assert_eq!(bob.answer(&offer("")), Err(Refusal::Sections { got: 0, want: 1 }));
    assert_eq!(&*bob.offer().unwrap().origin.version, "1");
}

#[test]
fn an_answer_that_does_not_fit_ends_the_offer() {
    let (mut alice, _) = party(1, 4000);
    for (sections, refusal) in [
        ("", Refusal::Sections { got: 0, want: 1 }),
        ("m=video 9000 RTP/AVP 0\r\n", Refusal::Kind { section: 0 }),
        ("m=audio 9000 RTP/AVP 18\r\n", Refusal::Formats { section: 0 }),
        (
            "m=audio 9000 RTP/SAVP 0\r\n",
            Refusal::Protocol { section: 0, protocol: "RTP/SAVP".into() },
        ),
    ] {
        alice.offer().unwrap();
        assert_eq!(alice.accept(&offer(sections)), Err(refusal));
        assert_eq!(alice.accept(&offer(sections)), Err(Refusal::NothingOffered));
    }
}

#[test]
fn while_an_offer_waits_for_somebody_to_pick_up_we_make_none() {
    let (mut bob, _) = party(2, 5000);
    bob.receive(offer("m=audio 9000 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(bob.offer(), Err(Refusal::AnswerPending));
    assert_eq!(bob.receive(offer("m=audio 9000 RTP/AVP 0\r\n")), Err(Refusal::AnswerPending));
    assert_eq!(bob.answer_received().unwrap().1.len(), 1);
    assert_eq!(bob.answer_received(), Err(Refusal::NothingOffered));
}
