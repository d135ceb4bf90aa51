//! §16.6: the copy that is forwarded.

use offhook_tests::office::{
    Office, Phone, Sent, always_at, found, reply, requests, rows, settings, status, trusting, uri,
};
use protocol::{Listener, Transport};
use server::settings::Settings;
use sip::header::Via;
use sip::{Message, Name};

fn office() -> (Office, Phone, Phone) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    (office, alice, bob)
}

/// The one copy of a request.
fn copy(sent: &[Sent], method: &str) -> Sent {
    let mut copies = requests(sent, method);
    assert_eq!(copies.len(), 1, "{sent:?}");
    copies.remove(0)
}

fn lines(message: &Message) -> Vec<String> {
    String::from_utf8_lossy(message.wire()).lines().map(str::to_owned).collect()
}

/// "The copy MUST initially contain all of the header fields from the received request. Fields not detailed in the processing described
/// below MUST NOT be removed. The copy SHOULD maintain the ordering … The proxy MUST NOT reorder field values with a common field name …
/// The proxy MUST NOT add to, modify, or remove the message body." "The proxy MUST insert a Via header field value into the copy before
/// the existing Via header field values."
/// Proves: rfc3261-16.6-1, rfc3261-16.6-2, rfc3261-16.6-3, rfc3261-16.6-4, rfc3261-16.6-5, rfc3261-16.6-38, rfc3261-20-4.
#[test]
fn what_is_not_ours_to_change_stays_as_it_came() {
    let (mut office, alice, bob) = office();
    let mut invite = alice.invite("sip:102@example.test").row(
        "v: SIP/2.0/TCP lower.example;branch=z9hG4bKlower\r\nX-Odd :  caf\u{e9}\u{1}\r\nWarning: 370 devnull \"a\", 1 b \"c\"\r\nSubject: one\r\n \
         two\r\nAuthorization: Digest realm=\"b\", nonce=\"n\"\r\nX-Odd: again",
    );
    invite.body = "v=0\r\n\r\nabc\0\r\n".into();
    let original = Message::parse(invite.wire()).unwrap();
    let sent = copy(&office.receive(alice.flow, invite.wire()), "INVITE");
    let (before, after) = (lines(&original), lines(&sent.message));
    let kept: Vec<_> = after.iter().filter(|line| before.contains(line)).collect();
    let stays: Vec<_> =
        before.iter().skip(1).filter(|line| !line.starts_with("Max-Forwards")).collect();
    assert_eq!(kept, stays, "all lines, in their order");
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    let names: Vec<_> = new.iter().skip(1).map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(names, ["Record-Route", "Via", "Max-Forwards", "Max-Breadth"]);
    assert_eq!(sent.message.body(), original.body());
    let vias: Vec<_> = sent.message.all::<Via>().map(|via| via.unwrap().host.to_string()).collect();
    assert_eq!(vias, ["192.0.2.10", "198.51.100.1", "lower.example"]);
    assert_eq!(sent.flow, bob.flow);
}

/// "The Request-URI in the copy's start line MUST be replaced with the URI for this target. If the URI contains any parameters not allowed
/// in a Request-URI, they MUST be removed."
/// Proves: rfc3261-16.6-6, rfc3261-16.6-7.
#[test]
fn the_target_becomes_the_request_uri() {
    let alice = Phone::udp(101);
    let place = "sip:102@198.51.100.2;method=INVITE;a=b?subject=x";
    let mut office = Office::new(always_at("102", &[place], trusting()));
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let uris: Vec<_> = requests(&sent, "INVITE").iter().map(uri).collect();
    assert!(uris.contains(&"sip:102@198.51.100.2;a=b".to_owned()), "{uris:?}");
}

/// "If the copy contains a Max-Forwards header field, the proxy MUST decrement its value by one (1). If the copy does not contain …, the
/// proxy MUST add one with a field value, which SHOULD be 70."
/// Proves: rfc3261-16.6-8, rfc3261-16.6-9.
#[test]
fn trap_46_hops_are_counted() {
    for (row, expected) in
        [("Max-Forwards: 70\r\n", "69"), ("Max-Forwards: 1\r\n", "0"), ("", "70")]
    {
        let (mut office, alice, _) = office();
        let wire = alice.invite("sip:102@example.test").wire().replace("Max-Forwards: 70\r\n", row);
        let sent = copy(&office.receive(alice.flow, wire), "INVITE");
        assert_eq!(rows(&[sent], Name::MaxForwards), [expected]);
    }
}

/// "it MUST insert a Record-Route header field value into the copy before any existing Record-Route header field values, even if a Route
/// header field is already present." "The URI placed in the Record-Route header field value MUST be a SIP or SIPS URI. This URI MUST
/// contain an lr parameter. The URI SHOULD NOT contain the transport parameter unless …" "MUST resolve to the element inserting it"
/// Proves: rfc3261-16.6-10, rfc3261-16.6-11, rfc3261-16.6-12, rfc3261-16.6-13, rfc3261-16.6-14, rfc3261-16.6-15, rfc3261-16.6-20.
#[test]
fn we_stay_on_the_path_of_every_dialog() {
    for method in ["INVITE", "SUBSCRIBE", "REFER", "NOTIFY", "UPDATE", "FOO"] {
        let (mut office, alice, _) = office();
        let request = alice.request(method, "sip:102@example.test");
        let request =
            request.row("Route: <sip:192.0.2.10;lr>\r\nRecord-Route: <sip:earlier.example;lr>");
        let sent = copy(&office.receive(alice.flow, request.wire()), method);
        let routes = rows(&[sent], Name::RecordRoute);
        assert_eq!(routes.len(), 2, "{method}");
        assert!(
            routes[0].starts_with("<sip:") && routes[0].ends_with("@192.0.2.10:5060;lr>"),
            "{routes:?}"
        );
        assert_eq!(routes[1], "<sip:earlier.example;lr>");
    }
    for method in ["MESSAGE", "OPTIONS", "PUBLISH", "INFO", "BYE"] {
        let (mut office, alice, _) = office();
        let sent = office.receive(alice.flow, alice.request(method, "sip:102@example.test").wire());
        assert!(!copy(&sent, method).message.has(Name::RecordRoute), "{method}");
    }
}

/// Where the transport changes, each side sees a route that it can go: the topmost for the callee's side.
#[test]
fn trap_27_two_transports_are_two_record_routes() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::tcp(102, 7));
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let invite = copy(&sent, "INVITE");
    assert_eq!(invite.flow, bob.flow, "by the connection that it registered on");
    let routes = rows(std::slice::from_ref(&invite), Name::RecordRoute);
    assert!(routes[0].ends_with("@192.0.2.10:5060;transport=tcp;lr>"), "{routes:?}");
    assert!(routes[1].ends_with("@192.0.2.10:5060;lr>"), "{routes:?}");
    let ok = office.receive(
        bob.flow,
        reply(&invite.message, 200, &format!("Contact: <{}>\r\n", bob.contact())),
    );
    assert_eq!(status(&ok), 200);
    // The caller's ACK and BYE find the connection again, though the Contact leads nowhere.
    for (method, cseq) in [("ACK", 2), ("BYE", 3)] {
        let mut request = alice.request(method, &bob.contact());
        request.to = "<sip:102@example.test>;tag=to-tag".into();
        request.cseq = cseq;
        let request = request.row(&format!("Route: {}\r\nRoute: {}", routes[1], routes[0]));
        let sent = copy(&office.receive(alice.flow, request.wire()), method);
        assert_eq!((sent.flow, sent.message.has(Name::Route)), (bob.flow, false));
    }
    // The callee's BYE comes by its connection, and finds the caller.
    let mut bye = bob.request("BYE", &alice.contact());
    bye.from = "<sip:102@example.test>;tag=to-tag".into();
    bye.to = "<sip:101@example.test>;tag=from-101".into();
    bye.call_id = "call-of-101".into();
    let bye = bye.row(&format!("Route: {}, {}", routes[0], routes[1]));
    assert_eq!(copy(&office.receive(bob.flow, bye.wire()), "BYE").flow, alice.flow);
}

/// A house with TLS too.
fn secure() -> Office {
    let mut settings = trusting();
    settings.listeners.push(Listener::new(2, Transport::Tls, "192.0.2.10:5061".parse().unwrap()));
    Office::new(settings)
}

/// "If the Request-URI contains a SIPS URI, or the topmost Route header field value … contains a SIPS URI, the URI placed into the
/// Record-Route header field MUST be a SIPS URI. Furthermore, if the request was not received over TLS, the proxy MUST insert a Record-Route
/// header field." "a proxy that receives a request over TLS, but generates a request without a SIPS URI … MUST insert a Record-Route header
/// field that is not a SIPS URI"
/// Proves: rfc3261-26.3.1-5, rfc3261-16.6-16, rfc3261-16.6-17, rfc3261-16.6-18, rfc3261-16.6-34, rfc3261-16.6-26, rfc5627-10.1-2.
#[test]
fn trap_28_sips_goes_by_tls_or_not_at_all() {
    let alice = Phone::udp(101);
    let mut office = secure();
    for target in ["sips:bob@203.0.113.5", "sips:bob@203.0.113.5;transport=tcp"] {
        let sent = office.receive(alice.flow, alice.invite(target).call(target).wire());
        let invite = copy(&sent, "INVITE");
        assert_eq!((invite.flow.transport, invite.flow.peer.port()), (Transport::Tls, 5061));
        let routes = rows(&[invite], Name::RecordRoute);
        assert!(routes[0].starts_with("<sips:"), "{routes:?}");
    }
    let mut tls = alice.clone();
    tls.flow.transport = Transport::Tls;
    tls.flow.listener = 2;
    tls.flow.connection = 3;
    let sent = office.receive(tls.flow, tls.invite("sip:bob@203.0.113.5").call("from TLS").wire());
    let routes = rows(&[copy(&sent, "INVITE")], Name::RecordRoute);
    assert!(
        !routes.is_empty() && routes.iter().all(|route| route.starts_with("<sip:")),
        "{routes:?}"
    );
    // Without TLS, nobody is called rather than called in the open.
    let (mut office, alice, _) = self::office();
    let sent = office.receive(alice.flow, alice.invite("sips:bob@203.0.113.5").wire());
    assert!(requests(&sent, "INVITE").is_empty());
    assert_eq!(sent.last().unwrap().message.status().unwrap().code(), 500);
}

/// "If the copy contains a Route header field, the proxy MUST inspect the URI in its first value. If that URI does not contain an lr
/// parameter …: The proxy MUST place the Request-URI into the Route header field as the last value. The proxy MUST then place the first Route
/// header field value into the Request-URI and remove that value from the Route header field." "If the proxy has reformatted the request to
/// send to a strict-routing element …, the proxy MUST apply those procedures to the Request-URI of the request."
/// Proves: rfc3261-16.6-27, rfc3261-16.6-28, rfc3261-16.6-29, rfc3261-16.6-32.
#[test]
fn trap_26_a_strict_router_after_us_gets_what_it_understands() {
    let (mut office, alice, _) = office();
    let invite = alice
        .invite("sip:bob@203.0.113.5")
        .row("Route: <sip:192.0.2.10;lr>, <sip:203.0.113.7>, <sip:203.0.113.8;lr>");
    let sent = copy(&office.receive(alice.flow, invite.wire()), "INVITE");
    assert_eq!(
        (uri(&sent), sent.flow.peer.to_string()),
        ("sip:203.0.113.7".into(), "203.0.113.7:5060".into())
    );
    assert_eq!(rows(&[sent], Name::Route), ["<sip:203.0.113.8;lr>, <sip:bob@203.0.113.5>"]);
}

/// "Otherwise, the proxy MUST apply the procedures to the first value in the Route header field, if present, else the Request-URI."
/// Proves: rfc3261-16.6-33, rfc3261-16.6-25.
#[test]
fn the_first_route_is_the_next_hop() {
    let (mut office, alice, _) = office();
    let invite = alice
        .invite("sip:bob@203.0.113.5")
        .row("Route: <sip:203.0.113.7:5099;lr>, <sip:203.0.113.8;lr>");
    let sent = copy(&office.receive(alice.flow, invite.wire()), "INVITE");
    assert_eq!(
        (uri(&sent), sent.flow.peer.to_string()),
        ("sip:bob@203.0.113.5".into(), "203.0.113.7:5099".into())
    );
    assert_eq!(rows(&[sent], Name::Route), ["<sip:203.0.113.7:5099;lr>, <sip:203.0.113.8;lr>"]);
    // A route of the settings does not pass by a Route that the caller wants visited.
    let route = server::settings::Route::domain("other.test", Some("sip:203.0.113.9"));
    let mut office = Office::new(Settings { routes: vec![route], ..trusting() });
    for (row, peer) in
        [("Route: <sip:203.0.113.7;lr>", "203.0.113.7:5060"), ("X: y", "203.0.113.9:5060")]
    {
        let invite = alice.invite("sip:bob@other.test").call(row).row(row);
        assert_eq!(
            copy(&office.receive(alice.flow, invite.wire()), "INVITE").flow.peer.to_string(),
            peer
        );
    }
}

/// "the proxy MUST attempt to deliver the message to the first tuple in that set, and proceed through the set in order until the delivery
/// attempt succeeds. For each tuple attempted, the proxy MUST format the message as appropriate for the tuple and send the request using a
/// new client transaction … Thus, the branch parameter provided with the Via header field inserted in step 8 MUST be different for each
/// attempt."
/// Proves: rfc3261-16.6-35, rfc3261-16.6-36, rfc3261-16.6-37.
#[test]
fn trap_29_every_address_is_tried_with_a_branch_of_its_own() {
    let (mut office, alice, _) = office();
    office.receive(alice.flow, alice.invite("sip:bob@other.example").wire());
    let (ticket, _) = office.asked.pop().unwrap();
    let targets = found(&[
        (Transport::Udp, "203.0.113.1:5060"),
        (Transport::Tcp, "203.0.113.2:5060"),
        (Transport::Udp, "203.0.113.3:5060"),
    ]);
    let first = copy(&office.tell(protocol::Input::Answered(ticket, targets)), "INVITE");
    // The first answers that it is busy, the second cannot be reached, the third takes it.
    let second = copy(&office.receive(first.flow, reply(&first.message, 503, "")), "INVITE");
    let third = copy(&office.tell(protocol::Input::Failed(second.flow)), "INVITE");
    let all = [first, second, third];
    let peers: Vec<_> = all.iter().map(|sent| sent.flow.peer.ip().to_string()).collect();
    assert_eq!(peers, ["203.0.113.1", "203.0.113.2", "203.0.113.3"]);
    let vias: Vec<_> =
        all.iter().map(|sent| rows(std::slice::from_ref(sent), Name::Via).remove(0)).collect();
    assert!(vias[0].starts_with("SIP/2.0/UDP") && vias[1].starts_with("SIP/2.0/TCP"));
    let branch =
        |via: &String| via.split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let branches: std::collections::BTreeSet<_> = vias.iter().map(branch).collect();
    assert_eq!(branches.len(), 3);
    let ok = office.receive(all[2].flow, reply(&all[2].message, 200, ""));
    assert_eq!((status(&ok), ok[0].flow), (200, alice.flow));
}

fn loop_part(sent: &Sent) -> Vec<u8> {
    let via = sent.message.get::<Via>().unwrap();
    via.branch().unwrap()[..23].to_vec()
}

/// "A proxy choosing to detect loops SHOULD create a branch parameter separable into two parts …. The first part MUST satisfy the
/// constraints of Section 8.1.1.7 …. the "branch" parameter it supplies MUST depend on all information affecting processing of a request,
/// including the incoming Request-URI and any header fields affecting the request's admission or routing" "The request method MUST NOT be
/// included in the calculation of the branch parameter. In particular, CANCEL and ACK requests (for non-2xx responses) MUST have the same
/// branch value as the corresponding request they cancel or acknowledge."
/// Proves: rfc3261-16.6-39, rfc3261-16.6-40, rfc3261-16.6-41, rfc3261-16.6-42, rfc3261-16.6-43, rfc3261-16.6-44, rfc3261-20.42-1.
#[test]
fn trap_7_a_branch_shows_what_the_way_depends_on_and_nothing_else() {
    let send = |change: &dyn Fn(String) -> String| {
        let (mut office, alice, _) = office();
        let wire = change(alice.invite("sip:102@example.test").wire());
        let sent = office.receive(alice.flow, wire);
        let sent = sent.into_iter().find(|sent| sent.message.is_request()).unwrap();
        loop_part(&sent)
    };
    let first = send(&|wire| wire);
    assert!(first.starts_with(b"z9hG4bK"));
    assert_eq!(send(&|wire| wire.replace("INVITE", "FOO")), first, "the method does not count");
    assert_eq!(send(&|wire| wire.replace("branch=z9hG4bK", "branch=z9hG4bKother")), first);
    for (from, to) in [
        ("sip:102@example.test SIP", "sip:102@example.test;x=y SIP"),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nRoute: <sip:203.0.113.1;lr>"),
        ("Call-ID: ", "Call-ID: x"),
        ("CSeq: 1 ", "CSeq: 2 "),
    ] {
        assert_ne!(send(&|wire| wire.replace(from, to)), first, "{to}");
    }
    let (mut office, alice, bob) = office();
    let invite = alice.invite("sip:102@example.test");
    let copied = copy(&office.receive(alice.flow, invite.wire()), "INVITE");
    let via = rows(std::slice::from_ref(&copied), Name::Via).remove(0);
    office.receive(bob.flow, reply(&copied.message, 180, ""));
    let mut cancel = invite;
    cancel.method = "CANCEL".into();
    let cancelled = copy(&office.receive(alice.flow, cancel.wire()), "CANCEL");
    assert_eq!(rows(&[cancelled], Name::Via)[0], via);
    let acked = copy(&office.receive(bob.flow, reply(&copied.message, 487, "")), "ACK");
    assert_eq!(rows(&[acked], Name::Via), [via]);
}

/// "If the request will be sent to the next hop using a stream-based transport and the copy contains no Content-Length header field, the
/// proxy MUST insert one with the correct value for the body of the request"
/// Proves: rfc3261-16.6-45, rfc3261-20-3, rfc3261-20.14-2.
#[test]
fn on_a_stream_the_length_is_said() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::tcp(102, 7));
    office.register(&bob);
    let wire = alice.invite("sip:102@example.test").wire().replace("Content-Length: 5\r\n", "");
    let sent = copy(&office.receive(alice.flow, wire), "INVITE");
    assert_eq!(
        (rows(std::slice::from_ref(&sent), Name::ContentLength), sent.message.body()),
        (vec!["5".to_owned()], &b"v=0\r\n"[..])
    );
}

/// What is too large for a datagram goes by TCP, with a Via that says so; a peer that takes none gets the datagram, and is not asked again.
#[test]
fn trap_15_what_is_too_large_for_a_datagram_goes_by_tcp_and_back() {
    let (mut office, alice, bob) = office();
    let mut invite = alice.invite("sip:102@example.test");
    invite.body = "a".repeat(1200);
    let first = copy(&office.receive(alice.flow, invite.wire()), "INVITE");
    assert_eq!((first.flow.transport, first.flow.peer), (Transport::Tcp, bob.flow.peer));
    assert!(
        rows(std::slice::from_ref(&first), Name::Via)[0]
            .starts_with("SIP/2.0/TCP 192.0.2.10:5060;")
    );
    let second = copy(&office.tell(protocol::Input::Failed(first.flow)), "INVITE");
    assert_eq!(second.flow, bob.flow);
    let again = office.receive(alice.flow, invite.call("again").wire());
    assert_eq!(copy(&again, "INVITE").flow, bob.flow);
    let mut small = alice.invite("sip:102@example.test").call("small");
    small.body = "a".into();
    assert_eq!(copy(&office.receive(alice.flow, small.wire()), "INVITE").flow, bob.flow);
}

/// A phone behind a NAT is reached where its REGISTER came from, whatever its Contact says.
#[test]
fn a_phone_behind_a_nat_is_reached_through_it() {
    let mut office = Office::new(settings());
    let (alice, mut bob) = (Phone::udp(101), Phone::udp(102));
    bob.flow.peer = "203.0.113.99:61234".parse().unwrap();
    office.register_at(&bob, "<sip:102@10.1.2.3:5060>");
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let invite = copy(&sent, "INVITE");
    assert_eq!((uri(&invite), invite.flow), ("sip:102@10.1.2.3:5060".into(), bob.flow));
    let ok = office
        .receive(bob.flow, reply(&invite.message, 200, "Contact: <sip:102@10.1.2.3:5060>\r\n"));
    let route = rows(&ok, Name::RecordRoute).remove(0);
    let mut ack = alice.request("ACK", "sip:102@10.1.2.3:5060").row(&format!("Route: {route}"));
    ack.to += ";tag=to-tag";
    assert_eq!(copy(&office.receive(alice.flow, ack.wire()), "ACK").flow, bob.flow);
}

/// Who has called by a connection that is gone is hung up on where its Contact leads, be that a number or a name.
#[test]
fn a_caller_whose_connection_is_gone_is_where_its_contact_leads() {
    for (contact, named) in [("203.0.113.77:5070", false), ("phone.example", true)] {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::tcp(101, 7), Phone::udp(102));
        office.register(&bob);
        let uri = format!("sip:101@{contact};transport=tcp");
        let mut invite = alice.invite("sip:102@example.test");
        invite.rows = invite.rows.replace(&alice.contact(), &uri);
        let ring = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
        office.receive(bob.flow, reply(&ring.message, 200, "Contact: <sip:102@198.51.100.2>\r\n"));
        let route = rows(&[ring], Name::RecordRoute).join(", ");
        let mut bye = bob.request("BYE", &uri).row(&format!("Route: {route}"));
        bye.from = "<sip:102@example.test>;tag=to-tag".into();
        bye.to = "<sip:101@example.test>;tag=from-101".into();
        bye.call_id = "call-of-101".into();
        let sent = office.receive(bob.flow, bye.wire());
        assert_eq!(requests(&sent, "BYE")[0].flow, alice.flow);
        let mut sent = office.tell(protocol::Input::Failed(alice.flow));
        if named {
            let (ticket, _) = office.asked.remove(0);
            let there = found(&[(Transport::Tcp, "203.0.113.77:5070")]);
            sent = office.tell(protocol::Input::Answered(ticket, there));
        }
        assert_eq!(requests(&sent, "BYE")[0].flow.peer.to_string(), "203.0.113.77:5070");
    }
}
