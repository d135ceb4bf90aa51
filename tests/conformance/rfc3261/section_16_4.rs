//! §16.4: routes that are ours, strict routers before us, `maddr`.

use offhook_tests::office::{
    Office, Phone, Request, Sent, method, reply, requests, rows, status, trusting, uri,
};
use sip::Name;

/// A call from 101 to 102 that is up, with the routes that both ends have learnt.
fn call() -> (Office, Phone, Phone, String) {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let contact = format!("Contact: <{}>\r\n", bob.contact());
    let ok = office.receive(bob.flow, reply(&sent[1].message, 200, &contact));
    let route = rows(&ok, Name::RecordRoute).remove(0);
    (office, alice, bob, route)
}

fn within(phone: &Phone, method: &str, uri: &str, ends: (&str, &str)) -> Request {
    let mut request = phone.request(method, uri);
    request.from = format!("<sip:x@example.test>;tag={}", ends.0);
    request.to = format!("<sip:y@example.test>;tag={}", ends.1);
    request.call_id = "call-of-101".into();
    request.cseq = 9;
    request
}

fn forwarded(sent: &[Sent]) -> (String, Vec<String>, String) {
    assert_eq!(sent.len(), 1, "{sent:?}");
    (uri(&sent[0]), rows(sent, Name::Route), sent[0].flow.peer.to_string())
}

/// "If the first value in the Route header field indicates this proxy, the proxy MUST remove that value from the request."
/// Proves: rfc3261-16.4-6.
#[test]
fn trap_26_our_own_route_comes_off_and_the_contact_is_where_it_goes() {
    let (mut office, alice, bob, route) = call();
    let bye = within(&alice, "BYE", &bob.contact(), ("from-101", "to-tag"))
        .row(&format!("Route: {route}"));
    let sent = office.receive(alice.flow, bye.wire());
    assert_eq!(forwarded(&sent), (bob.contact(), vec![], bob.flow.peer.to_string()));
    let back = within(&bob, "INFO", &alice.contact(), ("to-tag", "from-101"));
    let lr_on = route.replace(";lr>", ";lr=on>");
    let sent = office
        .receive(bob.flow, back.row(&format!("Route: {lr_on}, <sip:next.example;lr>")).wire());
    assert!(sent.is_empty(), "the next route has a name");
    let (_, question) = office.asked.pop().unwrap();
    assert!(format!("{question:?}").contains("next.example"));
}

/// "The proxy MUST inspect the Request-URI of the request. If the Request-URI … contains a value this proxy previously placed into a
/// Record-Route header field …, the proxy MUST replace the Request-URI in the request with the last value from the Route header field,
/// and remove that value from the Route header field. The proxy MUST then proceed as if it received this modified request."
/// Proves: rfc3261-16.4-1, rfc3261-16.4-2, rfc3261-16.4-3.
#[test]
fn trap_26_a_strict_router_before_us_is_understood() {
    let (mut office, alice, bob, route) = call();
    let ours = route.trim_start_matches('<').trim_end_matches('>');
    let bye = within(&alice, "BYE", ours, ("from-101", "to-tag"))
        .row(&format!("Route: <{}>", bob.contact()));
    let sent = office.receive(alice.flow, bye.wire());
    assert_eq!(forwarded(&sent), (bob.contact(), vec![], bob.flow.peer.to_string()));
    // With another proxy between us and the callee.
    let rows = format!("Route: <sip:203.0.113.7;lr>\r\nRoute: <{}>", bob.contact());
    let info = within(&alice, "INFO", ours, ("from-101", "to-tag")).row(&rows);
    let sent = office.receive(alice.flow, info.wire());
    let next = ("203.0.113.7:5060".to_owned(), vec!["<sip:203.0.113.7;lr>".to_owned()]);
    assert_eq!(forwarded(&sent), (bob.contact(), next.1, next.0));
}

/// "If the Request-URI contains a maddr parameter, the proxy MUST check to see if its value is in the set of addresses or domains the
/// proxy is configured to be responsible for. If … and the request was received using the port and transport indicated …, the proxy MUST
/// strip the maddr and any non-default port or transport parameter"
/// Proves: rfc3261-16.4-4, rfc3261-16.4-5.
#[test]
fn an_maddr_that_is_us_is_stripped_when_the_request_came_as_it_says() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    for (asked, expected) in [
        ("sip:102@example.test;maddr=192.0.2.10", bob.contact()),
        ("sip:102@example.test:5060;maddr=example.test;transport=udp", bob.contact()),
        (
            "sip:102@203.0.113.9:7000;maddr=192.0.2.10",
            "sip:102@203.0.113.9:7000;maddr=192.0.2.10".into(),
        ),
        ("sip:x@203.0.113.9:5060;maddr=192.0.2.10;a=b", "sip:x@203.0.113.9;a=b".into()),
    ] {
        let invite = alice.request("MESSAGE", asked).call(asked);
        let sent = office.receive(alice.flow, invite.wire());
        assert_eq!(uri(&sent[0]), expected, "{asked}");
    }
}

/// A To tag is no proof: who shows no pass of ours for this very call is asked who it is, and ACKs are dropped.
#[test]
fn trap_35_a_to_tag_opens_no_door() {
    let (mut office, alice, bob, route) = call();
    let stranger = Phone::udp(66);
    let target = "sip:premium@203.0.113.66";
    let route_row = format!("Route: {route}");
    let good = within(&stranger, "INVITE", target, ("from-101", "to-tag"));
    for request in [
        good.clone(),
        good.clone().row("Route: <sip:192.0.2.10;lr>"),
        good.clone().row("Route: <sip:00112233445566778899aa@192.0.2.10:5060;lr>"),
        good.clone().row(&route_row).call("another"),
        within(&stranger, "INVITE", target, ("guess", "guess")).row(&route_row),
    ] {
        let sent = office.receive(stranger.flow, request.wire());
        assert_eq!(status(&sent), 407, "{}", request.wire());
        let mut ack = request;
        ack.method = "ACK".into();
        assert!(office.receive(stranger.flow, ack.wire()).is_empty());
    }
    let bye = within(&bob, "BYE", &alice.contact(), ("to-tag", "from-101")).row(&route_row);
    assert_eq!(method(&office.receive(bob.flow, bye.wire())[0]), "BYE");
}

/// "Is this URI me?" has a port in it: a phone on the server's own machine is not the server.
#[test]
fn a_phone_beside_the_server_is_not_taken_for_it() {
    let mut office = Office::new(trusting());
    let (alice, mut bob) = (Phone::udp(101), Phone::udp(102));
    bob.flow.peer = "192.0.2.10:5070".parse().unwrap();
    office.register(&bob);
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let invite = requests(&sent, "INVITE");
    assert_eq!((uri(&invite[0]), invite[0].flow), ("sip:102@192.0.2.10:5070".into(), bob.flow));
    let ok = office.receive(bob.flow, reply(&invite[0].message, 200, ""));
    let route = rows(&ok, Name::RecordRoute).remove(0);
    let ack = within(&alice, "ACK", &bob.contact(), ("from-101", "to-tag"))
        .row(&format!("Route: {route}"));
    let sent = office.receive(alice.flow, ack.wire());
    assert_eq!(forwarded(&sent), (bob.contact(), vec![], bob.flow.peer.to_string()));
}
