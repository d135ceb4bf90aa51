//! RFC 8866 §5: the lines of a description.

use sdp::{Codec, Description, Host, Origin, Session, Stream};

use super::{HEAD, read, text};

fn session() -> Session {
    Session::new(Origin::new(1, [192, 0, 2, 1].into()))
}

/// Proves: rfc8866-5-2.
#[test]
fn a_letter_that_nobody_knows_refuses_the_whole() {
    let wrong = read("y=1\r\n").unwrap_err();
    assert_eq!((wrong.what, wrong.line, wrong.at), ("letter of a line", 6, HEAD.len()));
    assert!(read("m=audio 1 RTP/AVP 0\r\nx=1\r\n").is_err());
    assert!(read("i=known\r\nz=0 0\r\n").is_ok());
}

/// Proves: rfc8866-5-3, rfc8866-5.13-3.
#[test]
fn unknown_attributes_mean_nothing_and_are_kept() {
    let more = "a=x-unknown:1\r\nm=audio 9 RTP/AVP 0\r\na=y-unknown\r\n";
    assert!(text(&read(more).unwrap()).ends_with(more));
    let mut bob = session();
    bob.add(Stream::audio(([192, 0, 2, 2], 4000).into(), [Codec::pcmu()]));
    let (answer, agreed) = bob.answer(&read(more).unwrap()).unwrap();
    assert_eq!((agreed.len(), text(&answer).contains("unknown")), (1, false));
}

/// "parsers SHOULD be tolerant and also accept lines terminated with a single newline character"
/// Proves: rfc8866-5-4.
#[test]
fn a_newline_alone_ends_a_line() {
    let more = "m=audio 9 RTP/AVP 0\r\n";
    let bare = format!("{HEAD}{more}").replace('\r', "");
    assert_eq!(Description::parse(bare.as_bytes()), read(more));
    assert!(text(&read(more).unwrap()).split_inclusive('\n').all(|line| line.ends_with("\r\n")));
}

/// What we write has its lines in the order of §9, and each reads back.
/// Proves: rfc8866-5-1.
#[test]
fn what_we_write_is_of_the_grammar() {
    let mut alice = session();
    alice.add(Stream::audio(([192, 0, 2, 2], 4000).into(), [Codec::pcmu()]));
    let offer = alice.offer().unwrap();
    let letters: Vec<_> = text(&offer).lines().map(|line| line.as_bytes()[0]).collect();
    assert_eq!(letters, *b"vosctmcaaaa");
    assert_eq!(Description::parse(&offer.write()), Ok(offer));
}

/// Names are those of RFC 1035, and others only in their ASCII form.
/// Proves: rfc8866-5-6, rfc8866-5-7.
#[test]
fn names_of_machines_are_ascii() {
    let at = |host: &str| read(&format!("m=audio 9 RTP/AVP 0\r\nc=IN IP4 {host}\r\n"));
    assert!(at("xn--bcher-kva.example").is_ok());
    assert!(at("b\u{fc}cher.example").is_err());
    assert!(at("a_b,c").is_err());
}

/// Proves: rfc8866-6.7-9.
#[test]
fn no_text_has_octets_that_end_lines() {
    assert!(read("i=a\0b\r\n").is_err());
    assert!(read("i=a\rb\r\n").is_err());
    assert!(read("a=x:a\0b\r\n").is_err());
}

/// Proves: rfc8866-5.2-1.
#[test]
fn a_username_has_no_spaces() {
    assert!(Description::parse(b"v=0\r\no=a b 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n").is_err());
    let mut origin = Origin::new(1, [192, 0, 2, 1].into());
    origin.username = "a b".into();
    assert!(text(&Description::new(origin)).contains("o=a_b 1 1 "));
}

/// "There MUST be one and only one "s=" line", which "MUST NOT be empty"; "s=-" is recommended when there is no name.
/// Proves: rfc8866-5.3-1, rfc8866-5.3-2, rfc8866-5.3-3.
#[test]
fn there_is_one_name_and_it_is_not_empty() {
    assert!(read("s=again\r\n").is_err());
    let mut unnamed = Description::new(Origin::new(1, [192, 0, 2, 1].into()));
    unnamed.name = "".into();
    assert_eq!(text(&unnamed).matches("\r\ns=-\r\n").count(), 1);
}

/// Proves: rfc8866-5.6-1.
#[test]
fn an_address_of_a_person_stands_above_the_media() {
    assert!(read("e=a@example.test\r\np=+1 617 555-6011\r\nm=audio 9 RTP/AVP 0\r\n").is_ok());
    assert!(read("m=audio 9 RTP/AVP 0\r\ne=a@example.test\r\n").is_err());
}

/// "either at least one "c=" line in each media description or a single "c=" line at the session level"
/// Proves: rfc8866-5.7-1, rfc8866-5.7-6.
#[test]
fn a_section_without_an_address_is_refused_and_the_session_has_one() {
    let head = HEAD.replace("c=IN IP4 192.0.2.1\r\n", "");
    let offer = |media: &str| Description::parse(format!("{head}{media}").as_bytes()).unwrap();
    let mut bob = session();
    bob.add(Stream::audio(([192, 0, 2, 2], 4000).into(), [Codec::pcmu()]));
    assert_eq!(bob.answer(&offer("m=audio 9 RTP/AVP 0\r\n")).unwrap_err().status(), 488);
    let (answer, _) = bob.answer(&offer("m=audio 9 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n")).unwrap();
    assert_eq!(
        text(&answer).matches("\r\nc=").count(),
        2,
        "one for the session, one where the stream is elsewhere"
    );
    assert!(read("c=IN IP4 192.0.2.2\r\n").is_err());
}

/// Proves: rfc8866-5.7-3.
#[test]
fn a_time_to_live_has_one_octet() {
    assert_eq!(
        read("m=audio 9 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/255\r\n").unwrap().media[0]
            .connection()
            .unwrap()
            .ttl,
        Some(255)
    );
    assert!(read("m=audio 9 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/256\r\n").is_err());
}

/// "SDP parsers MUST ignore bandwidth-fields with unknown <bwtype> names."
/// Proves: rfc8866-5.8-5.
#[test]
fn unknown_bandwidths_are_passed_over() {
    assert!(read("b=X-YZ:128\r\nb=AS:64\r\n").is_ok());
}

/// Proves: rfc8866-5.12-1, rfc8866-5.12-2.
#[test]
fn keys_in_the_clear_are_discarded() {
    let description = read("k=clear:secret\r\nm=audio 9 RTP/AVP 0\r\nk=clear:secret\r\n").unwrap();
    assert!(!text(&description).contains("secret"));
}

/// Proves: rfc8866-5.13-1.
#[test]
fn names_of_attributes_are_ascii() {
    assert!(read("a=na\u{ef}ve:1\r\n").is_err());
}

/// "If noncontiguous ports are used … the "a=rtcp:" attribute MUST be used", and who sends takes both as they are.
/// Proves: rfc8866-5.14-1, rfc8866-5.14-2.
#[test]
fn the_port_of_rtcp_is_said_when_it_is_not_the_next() {
    let mut alice = session();
    let stream = alice.add(Stream::audio(([192, 0, 2, 1], 4000).into(), [Codec::pcmu()]));
    assert!(!text(&alice.offer().unwrap()).contains("a=rtcp:"));
    alice.rejected();
    alice.stream_mut(stream).unwrap().rtcp = 5001;
    assert!(text(&alice.offer().unwrap()).contains("a=rtcp:5001\r\n"));
    let agreed = alice.accept(&read("m=audio 9001 RTP/AVP 0\r\na=rtcp:9010\r\n").unwrap()).unwrap();
    assert_eq!((agreed[0].remote.rtp, agreed[0].remote.rtcp), (9001, 9010));
    assert_eq!(agreed[0].remote.host, Host::Ip([192, 0, 2, 1].into()));
}

/// "the first acceptable payload format from the beginning of the list SHOULD be used", and a dynamic one is named by a=rtpmap.
/// Proves: rfc8866-5.14-3, rfc8866-5.14-4, rfc8866-8.2.3-5, rfc8866-8.2.3-6.
#[test]
fn dynamic_payload_types_are_named_and_the_first_that_fits_is_used() {
    let mut alice = session();
    let codecs = [Codec::new("opus", 48_000).with_channels(2), Codec::pcmu()];
    alice.add(Stream::audio(([192, 0, 2, 1], 4000).into(), codecs));
    let offer = text(&alice.offer().unwrap());
    assert!(offer.contains("m=audio 4000 RTP/AVP 96 0 97 98\r\n"), "{offer}");
    for named in ["96 opus/48000/2", "97 telephone-event/48000", "98 telephone-event/8000"] {
        assert!(offer.contains(&format!("a=rtpmap:{named}\r\n")), "{offer}");
    }
    alice.rejected();
    let unnamed = read("m=audio 9000 RTP/AVP 112 111 0\r\na=rtpmap:111 opus/48000/2\r\n").unwrap();
    assert_eq!(alice.answer(&unnamed).unwrap().1[0].codec.send, 111);
}
