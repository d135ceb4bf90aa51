//! WebSocket: the upgrade, frames, keep-alives, and peers that break rules (RFC 6455, RFC 7118).

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use offhook_net::websocket::Origins;
use offhook_net::{Heard as Told, Notice, Patience, Plan, Program, Wire};
use protocol::{Flow, Input, Output, Transport};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

use crate::echo::{House, connect, options, subject};
use crate::slow::{alone, files};

const SHORT: Duration = Duration::from_millis(40);

fn plan() -> Plan {
    let mut plan = Plan::new().on(Transport::Ws, "127.0.0.1:0".parse().unwrap());
    plan.origins = Arc::new(Origins::Hosts(vec!["example.test".into()]));
    plan
}

fn house() -> House {
    House::open(plan(), Program::new())
}

fn patient(change: impl FnOnce(&mut Patience)) -> House {
    let mut plan = plan();
    change(&mut plan.patience);
    House::open(plan, Program::new())
}

/// A phone that speaks WebSocket as the library does.
fn phone(at: SocketAddr) -> WebSocket<TcpStream> {
    let mut request = format!("ws://{at}/").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    let (phone, answer) = tungstenite::client(request, connect(at)).unwrap();
    assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "sip");
    phone
}

fn say(phone: &mut WebSocket<TcpStream>, octets: &[u8]) {
    phone.send(Message::text(str::from_utf8(octets).unwrap())).unwrap();
}

/// The next message, whatever pings come before it.
fn hear(phone: &mut WebSocket<TcpStream>) -> Message {
    loop {
        match phone.read().unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            other => return other,
        }
    }
}

/// Who has asked for the upgrade by hand, and was given it.
fn upgraded(at: SocketAddr) -> TcpStream {
    let mut peer = connect(at);
    peer.write_all(request("Sec-WebSocket-Protocol: sip\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        peer.read_exact(&mut octet).unwrap();
        answer.extend(octet);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    peer
}

fn request(rows: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: sip.example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{rows}\r\n"
    )
}

/// A frame as a client sends it, its mask zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let length = match payload.len() {
        0..126 => vec![0x80 | length[1]],
        _ => vec![0xfe, length[0], length[1]],
    };
    [&[first], &length[..], &[0; 4], payload].concat()
}

/// All that comes until the other side ends it.
fn rest(peer: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match peer.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it was not closed"),
    }
    all
}

/// The code with which it was ended.
fn goodbye(all: &[u8]) -> Option<u16> {
    let at = all.windows(4).rposition(|octets| octets[0] == 0x88)?;
    Some(u16::from_be_bytes([all[at + 2], all[at + 3]]))
}

/// Waits until so many connections are open.
fn comes_to(house: &House, open: u64) -> bool {
    (0..100_000).any(|_| {
        house.handle.ask(0, |_, _, _| ()).unwrap();
        std::thread::yield_now();
        house.count(|counters| &counters.connections) == open
    })
}

/// Proves: rfc7118-4.2-1, rfc7118-4.2-2, rfc7118-4.2-3.
#[test]
fn text_and_binary_are_heard_over_both_families_and_answered() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let house = House::on(Transport::Ws, address);
        let mut phone = phone(house.address(0));
        say(&mut phone, &options("hello", ""));
        let Message::Text(answer) = hear(&mut phone) else { panic!("UTF-8 comes as text") };
        assert_eq!(subject(answer.as_bytes()), "hello");
        phone.send(Message::binary(options("\u{fffd}", "\u{1}"))).unwrap();
        assert_eq!(subject(&hear(&mut phone).into_data()), "\u{fffd}");
        let (_, Input::Received(flow, _)) = house.input() else { panic!() };
        assert_eq!(flow.transport, Transport::Ws);
        // What is no UTF-8 comes as binary.
        house.put(0, Output::Send(flow, b"\xff\xfe"[..].into()));
        assert_eq!(hear(&mut phone), Message::binary(&b"\xff\xfe"[..]));
    }
}

#[test]
fn fragments_are_one_message_and_a_message_needs_no_length() {
    let house = house();
    let mut peer = upgraded(house.address(0));
    let bare = options("bare", "body");
    let bare = String::from_utf8(bare).unwrap().replace("Content-Length: 4\r\n", "");
    let (head, tail) = bare.split_at(100);
    peer.write_all(&frame(0x01, head.as_bytes())).unwrap();
    peer.write_all(&frame(0x89, b"between")).unwrap();
    let mut pong = [0; 9];
    peer.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\x8a\x07between");
    peer.write_all(&frame(0x80, tail.as_bytes())).unwrap();
    let (_, Input::Received(_, message)) = house.input() else { panic!() };
    assert_eq!(message.body(), b"body");
}

/// RELIABILITY R21: whoever may not come in is told why, and nothing is kept of it.
///
/// Proves: rfc7118-4.1-1.
#[test]
fn who_may_not_come_in_is_told_and_nothing_is_kept() {
    let (wire, told) = Wire::new(100);
    let house = House::open(plan(), Program::new().sink(wire));
    let sip = "Sec-WebSocket-Protocol: sip\r\n";
    for (rows, status) in [
        (sip.to_owned() + "Origin: https://evil.example\r\n", "403"),
        (sip.to_owned() + "Origin: https://example.test.evil.example\r\n", "403"),
        (sip.to_owned() + "Origin: null\r\n", "403"),
        (String::new(), "400"),
        ("Sec-WebSocket-Protocol: sip2\r\n".into(), "400"),
        (sip.to_owned() + &format!("Cookie: {}\r\n", "x".repeat(9_000)), "431"),
    ] {
        let mut peer = connect(house.address(0));
        peer.write_all(request(&rows).as_bytes()).unwrap();
        let answer = String::from_utf8(rest(&mut peer)).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{rows}: {answer}");
        let Told::Notice(_, 0, Notice::Refused { source, .. }) = told.recv().unwrap() else {
            panic!("{rows}")
        };
        assert_eq!(source, peer.local_addr().unwrap());
    }
    let mut looks = connect(house.address(0));
    looks.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(rest(&mut looks).starts_with(b"HTTP/1.1 426 "));
    drop(looks);
    let mut peer = connect(house.address(0));
    let allowed = sip.to_owned() + "Origin: http://example.test:8080\r\n";
    peer.write_all((request(&allowed)).as_bytes()).unwrap();
    let mut answer = [0; 12];
    peer.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert!(comes_to(&house, 1));
}

/// RELIABILITY 48, R21: lengths that wrap, no mask, bad UTF-8, floods.
#[test]
fn who_breaks_a_rule_of_frames_is_told_which_and_the_machine_hears_nothing() {
    let house = house();
    for (octets, code) in [
        (b"\x81\x05hello".to_vec(), 1002),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xfc\0\0\0\0".to_vec(), 1002),
        (b"\x82\xff\0\0\0\x01\0\0\0\0\0\0\0\0".to_vec(), 1009),
        (frame(0xc1, b""), 1002),
        (frame(0x81, b"\xc0\xaf"), 1007),
        (frame(0x88, b"\x03"), 1002),
        (frame(0x89, b"x").repeat(1000), 1008),
    ] {
        let mut peer = upgraded(house.address(0));
        // The end may come while we still talk.
        let _ = peer.write_all(&octets);
        assert_eq!(goodbye(&rest(&mut peer)), Some(code), "{:02x?}", &octets[..2]);
    }
    assert_eq!(house.count(|counters| &counters.stream_messages_in), 0);
}

/// "Messages other than SIP requests and responses MUST NOT be transmitted over this connection." "a WebSocket message MUST NOT contain
/// more than one SIP message"
///
/// Proves: rfc7118-4.1-3, rfc7118-5-2.
#[test]
fn trap_54_not_exactly_one_message_is_answered_and_ends_it() {
    let house = house();
    let one = options("one", "");
    for octets in [
        [&one[..], &one].concat(),
        options("half", "body")[..one.len() - 2].to_vec(),
        b"hello".to_vec(),
    ] {
        let mut peer = upgraded(house.address(0));
        peer.write_all(&frame(0x81, &octets)).unwrap();
        // What comes behind it does not count.
        peer.write_all(&frame(0x81, &one)).unwrap();
        let all = rest(&mut peer);
        let words = String::from_utf8_lossy(&all);
        assert!(words.contains("SIP/2.0 400 "), "{words}");
        assert_eq!(goodbye(&all), Some(1003), "{words}");
        let malformed = std::iter::repeat_with(|| house.input().1).find_map(|input| match input {
            Input::Malformed(flow, _) => Some(flow.peer),
            _ => None,
        });
        assert_eq!(malformed, peer.local_addr().ok());
    }
    assert_eq!(house.count(|counters| &counters.stream_messages_in), 0);
}

/// RFC 5626 §4.4.1 over WebSocket (RFC 7118 §6).
#[test]
fn a_keep_alive_of_line_ends_gets_its_answer() {
    let house = house();
    let mut phone = phone(house.address(0));
    say(&mut phone, b"\r\n\r\n");
    assert_eq!(hear(&mut phone), Message::text("\r\n"));
    say(&mut phone, b"\r\n");
    say(&mut phone, &options("after", ""));
    assert_eq!(subject(&hear(&mut phone).into_data()), "after");
}

#[test]
fn who_is_quiet_is_asked_and_who_answers_stays() {
    let house = patient(|patience| patience.ping = SHORT);
    // The library answers pings while it reads.
    let mut lively = phone(house.address(0));
    say(&mut lively, &options("lively", ""));
    let mut pings = 0;
    while pings < 4 {
        pings += u32::from(matches!(lively.read().unwrap(), Message::Ping(_)));
        lively.flush().unwrap();
    }
    say(&mut lively, &options("still", ""));
    assert_eq!(subject(&hear(&mut lively).into_data()), "still");
}

#[test]
fn who_is_asked_and_does_not_answer_is_gone() {
    let house = patient(|patience| {
        patience.ping = SHORT;
        patience.pong = SHORT;
    });
    let mut dead = upgraded(house.address(0));
    dead.write_all(&frame(0x81, &options("dead", ""))).unwrap();
    let (_, Input::Received(flow, _)) = house.input() else { panic!() };
    assert!(rest(&mut dead).ends_with(b"\x89\0"), "it was asked");
    let (_, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, flow);
}

#[test]
fn slow_heads_and_slow_fragments_have_an_end() {
    let house = patient(|patience| patience.first_message = SHORT);
    let mut peer = connect(house.address(0));
    peer.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert!(rest(&mut peer).is_empty());
    // Nor is an upgrade alone a message.
    let mut peer = connect(house.address(0));
    peer.write_all(request("Sec-WebSocket-Protocol: sip\r\n").as_bytes()).unwrap();
    rest(&mut peer);
    assert_eq!(house.count(|counters| &counters.connections_slow), 2);
    drop(house);
    let house = patient(|patience| patience.half_message = SHORT);
    let mut peer = upgraded(house.address(0));
    peer.write_all(&frame(0x81, &options("first", ""))).unwrap();
    peer.write_all(&frame(0x01, b"OPTIONS ")).unwrap();
    peer.set_read_timeout(Some(SHORT / 4)).unwrap();
    // Never done, and never silent for long: pings and empty fragments do not help.
    let end = (0..1000).find(|turn| {
        let sent = peer.write_all(&frame(if turn % 2 == 0 { 0x8a } else { 0x00 }, b""));
        match peer.read(&mut [0; 1000]) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                sent.is_err()
            }
            Err(_) => true,
        }
    });
    assert!(end.is_some());
    assert_eq!(house.count(|counters| &counters.connections_slow), 1);
}

/// RELIABILITY 49: sockets that end without a goodbye are given back, at every stage.
#[test]
fn ten_thousand_that_leave_without_a_word_leave_nothing_behind() {
    if !alone("web::ten_thousand_that_leave_without_a_word_leave_nothing_behind", 512) {
        return;
    }
    let house = house();
    house.settle(0);
    let before = files();
    let at = house.address(0);
    for _ in 0..100 {
        let peers: Vec<TcpStream> = (0..100)
            .map(|number| {
                let mut peer = match number % 4 {
                    0 => connect(at),
                    _ => upgraded(at),
                };
                match number % 4 {
                    0 => peer.write_all(b"GET / HT").unwrap(),
                    1 => peer.write_all(&frame(0x01, b"OPTIONS")).unwrap(),
                    2 => peer.write_all(&frame(0x81, &options("x", ""))).unwrap(),
                    _ => {}
                }
                peer
            })
            .collect();
        drop(peers);
    }
    assert!(comes_to(&house, 0));
    assert_eq!(house.count(|counters| &counters.connections_accepted), 10_000);
    assert!(files() <= before, "{} files, {before} before", files());
}

#[test]
fn nobody_is_called_back() {
    let house = house();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let identity = protocol::Identity::NONE;
    let flow = Flow { transport: Transport::Ws, listener: 0, connection: 0, peer, identity };
    house.put(0, Output::Send(flow, options("one", "").into()));
    let failed = std::iter::repeat_with(|| house.input().1).find_map(|input| match input {
        Input::Failed(failed) => Some(failed),
        _ => None,
    });
    assert_eq!(failed, Some(flow));
}

#[test]
fn a_goodbye_is_answered() {
    let house = house();
    let mut phone = phone(house.address(0));
    phone.close(None).unwrap();
    assert!(matches!(phone.read(), Ok(Message::Close(_))));
    assert!(matches!(phone.read(), Err(tungstenite::Error::ConnectionClosed)));
}
