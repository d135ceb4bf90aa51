//! The upgrade, from both sides.

use super::*;
use crate::limits;

fn asked(rows: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: sip.example.test\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{rows}\r\n"
    )
}

fn judged(head: &str, origins: Origins) -> (String, Option<End>) {
    let mut socket = WebSocket::accept(Arc::new(origins));
    let (_, out, end) = hear(&mut socket, head.as_bytes());
    (String::from_utf8(out).unwrap(), end)
}

fn here() -> Origins {
    Origins::Hosts(vec!["example.test".into()])
}

/// RFC 6455 §1.3 has the key and its answer.
///
/// Proves: rfc7118-4.1-2.
#[test]
fn trap_54_the_upgrade_is_answered_with_the_very_subprotocol() {
    for offered in ["sip", "msrp, sip", "msrp,sip,xmpp", "xmpp\r\nSec-WebSocket-Protocol: sip"] {
        let (answer, end) =
            judged(&asked(&format!("Sec-WebSocket-Protocol: {offered}\r\n")), here());
        assert_eq!(end, None);
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        assert!(answer.contains("\r\nSec-WebSocket-Protocol: sip\r\n"));
    }
    for offered in ["", "sipx", "xsip", "sips", "SIP", "msrp", "\"sip\"", "sip;q=1", "sip xmpp"] {
        let rows = format!("Sec-WebSocket-Protocol: {offered}\r\n");
        let (answer, end) = judged(&asked(&rows), here());
        assert_eq!(end, Some(End::Refused(Refusal::NoSip)), "{offered}");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"sip\""), "{answer}");
    }
    assert_eq!(judged(&asked(""), here()).1, Some(End::Refused(Refusal::NoSip)));
}

#[test]
fn pages_of_foreign_sites_are_refused() {
    let from = |origin: &str, origins: Origins| {
        let rows = format!("Sec-WebSocket-Protocol: sip\r\n{origin}");
        judged(&asked(&rows), origins)
    };
    assert_eq!(from("", here()).1, None, "whoever sends no Origin is no browser");
    assert_eq!(from("Origin: https://example.test\r\n", here()).1, None);
    assert_eq!(from("Origin: https://evil.example\r\n", Origins::Any).1, None);
    let sites = || Origins::Sites(vec![Site::parse("https://phones.example.test").unwrap()]);
    assert_eq!(from("Origin: https://phones.example.test\r\n", sites()).1, None);
    for origin in ["null", "https://evil.example", "https://example.test.evil.example", ""] {
        let (answer, end) = from(&format!("Origin: {origin}\r\n"), here());
        assert_eq!(end, Some(End::Refused(Refusal::Origin(origin.into()))), "{origin}");
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("origins"), "{answer}");
    }
    let twice = "Origin: https://example.test\r\nOrigin: https://evil.example\r\n";
    assert_eq!(from(twice, here()).1, Some(End::Refused(Refusal::Unreadable)));
}

#[test]
fn what_is_no_upgrade_is_told_why() {
    let sip = asked("Sec-WebSocket-Protocol: sip\r\n");
    let without = |from: &str, to: &str| {
        assert!(sip.contains(from), "{from}");
        judged(&sip.replace(from, to), here())
    };
    for (from, to, status) in [
        ("GET", "POST", 405),
        ("Upgrade: WebSocket\r\n", "", 426),
        ("Upgrade: WebSocket", "Upgrade: websocket2", 426),
        ("keep-alive, Upgrade", "keep-alive", 426),
        ("HTTP/1.1", "HTTP/1.0", 426),
        ("Version: 13", "Version: 8", 426),
        ("Host: sip.example.test\r\n", "", 400),
        ("ZQ==", "ZQ=", 400),
        ("ZQ==", "ZR==", 400),
        ("dGhl", "dGh=", 400),
        ("GET /ws HTTP/1.1", "OPTIONS sip:b SIP/2.0", 400),
    ] {
        let (answer, end) = without(from, to);
        assert!(matches!(end, Some(End::Refused(_))), "{from}");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{from}: {answer}");
    }
    let (looked, _) = judged("GET / HTTP/1.1\r\nHost: a\r\n\r\n", here());
    assert!(looked.contains("Sec-WebSocket-Version: 13\r\n") && looked.contains("web phone"));
    let (length, body) = looked.split_once("\r\n\r\n").unwrap();
    assert!(length.ends_with(&format!("Content-Length: {}", body.len())), "{looked}");
}

#[test]
fn a_head_has_an_end() {
    let endless = asked(&format!("Cookie: {}\r\n", "x".repeat(limits::WEB_HEAD)));
    let (answer, end) = judged(&endless, here());
    assert_eq!(end, Some(End::Refused(Refusal::TooLong)));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = asked(&"A: b\r\n".repeat(limits::WEB_ROWS));
    assert_eq!(judged(&many, here()).1, Some(End::Refused(Refusal::TooLong)));
    let mut socket = WebSocket::accept(Arc::new(here()));
    let almost = "GET / HTTP/1.1\r\nA: ".to_owned() + &"x".repeat(limits::WEB_HEAD - 100);
    assert_eq!(hear(&mut socket, almost.as_bytes()), (vec![], vec![], None));
    assert!(socket.is_half() && socket.kept() < limits::WEB_HEAD);
}

/// Proves: rfc7118-4.1-1, rfc7118-4.2-1, rfc7118-4.2-2.
#[test]
fn a_client_and_a_server_understand_each_other_however_it_is_cut() {
    let (mut asks, mut out) = (Vec::new(), Vec::new());
    let mut client = WebSocket::open("sip.example.test", &mut asks);
    assert!(String::from_utf8_lossy(&asks).contains("\r\nSec-WebSocket-Protocol: sip\r\n"));
    client.send(b"REGISTER", &mut out);
    assert!(out.is_empty() && client.held() > 0, "it waits for the upgrade");
    let mut server = WebSocket::accept(Arc::new(here()));
    let mut answer = Vec::new();
    for octet in &asks {
        assert!(!server.is_open());
        answer.extend(hear(&mut server, &[*octet]).1);
    }
    assert!(server.is_open() && !server.is_half());
    // The server may talk as soon as it has agreed.
    server.send("gr\u{fc}\u{df}".as_bytes(), &mut answer);
    server.send(b"\xff\xfe", &mut answer);
    let (mut come, mut said) = (Vec::new(), Vec::new());
    for octet in &answer {
        let (more, out, end) = hear(&mut client, &[*octet]);
        assert_eq!(end, None);
        come.extend(more);
        said.extend(out);
    }
    let binary = Come::Message(Bytes::from_static(b"\xff\xfe"));
    assert_eq!(come, [Come::Opened, message("gr\u{fc}\u{df}"), binary]);
    assert_eq!(hear(&mut server, &said).0, [message("REGISTER")]);
    let kinds: Vec<u8> = answer.iter().copied().filter(|octet| octet & 0xf0 == 0x80).collect();
    assert!(kinds.starts_with(&[0x81]) && kinds.contains(&0x82), "text, then binary");
}

/// "A SIP WebSocket Client MUST be ready to be challenged with an HTTP 401 status code": it is told so, and opens nothing.
///
/// Proves: rfc7118-7-2.
#[test]
fn a_server_that_does_not_agree_is_none() {
    let answer = |from: &str, to: &str| {
        let (mut asks, mut server) = (Vec::new(), WebSocket::accept(Arc::new(here())));
        let mut client = WebSocket::open("a", &mut asks);
        let (_, answer, _) = hear(&mut server, &asks);
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains(from), "{answer}");
        hear(&mut client, answer.replace(from, to).as_bytes()).2
    };
    let why = |why| Some(End::NotOpened(why));
    assert_eq!(answer("101", "101"), None);
    assert_eq!(answer("101", "401"), why(NotOpened::Status(401)));
    assert_eq!(answer("HTTP", "HTCPCP"), why(NotOpened::Unreadable));
    assert_eq!(answer("Accept: ", "Accept: x"), why(NotOpened::Unproven));
    assert_eq!(answer("Upgrade: websocket", "Upgrade: tls"), why(NotOpened::Unproven));
    assert_eq!(answer("Protocol: sip", "Protocol: SIP"), why(NotOpened::NoSip));
    assert_eq!(answer("Sec-WebSocket-Protocol: sip\r\n", ""), why(NotOpened::NoSip));
    let extended = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    assert_eq!(answer("\r\n\r\n", extended), why(NotOpened::NoSip));
}
