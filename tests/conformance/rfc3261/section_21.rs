//! §21: what our phone makes of the status of a response, and of its own.

use std::net::SocketAddr;

use media::Silence;
use phone::PhoneEvent;
use protocol::doors::{Answer, Input};
use protocol::locate::Target;
use protocol::{Flow, Ticket, Transport};
use sip::{Message, Method, Name, Status};

use crate::handset::{Bench, account, picked_up, reply, rows, titles, uri};

const BOB: &str = "sip:bob@biloxi.example";

fn is_invite(message: &Message) -> bool {
    message.method() == Some(Method::Invite)
}

/// "The client SHOULD NOT retry the same request without modification"; of a 403: "Authorization will not help, and the request SHOULD NOT be repeated." A
/// call and a text are refused once. (A registration is asked for again later, as RFC 5626 §4.5 wants it.)
/// Proves: rfc3261-21.4-1, rfc3261-21.4-3.
#[test]
fn what_is_refused_is_not_asked_again() {
    for status in [
        400, 402, 403, 404, 405, 406, 410, 413, 415, 420, 480, 482, 484, 486, 488, 493, 500, 513,
        600, 603, 604, 606,
    ] {
        let mut bench = Bench::new();
        let (_, invite) = bench.calls(BOB);
        bench.tell(reply(&invite, status, "x", ("", "")));
        assert_eq!((bench.titles(), bench.ended()), (vec!["ACK".to_owned()], Some(status)));
        bench.act(|phone, now, out| phone.message(now, BOB, "hello", out)).unwrap();
        let message = bench.only();
        bench.tell(reply(&message, status, "x", ("", "")));
        bench.wait(1_000_000);
        assert_eq!(bench.titles(), [""; 0], "{status}");
    }
}

/// 301 and 302: "the requesting client SHOULD retry at the new address"; "If there is no explicit expiration time, the address is only valid once for
/// recursing, and MUST NOT be cached for future transactions."
/// Proves: rfc3261-21.3-2, rfc3261-21.3-4, rfc3261-21.3-5.
#[test]
fn where_somebody_has_moved_is_tried_and_forgotten() {
    for status in [301, 302] {
        let mut bench = Bench::new();
        let (call, invite) = bench.calls(BOB);
        bench.tell(reply(&invite, status, "x", ("Contact: <sip:bob@192.0.2.77>", "")));
        let moved = bench.sent().into_iter().find(is_invite).unwrap();
        assert_eq!(uri(&moved), "sip:bob@192.0.2.77");
        bench.tell(picked_up(&moved));
        bench.hang_up(call);
        bench.sent();
        let (_, next) = bench.calls(BOB);
        assert_eq!(uri(&next), BOB);
    }
}

/// "The requested resource MUST be accessed through the proxy given by the Contact field", or not at all: a proxy that whoever is called names is none of
/// ours, and is not taken for an address of theirs.
#[test]
fn a_proxy_that_a_stranger_names_is_not_used() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 305, "x", ("Contact: <sip:proxy.evil.example>", "")));
    assert_eq!((bench.titles(), bench.ended()), (vec!["ACK".to_owned()], Some(305)));
}

/// "A client (proxy or UAC) receiving a 503 (Service Unavailable) SHOULD attempt to forward the request to an alternate server. It SHOULD NOT forward any
/// other requests to that server for the duration specified in the Retry-After header field, if present"; without one it "MUST act as if it had received a
/// 500": where there is no alternate, the call has failed.
/// Proves: rfc3261-21.5-1, rfc3261-21.5-2, rfc3261-21.5-3.
#[test]
fn a_server_that_cannot_is_left_for_another_as_long_as_it_says() {
    let both = ["192.0.2.50:5060", "192.0.2.51:5060"];
    let first = |bench: &mut Bench, ticket: u64| -> (SocketAddr, Message) {
        bench.act(|phone, now, out| phone.call(now, BOB, Box::new(Silence), out)).unwrap();
        let targets = both.map(|at| Target {
            transport: Transport::Udp,
            address: at.parse().unwrap(),
            domain: "biloxi.example".into(),
        });
        if !bench.questions().is_empty() {
            bench.input(Input::Answered(Ticket(ticket), Answer::Targets(targets.into())));
        }
        let (_, flow, invite) = bench.sent_with_times().remove(0);
        (flow.peer, invite)
    };
    let refuse = |bench: &mut Bench, (peer, invite): (SocketAddr, Message), row: &str| {
        let flow = Flow { peer, ..crate::handset::flow(Transport::Udp) };
        bench.input(Input::Received(flow, reply(&invite, 503, "x", (row, ""))));
    };
    let mut bench = Bench::with(account());
    let asked = first(&mut bench, 2);
    assert_eq!(asked.0.to_string(), both[0]);
    refuse(&mut bench, asked, "Retry-After: 600");
    let (_, flow, again) =
        bench.sent_with_times().into_iter().find(|(.., it)| is_invite(it)).unwrap();
    assert_eq!(flow.peer.to_string(), both[1]);
    refuse(&mut bench, (flow.peer, again), "");
    assert_eq!(bench.ended(), Some(503));
    bench.sent();
    // Another call within that time begins with the other server.
    let (peer, _) = first(&mut bench, 4);
    assert_eq!(peer.to_string(), both[1]);
}

/// "Other HTTP/1.1 response codes SHOULD NOT be used": what we can say has a meaning in SIP, so a phrase of its own.
/// Proves: rfc3261-21-1.
#[test]
fn no_status_of_http_alone_has_a_name_here() {
    for code in
        [201, 203, 205, 206, 303, 304, 307, 308, 409, 411, 418, 426, 431, 451, 505, 507, 511]
    {
        let status = Status::new(code).unwrap();
        let class = ["OK", "Redirected", "Request Failure", "Server Failure"];
        let known = code == 505;
        assert_eq!(class.contains(&status.phrase()), !known, "{code} {}", status.phrase());
    }
}

/// A 405 "MUST include an Allow header field", a 415 "a list of acceptable formats", a 420 "a list of the unsupported extensions"; the phrase of a 400
/// "SHOULD identify the syntax problem in more detail".
/// Proves: rfc3261-21.4-2, rfc3261-21.4-4, rfc3261-21.4-8, rfc3261-21.4-9.
#[test]
fn a_refusal_says_what_would_be_taken() {
    let mut bench = Bench::new();
    let refused = |bench: &mut Bench, (method, more, body): (&str, &str, &str)| {
        let request = bench.request(method, more, body);
        bench.tell(request);
        bench.only()
    };
    let no = refused(&mut bench, ("REGISTER", "", ""));
    assert_eq!(titles(std::slice::from_ref(&no)), ["405"]);
    assert!(rows(&no, Name::Allow)[0].contains("INVITE"));
    let no = refused(&mut bench, ("INVITE", "Content-Type: text/html\r\n", "<p>"));
    assert_eq!(titles(std::slice::from_ref(&no)), ["415"]);
    assert_eq!(rows(&no, Name::Accept), ["application/sdp"]);
    let no = refused(&mut bench, ("INVITE", "Content-Encoding: br\r\n", "x"));
    assert_eq!(titles(std::slice::from_ref(&no)), ["415"]);
    assert_eq!(rows(&no, Name::AcceptEncoding), ["identity"]);
    let no = refused(&mut bench, ("INVITE", "Require: time-travel\r\n", ""));
    assert_eq!(titles(std::slice::from_ref(&no)), ["420"]);
    assert_eq!(rows(&no, Name::Unsupported), ["time-travel"]);
    let invite = bench.request("INVITE", "", "");
    let text = String::from_utf8(invite.wire().to_vec()).unwrap();
    let contactless = text.replace("Contact: <sip:bob@192.0.2.9:5060>\r\n", "");
    bench.tell(Message::parse(contactless).unwrap());
    let no = bench.only();
    let sip::Start::Response(status, phrase) = no.start() else { panic!("{no:?}") };
    let phrase = String::from_utf8_lossy(phrase).into_owned();
    assert_eq!(status.code(), 400);
    assert!(phrase.starts_with("Bad Request: ") && phrase.contains("Contact"), "{phrase}");
}

/// Of a 407: "the client MUST first authenticate itself with the proxy."
/// Proves: rfc3261-21.4-5.
#[test]
fn a_proxy_that_asks_who_we_are_is_told() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let challenge = "Proxy-Authenticate: Digest realm=\"atlanta.example\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    bench.tell(reply(&invite, 407, "p", (challenge, "")));
    let again = bench.sent().into_iter().find(is_invite).unwrap();
    assert!(rows(&again, Name::ProxyAuthorization)[0].contains("username=\"alice\""));
    assert!(!again.has(Name::Authorization));
    bench.tell(picked_up(&again));
    assert!(bench.events().iter().any(|event| matches!(event, PhoneEvent::Established { .. })));
}
