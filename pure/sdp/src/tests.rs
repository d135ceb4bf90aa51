//! Reading and writing: mistakes are named with their places, and what is written reads back.

use proptest::prelude::*;

use crate::*;

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

fn wrong(text: &str) -> String {
    Description::parse(text.as_bytes()).unwrap_err().to_string()
}

fn with(lines: &str) -> String {
    format!("{HEAD}{lines}")
}

#[test]
fn mistakes_are_named_with_line_and_octet() {
    assert_eq!(wrong(""), "bad o= (missing) at line 1, octet 0");
    assert_eq!(wrong("v=1\r\n"), "bad version in v= (only 0 exists) at line 1, octet 2");
    assert_eq!(wrong("o=- 1 1 IN IP4 h.test\r\n"), "bad v= (must come first) at line 1, octet 0");
    assert_eq!(wrong("v=0\r\no=- x 1 IN IP4 h.test\r\n"), "bad sess-id in o= at line 2, octet 9");
    assert_eq!(wrong("v=0\r\no=- 1 1 IN IP4\r\n"), "bad address in o= at line 2, octet 19");
    assert_eq!(wrong(&with("m=audio 99999 RTP/AVP 0\r\n")), "bad port in m= at line 5, octet 51");
    assert_eq!(wrong(&with("c=IN IP4 300.1.1.1\r\n")), "bad address in c= at line 5, octet 52");
    assert_eq!(wrong(&with("c=IN IP6 10.0.0.1\r\n")), "bad address in c= at line 5, octet 52");
    assert_eq!(wrong(&with("nonsense\r\n")), "bad line (not of the form x=…) at line 5, octet 43");
    assert_eq!(wrong(&with("a=b\r\na=\r\n")), "bad attribute name in a= at line 6, octet 50");
    assert_eq!(wrong(&with("a=b\rc\r\n")), "bad octet (NUL or a lone CR) at line 5, octet 46");
    assert_eq!(wrong(&with("b=AS\r\n")), "bad number in b= at line 5, octet 47");
    assert_eq!(
        wrong(&with("m=audio 1 RTP/AVP 0\r\nt=0 0\r\n")),
        "bad place of a session's line (below m=) at line 6, octet 64"
    );
}

#[test]
fn what_is_missing_and_harmless_is_forgiven() {
    let read = Description::parse(b"v=0\no=- 1 1 IN IP4 192.0.2.1\n\ns=\nm=audio 4000 RTP/AVP\n\n")
        .unwrap();
    assert_eq!((read.name.as_str(), read.media.len()), (Some("-"), 1));
    assert!(read.media[0].formats.is_empty());
}

#[test]
fn octets_that_are_no_utf8_are_kept() {
    let text = [HEAD.as_bytes(), b"a=charset:ISO-8859-1\r\ni=caf\xe9\r\na=x:\xff\r\n"].concat();
    let read = Description::parse(&text).unwrap();
    assert_eq!(read.attribute("x").unwrap().value.as_ref().unwrap().as_bytes(), b"\xff");
    // t= came before: the order stays, whatever it was.
    assert_eq!(read.write(), text);
}

#[test]
fn connections_of_every_kind() {
    let read = |value: &str| {
        let text = with(&format!("c={value}\r\n"));
        Description::parse(text.as_bytes()).map(|read| {
            assert_eq!(String::from_utf8(read.write()).unwrap(), text);
            read.connection().unwrap().clone()
        })
    };
    let group = read("IN IP4 224.2.17.12/127/2").unwrap();
    assert_eq!((group.ttl, group.count, group.is_multicast()), (Some(127), Some(2), true));
    let group = read("IN IP6 ff15::101/3").unwrap();
    assert_eq!((group.ttl, group.count, group.is_multicast()), (None, Some(3), true));
    assert_eq!(read("IN IP6 2001:db8::1").unwrap().address.ip(), "2001:db8::1".parse().ok());
    assert_eq!(
        read("IN IP4 host.test").unwrap().address.host(),
        Some(Host::Name("host.test".into()))
    );
    assert_eq!(read("TN RFC2543 +1-201-406-4090").unwrap().address.host(), None);
    assert!(read("IN IP4 0.0.0.0").unwrap().is_nowhere());
    for refused in ["IN IP4 224.2.1.1/256", "IN IP4", "IN IP4 10.0.0.1 x"] {
        assert!(read(refused).is_err(), "{refused}");
    }
}

#[test]
fn a_section_tells_what_it_knows() {
    let text = with(
        "m=audio 49170/2 RTP/AVP 0 97 x\r\na=rtpmap:97 iLBC/8000\r\na=fmtp:97 mode=20\r\na=ptime:20.0\r\n\
         a=maxptime:0\r\na=rtcp:53020 IN IP4 192.0.2.7\r\na=rtcp-mux\r\na=mid:1\r\na=recvonly\r\n",
    );
    let read = Description::parse(text.as_bytes()).unwrap();
    let media = &read.media[0];
    assert_eq!(
        (media.port, media.ports, &media.payload_types().collect::<Vec<_>>()[..]),
        (49170, Some(2), &[0, 97][..])
    );
    assert_eq!(media.rtpmap(97).unwrap().to_string(), "97 iLBC/8000");
    assert_eq!(media.rtpmap(0).unwrap().to_string(), "0 PCMU/8000");
    assert_eq!((media.rtpmap(96), media.fmtp(97), media.fmtp(0)), (None, Some("mode=20"), None));
    assert_eq!((media.ptime(), media.maxptime()), (Some(20), None));
    assert_eq!(media.rtcp().unwrap().0, 53020);
    assert_eq!((media.has_rtcp_mux(), media.mid()), (true, Some("1")));
    assert_eq!(read.direction_of(media), Direction::RecvOnly);
}

#[test]
fn limits_hold() {
    let many = |line: &str, count: usize| wrong(&with(&line.repeat(count)));
    assert!(many("a=x\r\n", limits::LINES).starts_with("bad number of lines"));
    assert!(many("m=audio 0 RTP/AVP 0\r\n", limits::SECTIONS + 1).starts_with("bad number of m="));
    assert!(
        wrong(&with(&format!("m=audio 0 RTP/AVP{}\r\n", " 0".repeat(limits::FORMATS + 1))))
            .starts_with("bad number of formats")
    );
    assert!(
        wrong(&with(&format!("a=x:{}\r\n", "y".repeat(limits::OCTETS)))).starts_with("bad length")
    );
}

#[test]
fn nothing_that_is_put_in_can_begin_a_line() {
    let mut description = Description::new(Origin::new(1, [192, 0, 2, 1].into()));
    description.name = "call\r\nc=IN IP4 6.6.6.6".into();
    description.origin.username = "a b\nm=audio".into();
    let mut media = Media::new("audio", 1, "RTP/AVP 0\r\na=x");
    media.push(Attribute::new("fmtp", "96 a\r\nb"));
    description.media.push(media);
    let read = Description::parse(&description.write()).unwrap();
    assert_eq!((read.connection(), read.media.len(), read.attributes().count()), (None, 1, 0));
    assert_eq!(&*read.origin.username, "a_b_m=audio");
}

fn word() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9./-]{1,8}".prop_map(String::into_boxed_str)
}

fn value() -> impl Strategy<Value = Text> {
    prop::collection::vec(
        any::<u8>().prop_filter("ends the line", |octet| !b"\0\r\n".contains(octet)),
        1..20,
    )
    .prop_map(|octets| Text::from(&octets[..]))
}

fn connection() -> impl Strategy<Value = Line> {
    let unicast =
        any::<std::net::IpAddr>().prop_filter("is a group", |address| !address.is_multicast());
    let group = (any::<u8>(), prop::option::of(any::<u32>())).prop_map(|(ttl, count)| Connection {
        ttl: Some(ttl),
        count,
        ..Connection::from(std::net::IpAddr::from([224, 2, 1, 1]))
    });
    prop_oneof![unicast.prop_map(Connection::from), group].prop_map(Line::Connection)
}

fn attribute() -> impl Strategy<Value = Line> {
    (word(), prop::option::of(value()))
        .prop_map(|(name, value)| Line::Attribute(Attribute { name, value }))
}

fn bandwidth() -> impl Strategy<Value = Line> {
    (word(), any::<u64>()).prop_map(|(kind, amount)| Line::Bandwidth(Bandwidth { kind, amount }))
}

fn media() -> impl Strategy<Value = Media> {
    let lines = prop::collection::vec(prop_oneof![connection(), attribute(), bandwidth()], 0..6);
    let formats = prop::collection::vec(word(), 0..4);
    (word(), any::<u16>(), prop::option::of(any::<u16>()), word(), formats, lines).prop_map(
        |(kind, port, ports, protocol, formats, lines)| Media {
            kind,
            port,
            ports,
            protocol,
            formats,
            lines,
        },
    )
}

fn description() -> impl Strategy<Value = Description> {
    let timing = any::<(u64, u64)>().prop_map(|(start, stop)| Line::Timing(Timing { start, stop }));
    let other = (prop::sample::select(b"iueprz".to_vec()), value())
        .prop_map(|(letter, value)| Line::Other(letter, value));
    let lines = prop::collection::vec(prop_oneof![attribute(), bandwidth(), timing, other], 0..6);
    let origin = (word(), any::<u64>(), any::<u64>(), any::<std::net::IpAddr>()).prop_map(
        |(username, id, version, address)| Origin {
            username,
            id: id.to_string().into(),
            version: version.to_string().into(),
            address: address.into(),
        },
    );
    (origin, value(), lines, prop::option::of(connection()), prop::collection::vec(media(), 0..4))
        .prop_map(|(origin, name, mut lines, connection, media)| {
            lines.extend(connection);
            Description { origin, name, lines, media }
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(description in description()) {
        prop_assert_eq!(Description::parse(&description.write()), Ok(description));
    }

    #[test]
    fn whatever_comes_ends_in_a_verdict(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = [HEAD.as_bytes(), &octets].concat();
        if let Err(wrong) = Description::parse(&text) {
            prop_assert!(wrong.at <= text.len());
        }
    }
}
