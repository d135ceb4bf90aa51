//! RFC 4733 §2.5.1: sending keys.

use media::{Agreement, Codec, KeySet};
use offhook_tests::speaker::Speaker;

use super::{events, pressed};

/// One key: the marker first, growing under one timestamp, ended three times.
/// Proves: rfc4733-2.5.1.2-2, rfc4733-2.5.1.2-3, rfc4733-2.5.1.2-4, rfc4733-2.5.1.2-5, rfc4733-2.5.1.2-6,
/// rfc4733-2.5.1.4-1, rfc4733-2.5.1.4-4.
#[test]
fn a_key_begins_with_the_marker_grows_and_ends_three_times() {
    let speaker = pressed("7");
    let sent = events(&speaker);
    assert!(
        sent.iter()
            .all(|(packet, event)| { packet.timestamp == sent[0].0.timestamp && event.event == 7 })
    );
    let markers: Vec<bool> = sent.iter().map(|(packet, _)| packet.marker).collect();
    assert_eq!(markers, [true, false, false, false, false, false, false]);
    let ends: Vec<bool> = sent.iter().map(|(_, event)| event.end).collect();
    assert_eq!(ends, [false, false, false, false, true, true, true]);
    let durations: Vec<u16> = sent.iter().map(|(_, event)| event.duration).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
}

/// Updates come as often as packets of sound, at constant intervals.
/// Proves: rfc4733-2.5.1.2-7, rfc4733-2.5.1.2-8.
#[test]
fn updates_come_every_20_ms() {
    let speaker = pressed("7");
    let sent = speaker.rtp();
    let times: Vec<_> =
        sent.iter().filter(|sent| sent.1.payload_type == 101).map(|sent| sent.0).collect();
    assert!(times.windows(2).all(|pair| (pair[1] - pair[0]).as_millis() == 20));
}

/// "it MUST restrict the set of events it sends to those listed in the received "events" parameter"
/// Proves: rfc4733-2.5.1.1-2.
#[test]
fn keys_that_the_other_side_does_not_list_are_not_sent_as_events() {
    let plain = Agreement::plain(Codec::Pcma, Some(101));
    let send_keys = Some((101, KeySet::read("0-11")));
    let mut speaker = Speaker::with(1, Agreement { send_keys, ..plain });
    "1A2D".chars().for_each(|key| speaker.stream.press(key).unwrap());
    speaker.run(3_000);
    let mut codes: Vec<u8> = events(&speaker).iter().map(|(_, event)| event.event).collect();
    codes.dedup();
    assert_eq!(codes, [1, 2]);
}

/// We say which keys we take, in an offer and in an answer.
/// Proves: rfc4733-2.5.1.1-1, rfc4733-2.5.2.1-1, rfc4733-9.2-2, rfc4733-9.2-3.
#[test]
fn the_events_that_we_take_are_listed() {
    let at = std::net::SocketAddr::from(([192, 0, 2, 1], 4000));
    let session = || {
        let mut session = sdp::Session::new(sdp::Origin::new(1, at.ip()));
        session.add(sdp::Stream::audio(at, [sdp::Codec::pcma()]));
        session
    };
    let offer = session().offer().unwrap();
    let (answer, _) = session().answer(&offer).unwrap();
    for description in [offer, answer] {
        let section = description.media.first().unwrap();
        let events = section.payload_types().find(|number| {
            section.rtpmap(*number).is_some_and(|map| &*map.name == "telephone-event")
        });
        assert_eq!(section.fmtp(events.unwrap()), Some("0-15"));
    }
}
