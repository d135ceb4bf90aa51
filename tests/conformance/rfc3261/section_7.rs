//! §7: what a message is made of.

use sip::header::{Supported, Via};
use sip::stream::{Frame, Framer};
use sip::{Draft, Message, Method, Name, Status, check};

/// A good request, with these rows above its own.
fn request(rows: &str) -> String {
    format!(
        "OPTIONS sip:b@h SIP/2.0\r\n{rows}Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\nCall-ID: x@y\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

fn parse(text: &str) -> Message {
    Message::parse(text.to_owned()).unwrap()
}

/// "The start-line, each message-header line, and the empty line MUST be terminated by a carriage-return line-feed sequence
/// (CRLF). Note that the empty line MUST be present even if the message-body is not."
/// Proves: rfc3261-7-1, rfc3261-7-2.
#[test]
fn every_line_ends_with_crlf_and_an_empty_one_is_there() {
    let good = request("");
    parse(&good);
    for (at, _) in good.match_indices("\r\n") {
        for broken in ["\n", "\r", "", "\n\r"] {
            let text = format!("{}{broken}{}", &good[..at], &good[at + 2..]);
            let wrong = Message::parse(text).map_or(true, |message| check(&message).is_err());
            assert!(wrong, "{broken:?} at octet {at}");
        }
    }
    let draft = Draft::request(Method::Options, b"sip:b@h").raw(Name::Subject, b"x").wire();
    let lines = b"OPTIONS sip:b@h SIP/2.0\r\nSubject: x\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(&draft[..], lines);
}

/// "The Request-URI MUST NOT contain unescaped spaces or control characters and MUST NOT be enclosed in "<>"."
/// Proves: rfc3261-7.1-1.
#[test]
fn a_request_uri_has_no_blanks_and_no_brackets() {
    for octet in (0..=b' ').chain([0x7f]) {
        let uri = [b"sip:a", &[octet][..], b"b@h"].concat();
        let wire = [b"OPTIONS ", &uri[..], b" SIP/2.0\r\n\r\n"].concat();
        assert!(Message::parse(wire).is_err(), "octet {octet} is refused");
        let ours = Message::parse(Draft::request(Method::Options, &uri).wire()).unwrap();
        let escaped = format!("sip:a%{octet:02X}b@h");
        assert_eq!(ours.request_uri().unwrap(), escaped.as_bytes(), "octet {octet} is not sent");
    }
    assert!(Message::parse("OPTIONS <sip:b@h> SIP/2.0\r\n\r\n").is_err());
}

/// "To be compliant with this specification, applications sending SIP messages MUST include a SIP-Version of "SIP/2.0". The
/// SIP-Version string is case-insensitive, but implementations MUST send upper-case."
/// Proves: rfc3261-7.1-2, rfc3261-7.1-3.
#[test]
fn the_version_is_read_in_any_case_and_sent_in_upper_case() {
    assert!(parse("OPTIONS sip:b@h sIp/2.0\r\n\r\n").is_request());
    assert_eq!(parse("sip/2.0 200 OK\r\n\r\n").status(), Some(Status::OK));
    for other in ["SIP/7.0", "SIP/2.00", "SIP/2", "HTTP/1.1", "SIP/2.0 "] {
        assert!(Message::parse(format!("OPTIONS sip:b@h {other}\r\n\r\n")).is_err(), "{other}");
    }
    let lower = parse("OPTIONS sip:b@h sip/2.0\r\nv: SIP/2.0/UDP h\r\n\r\n");
    assert!(lower.reply(Status::OK).wire().starts_with(b"SIP/2.0 200 OK\r\n"));
    let request = Draft::request(Method::Options, b"sip:b@h").wire();
    assert!(request.starts_with(b"OPTIONS sip:b@h SIP/2.0\r\n"));
}

/// "It MUST be possible to combine the multiple header field rows into one … by appending each subsequent field-value to the
/// first, each separated by a comma. Implementations MUST be able to process multiple header field rows with the same name in any
/// combination of the single-value-per-line or comma-separated value forms."
/// Proves: rfc3261-7.3.1-2, rfc3261-7.3.1-4.
#[test]
fn rows_and_commas_mean_the_same_in_any_combination() {
    let elements = |text: &str, name| {
        let message = parse(&request(text));
        message.elements(name).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let route = [
        "Route: <sip:a,b@h>\r\nRoute: \"x, y\" <sip:c>;z=\",\"\r\nRoute: <sip:d>\r\n",
        "Route: <sip:a,b@h>, \"x, y\" <sip:c>;z=\",\",<sip:d>\r\n",
        "Route: <sip:a,b@h>\r\nRoute: \"x, y\" <sip:c>;z=\",\" ,\r\n <sip:d>\r\n",
        "Route: <sip:a,b@h>,\"x, y\" <sip:c>;z=\",\"\r\nroute : <sip:d>\r\n",
    ];
    let expected: [&[u8]; 3] = [b"<sip:a,b@h>", b"\"x, y\" <sip:c>;z=\",\"", b"<sip:d>"];
    for text in route {
        assert_eq!(elements(text, Name::Route), expected, "{text}");
    }
    let tags = ["k: a,b\r\nSupported: c\r\n", "Supported: a\r\nk: b , c\r\n"];
    for text in tags {
        let message = parse(&request(text));
        let tags: Vec<_> = message.all::<Supported<'_>>().map(|tag| tag.unwrap().0).collect();
        assert_eq!(tags, ["a", "b", "c"], "{text}");
    }
    // Others are not lists: a comma is a part of the value.
    assert_eq!(elements("Subject: a, b\r\n", Name::Subject), [b"a, b"]);
}

/// "Multiple header field rows with these names MAY be present in a message, but since their grammar does not follow the general
/// form listed in Section 7.3, they MUST NOT be combined into a single header field row."
/// Proves: rfc3261-7.3.1-3, rfc3261-20.7-1, rfc3261-20.28-1.
#[test]
fn credentials_are_never_split_and_never_combined() {
    let names = ["Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate"];
    for text in names {
        let name = Name::of(text.as_bytes());
        let rows = format!("{text}: Digest a=1, b=2\r\n{text}: Digest c=3, d=4\r\n");
        let message = parse(&request(&rows));
        let two: [&[u8]; 2] = [b"Digest a=1, b=2", b"Digest c=3, d=4"];
        assert_eq!(message.elements(name).collect::<Vec<_>>(), two);
        let copied =
            Message::parse(Draft::response(Status::OK).copy(&message, name).wire()).unwrap();
        assert_eq!(copied.rows(name).collect::<Vec<_>>(), two);
        let edited = message.edit().push_raw(name, b"Digest e=5").finish().unwrap();
        assert_eq!(edited.rows(name).count(), 3);
        let first = message.edit().remove_first(name).finish().unwrap();
        assert_eq!(first.rows(name).collect::<Vec<_>>(), [two[1]]);
    }
}

/// "Implementations MUST accept both the long and short forms of each header name."
/// Proves: rfc3261-7.3.3-1.
#[test]
fn long_and_short_names_are_the_same() {
    let mut short_ones = 0;
    for (name, long, short) in Name::table().filter(|(.., short)| !short.is_empty()) {
        short_ones += 1;
        for wire in [long.to_owned(), short.to_owned(), short.to_uppercase(), long.to_lowercase()] {
            let message = Message::parse(format!("OPTIONS sip:b@h SIP/2.0\r\n{wire}: 0\r\n\r\n"));
            assert_eq!(message.unwrap().rows(name).collect::<Vec<_>>(), [b"0"], "{wire}");
        }
    }
    // §20 names ten; the extensions have more.
    assert!(short_ones >= 10);
    let compact = request("").replace("Via:", "v:").replace("From:", "f:").replace("To:", "T:");
    assert_eq!(check(&parse(&compact.replace("Call-ID:", "I:"))), Ok(()));
}

/// "The Internet media type of the message body MUST be given by the Content-Type header field."
/// Proves: rfc3261-7.4.1-1, rfc3261-20.15-1.
#[test]
fn a_body_is_written_with_its_type_and_length() {
    let draft = Draft::request(Method::Message, b"sip:b@h").body("text/plain", b"hello").wire();
    let message = Message::parse(draft).unwrap();
    assert_eq!(message.rows(Name::ContentType).collect::<Vec<_>>(), [b"text/plain"]);
    assert_eq!(message.rows(Name::ContentLength).collect::<Vec<_>>(), [b"5"]);
}

/// "The "chunked" transfer encoding of HTTP/1.1 MUST NOT be used for SIP."
/// Proves: rfc3261-7.4.2-1.
#[test]
fn a_body_is_as_long_as_content_length_says_whatever_transfer_encoding_says() {
    let wire = "INFO sip:b@h SIP/2.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    assert_eq!(parse(wire).body(), b"1\r\nx");
    let mut framer = Framer::default();
    framer.push(wire.as_bytes());
    assert!(matches!(framer.cut(), Ok(Some(Frame::Message(first))) if first.body() == b"1\r\nx"));
}

/// "Implementations processing SIP messages over stream-oriented transports MUST ignore any CRLF appearing before the start-line."
/// Proves: rfc3261-7.5-1.
#[test]
fn crlfs_before_a_message_on_a_stream_are_passed_over() {
    for count in 0..9 {
        let mut framer = Framer::default();
        framer.push("\r\n".repeat(count).as_bytes());
        framer.push(request("").as_bytes());
        let mut messages = 0;
        while let Some(frame) = framer.cut().unwrap() {
            messages += usize::from(matches!(frame, Frame::Message(_)));
        }
        assert_eq!((messages, framer.pending()), (1, 0), "{count} line ends");
    }
}

/// Folds are blanks, and a row may be cut wherever a blank may stand (§7.3.1).
#[test]
fn a_folded_row_means_the_same() {
    let folded = request("Via: SIP/2.0/TCP\r\n\tfirst.example\r\n ;branch=z9hG4bKf\r\n");
    let message = parse(&folded);
    let via = message.get::<Via<'_>>().unwrap();
    assert_eq!((via.transport.0, via.branch()), ("TCP", Some(&b"z9hG4bKf"[..])));
    assert_eq!(via.sent_by().to_string(), "first.example");
}
