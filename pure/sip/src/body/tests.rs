//! Bodies in parts: read, found, refused, bounded, written.

use super::*;
use crate::{Draft, Method};

fn message(content_type: &str, body: &str) -> Message {
    Message::parse(format!(
        "INVITE sip:b@h SIP/2.0\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .unwrap()
}

const MIXED: &str = "preamble\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b1  \r\n\
                     c: text/html\r\nContent-Disposition: render;handling=optional\r\nContent-ID: <1@h>\r\n\r\n<p>--b1</p>\r\n\
                     --b1x\r\n--b1\r\n\r\nplain\r\n--b1--\r\nepilogue\r\n--b1\r\n";

#[test]
fn parts_are_cut_at_lines_that_are_the_boundary_and_nothing_else() {
    let message = message("multipart/mixed; boundary=\"b1\"", MIXED);
    let body = message.content().unwrap();
    let parts = body.parts().unwrap().unwrap();
    let octets: Vec<_> = parts.iter().map(Body::octets).collect();
    assert_eq!(octets, [&b"v=0\r\n"[..], b"<p>--b1</p>\r\n--b1x", b"plain"]);
    assert_eq!(parts[0].disposition(), "session");
    assert_eq!(parts[1].named("content-id"), Some(&b"<1@h>"[..]));
    assert_eq!((parts[1].disposition(), parts[1].handling()), ("render", Handling::Optional));
    assert!(parts[1].is("Text", "HTML") && parts[2].is("text", "plain"));
    assert_eq!(body.find("application", "sdp").unwrap().unwrap().octets(), b"v=0\r\n");
    assert!(body.find("application", "pidf+xml").unwrap().is_none());
}

#[test]
fn a_body_that_is_not_in_parts_is_itself() {
    let message = message("application/sdp", "v=0\r\n");
    let body = message.content().unwrap();
    assert!(body.parts().unwrap().is_none());
    assert_eq!(body.find("application", "sdp").unwrap().unwrap().octets(), b"v=0\r\n");
    assert!(super::tests::message("application/sdp", "").content().is_none());
}

#[test]
fn a_last_boundary_that_is_missing_loses_nothing() {
    let message = message("multipart/mixed;boundary=b", "--b\r\nX: 1\r\n--b\r\n\r\nend\r\n");
    let parts = message.content().unwrap().parts().unwrap().unwrap();
    let octets: Vec<_> = parts.iter().map(Body::octets).collect();
    assert_eq!(octets, [&b""[..], b"end\r\n"]);
    assert_eq!(parts[0].named("X"), Some(&b"1"[..]));
}

fn why_not(content_type: &str, body: &str) -> ParseError {
    message(content_type, body).content().unwrap().parts().unwrap_err()
}

#[test]
fn what_is_no_multipart_is_an_error_at_its_octet() {
    let error = why_not("multipart/mixed;boundary=b", "--b\r\nno header\r\n\r\nx\r\n--b--");
    let head = message("multipart/mixed;boundary=b", "x").wire().len() + 1;
    assert_eq!((error.what, error.at), ("multipart header", head + "--b\r\nno".len()));
    assert_eq!(why_not("multipart/mixed", "--b\r\n\r\n").what, "multipart (boundary)");
    let long = format!("multipart/mixed;boundary={}", "b".repeat(71));
    assert_eq!(why_not(&long, "x").what, "multipart (boundary)");
    assert_eq!(why_not("multipart/x;boundary=b", "x").what, "multipart (no boundary in it)");
}

#[test]
fn parts_and_their_nesting_are_bounded() {
    let many = "--b\r\n\r\n\r\n".repeat(limits::PARTS + 2);
    assert_eq!(why_not("multipart/mixed;boundary=b", &many).what, "multipart (too many parts)");
    let mut nested = "Content-Type: application/sdp\r\n\r\nv=0".to_owned();
    for depth in 0..=limits::DEPTH {
        nested = format!(
            "Content-Type: multipart/mixed;boundary=b{depth}x\r\n\r\n--b{depth}x\r\n{nested}\r\n--b{depth}x--"
        );
    }
    let outer = format!("multipart/mixed;boundary=b{}x", limits::DEPTH);
    let message = message(&outer, nested.split_once("\r\n\r\n").unwrap().1);
    let error = message.content().unwrap().find("application", "sdp").unwrap_err();
    assert_eq!(error.what, "multipart (too deep)");
}

/// Proves: rfc3261-20.11-1, rfc3261-20.11-2.
#[test]
fn only_a_required_body_that_is_not_understood_is_refused() {
    let refused = |content_type: &str, body: &str| {
        let message = message(content_type, body);
        let sdp = |body: &Body<'_>| body.is("application", "sdp");
        let refused = message.content().unwrap().not_understood(&sdp).unwrap();
        refused.map(|body| String::from_utf8(body.octets().to_vec()).unwrap())
    };
    assert_eq!(refused("application/sdp", "v=0"), None);
    assert_eq!(refused("text/plain", "hi").as_deref(), Some("hi"));
    assert_eq!(refused("text/plain\r\nContent-Disposition: render;handling=optional", "hi"), None);
    assert_eq!(refused("multipart/mixed;boundary=b1", MIXED).as_deref(), Some("plain"));
    let two = |kind: &str| {
        let body = "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--";
        refused(&format!("multipart/{kind};boundary=b"), body)
    };
    assert_eq!(two("alternative"), None);
    assert_eq!(two("related").as_deref(), Some("x"));
    assert_eq!(two("mixed").as_deref(), Some("x"));
}

#[test]
fn what_is_joined_reads_back() {
    let parts = [
        NewPart {
            content_type: "application/sdp",
            disposition: None,
            id: None,
            octets: b"v=0\r\n",
        },
        NewPart {
            content_type: "application/pidf+xml\r\nEvil: 1",
            disposition: Some("render;handling=optional"),
            id: Some("<a@h>"),
            octets: b"\r\n\0\xff--",
        },
        NewPart { content_type: "text/plain", disposition: None, id: None, octets: b"" },
    ];
    let body = join("unique1", &parts).unwrap();
    let draft =
        Draft::request(Method::Invite, b"sip:b@h").body("multipart/mixed;boundary=unique1", &body);
    let message = Message::parse(draft.wire()).unwrap();
    let read = message.content().unwrap().parts().unwrap().unwrap();
    let octets: Vec<_> = read.iter().map(Body::octets).collect();
    assert_eq!(octets, parts.map(|part| part.octets));
    assert_eq!(read[1].handling(), Handling::Optional);
    assert!(read[1].named("Evil").is_none());
    assert_eq!(read[1].named("content-id"), Some(&b"<a@h>"[..]));
    assert!(join("v=0", &parts).is_none() && join("", &parts).is_none());
    let taken =
        [NewPart { content_type: "text/plain", disposition: None, id: None, octets: b"a unique1" }];
    assert!(join("unique1", &taken).is_none());
}
