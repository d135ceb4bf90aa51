//! Messages made to be expensive (RELIABILITY R12): four times the size costs about four times the work, not sixteen.

use machine::{Dice, Machine, Time};
use offhook_tests::exchange::{SERVER, address};
use offhook_tests::puppet::Puppet;
use offhook_tests::work::assert_in_proportion;
use phone::{Account, Phone};
use protocol::doors::{Input, Output};
use protocol::{Flow, Identity, Transport};
use server::settings::User;
use server::{Node, Settings};
use sip::stream::Framer;
use sip::{Message, check};

/// Rows of about so many octets.
type Row = fn(usize) -> String;

/// A request of about `size` octets, most of them made by `row`.
fn request(size: usize, row: Row) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n{}Content-Length: 0\r\n\r\n",
        row(size)
    )
    .into_bytes()
}

fn repeated(head: &str, piece: &str, tail: &str, size: usize) -> String {
    format!("{head}{}{tail}", piece.repeat(size / piece.len()))
}

/// Rows whose cost could grow with the square of their length, were it read carelessly.
const ROWS: [(&str, Row); 14] = [
    ("rows", |size| "A: b\r\n".repeat(size / 6)),
    ("Vias", |size| "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r\n".repeat(size / 44)),
    ("Vias in one row", |size| repeated("Via: a", ", SIP/2.0/UDP a;b=c", "\r\n", size)),
    ("folds", |size| repeated("Subject: a", "\r\n b", "\r\n", size)),
    ("blanks", |size| repeated("Subject: a", " ", "b\r\n", size)),
    ("parameters of a Via", |size| repeated("Via: SIP/2.0/UDP a", ";a=b", "\r\n", size)),
    ("parameters of a URI", |size| repeated("Route: <sip:a@b", ";a=b", ">\r\n", size)),
    ("headers of a URI", |size| repeated("Refer-To: <sip:a@b?a=b", "&a=b", ">\r\n", size)),
    ("Routes", |size| repeated("Route: <sip:a;lr>", ",<sip:a;lr>", "\r\n", size)),
    ("Contacts", |size| repeated("Contact: <sip:a@b>", ",<sip:a@b>", "\r\n", size)),
    ("quotes", |size| repeated("Contact: ", "\"a\" ", "<sip:a@b>\r\n", size)),
    ("escapes", |size| repeated("Contact: \"", "\\\"", "\" <sip:a@b>\r\n", size)),
    ("credentials", |size| repeated("Authorization: Digest a=b", ",a=\"b\"", "\r\n", size)),
    ("options", |size| repeated("Require: a", ",b", "\r\n", size)),
];

#[test]
fn reading_a_message_costs_in_proportion_to_its_length() {
    for (name, row) in ROWS {
        let read = |wire: &Vec<u8>| {
            if let Ok(message) = Message::parse(wire.clone()) {
                let _ = std::hint::black_box(check(&message));
            }
        };
        let (small, large) = (request(2_000, row), request(8_000, row));
        assert_in_proportion(name, || read(&small), || read(&large));
    }
}

/// A stream that brings its octets one by one: the head is read once, and not again for each octet of it or of the body; nor is it where only what
/// is wanted is read.
#[test]
fn a_slow_stream_costs_in_proportion_to_its_length() {
    let plainly = |framer: &mut Framer, octet: &[u8]| framer.push(octet);
    assert_in_proportion("a slow stream", drip(700, plainly), drip(2800, plainly));
    let sifted =
        |framer: &mut Framer, octet: &[u8]| assert!(framer.sift(octet, |_| false).is_empty());
    assert_in_proportion("a slow stream, sifted", drip(700, sifted), drip(2800, sifted));
}

/// Reads a message of such a head and such a body, octet by octet, which the framer is to take so.
fn drip(size: usize, take: impl Fn(&mut Framer, &[u8])) -> impl FnMut() {
    let head = request(size, |size| "A: b\r\n".repeat(size.min(2900) / 6));
    let head = String::from_utf8(head).unwrap();
    let wire = head.replace("Content-Length: 0", &format!("Content-Length: {size}"));
    let wire = format!("{wire}{}", "x".repeat(size)).into_bytes();
    move || {
        let mut framer = Framer::default();
        let mut messages = 0;
        for octet in wire.chunks(1) {
            take(&mut framer, octet);
            messages += usize::from(framer.cut().unwrap().is_some());
        }
        assert_eq!(messages, 1);
    }
}

/// A server that trusts everybody, so that it does all that it can do with a message; it knows 102, who is not there.
fn node() -> Node {
    let mut settings = Settings::of("example.test", Puppet::listeners(address(SERVER)));
    settings.challenge = Vec::new();
    settings.users = vec![User::new("102", "secret-102")];
    Node::new(settings, Dice::new(1))
}

fn phone() -> Phone {
    let account = Account::new("sip:102@example.test").unwrap().server(SERVER).unwrap();
    Phone::new(account, Puppet::listeners(address("192.0.2.77:5060")), Dice::new(1))
}

/// Hands a machine the same octets as a datagram some times over.
fn feed<M>(mut machine: M, wire: &[u8]) -> impl FnMut()
where
    M: Machine<Input = Input, Output = Output>,
{
    let peer = address("203.0.113.9:5060");
    let flow = Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    let wire = wire.to_vec();
    let mut now = Time(1_000_000_000_000);
    move || {
        now = now + std::time::Duration::from_secs(100);
        let mut out = Vec::new();
        let input = match Message::parse(wire.clone()) {
            Ok(message) => Input::Received(flow, message),
            Err(malformed) => Input::Malformed(flow, malformed),
        };
        machine.handle(now, input, &mut out);
        machine.wake(now + std::time::Duration::from_secs(50), &mut out);
    }
}

/// The same rows in a request to the server, to a user of it, and to somebody elsewhere; and to a phone.
#[test]
fn what_a_server_and_a_phone_do_with_a_message_costs_in_proportion_to_its_length() {
    let uris = ["sip:192.0.2.10", "sip:102@example.test", "sip:a@192.0.2.99"];
    for (name, row) in ROWS {
        for method in ["OPTIONS", "INVITE", "REGISTER"] {
            for uri in uris {
                let wire = |size| {
                    let wire = String::from_utf8(request(size, row)).unwrap();
                    let wire =
                        wire.replace("OPTIONS sip:a@example.test", &format!("{method} {uri}"));
                    wire.replace("1 OPTIONS", &format!("1 {method}")).into_bytes()
                };
                let (small, large) = (wire(2_000), wire(8_000));
                let what = format!("{name} in {method} {uri}");
                assert_in_proportion(&what, feed(node(), &small), feed(node(), &large));
                assert_in_proportion(&what, feed(phone(), &small), feed(phone(), &large));
            }
        }
    }
}

/// A session description with thousands of lines, formats or attributes, offered to a phone.
#[test]
fn an_offer_costs_in_proportion_to_its_length() {
    // How many of each, and four times as many: within the limits, so that all are looked at.
    let offers: [(&str, usize, Row); 6] = [
        ("formats", 30, |n| format!("m=audio 9 RTP/AVP{}\r\n", " 0".repeat(n))),
        ("attributes", 450, |n| format!("m=audio 9 RTP/AVP 0\r\n{}", "a=x:y\r\n".repeat(n))),
        ("maps", 180, |n| {
            format!("m=audio 9 RTP/AVP 0 96\r\n{}", "a=rtpmap:96 x/8000\r\n".repeat(n))
        }),
        ("media", 15, |n| "m=audio 9 RTP/AVP 0\r\n".repeat(n)),
        ("parameters", 900, |n| {
            format!("m=audio 9 RTP/AVP 0 101\r\na=fmtp:101 {}\r\n", "a=b;".repeat(n))
        }),
        ("bandwidths", 450, |n| format!("m=audio 9 RTP/AVP 0\r\n{}", "b=AS:1\r\n".repeat(n))),
    ];
    for (name, number, lines) in offers {
        let wire = |number| {
            let body = format!(
                "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{}",
                lines(number)
            );
            let head = String::from_utf8(request(0, |_| String::new())).unwrap();
            let head = head
                .replace("OPTIONS", "INVITE")
                .replace("sip:a@example.test", "sip:102@192.0.2.77");
            let head = head.replace(
                "Max-Forwards",
                "Contact: <sip:a@b>\r\nContent-Type: application/sdp\r\nMax-Forwards",
            );
            let head =
                head.replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
            format!("{head}{body}").into_bytes()
        };
        let (small, large) = (wire(number), wire(4 * number));
        assert_eq!(first_answer(&large), None, "{name}: it is looked at, and rings");
        assert_in_proportion(name, feed(phone(), &small), feed(phone(), &large));
    }
}

/// What a phone says to a request at once, if anything: an offer that it can answer rings first.
fn first_answer(wire: &[u8]) -> Option<u16> {
    let flow = Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer: address("203.0.113.9:5060"),
        identity: Identity::NONE,
    };
    let (mut phone, mut out) = (phone(), Vec::new());
    let message = Message::parse(wire.to_vec()).unwrap();
    phone.handle(Time(1_000_000_000_000), Input::Received(flow, message), &mut out);
    out.iter().find_map(|output| match output {
        Output::Send(_, wire) => Some(Message::parse(wire.clone()).unwrap().status()?.code()),
        _ => None,
    })
}
