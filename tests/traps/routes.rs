//! Traps 13 to 15 and 26 to 28: which way requests and responses go.

use offhook_tests::office::{
    Office, Phone, Request, Sent, reply, requests, rows, status, trusting, uri,
};
use protocol::{Flow, Input, Listener, Transport};
use sip::Name;

/// The one request that was sent.
fn only(sent: &[Sent], name: &str) -> Sent {
    let mut found = requests(sent, name);
    assert_eq!(found.len(), 1, "{sent:?}");
    found.remove(0)
}

/// Trap 13: a response goes to the address that its request came from: to the port of its Via, or to that of its packet when `rport`
/// asks for it; on a stream by its very connection. Nothing in the Via aims it at others.
#[test]
fn trap_13_where_a_response_goes() {
    let udp = Phone::udp(101);
    let tcp = Phone::tcp(102, 7);
    for (phone, via, peer) in [
        (&udp, "SIP/2.0/UDP 198.51.100.1:5060", "198.51.100.1:5060"),
        (&udp, "SIP/2.0/UDP 198.51.100.1:7000", "198.51.100.1:7000"),
        (&udp, "SIP/2.0/UDP 10.0.0.1:7000", "198.51.100.1:7000"),
        (&udp, "SIP/2.0/UDP 10.0.0.1:7000;rport", "198.51.100.1:5060"),
        (&udp, "SIP/2.0/UDP host.invalid", "198.51.100.1:5060"),
        (&udp, "SIP/2.0/UDP 203.0.113.66:7000;maddr=203.0.113.67", "198.51.100.1:7000"),
        (&udp, "SIP/2.0/UDP 203.0.113.66;received=203.0.113.67;rport=9", "198.51.100.1:5060"),
        (&tcp, "SIP/2.0/TCP 10.0.0.1:5060", "203.0.113.2:40000"),
        (&tcp, "SIP/2.0/TCP 10.0.0.1:5060;rport", "203.0.113.2:40000"),
    ] {
        let mut office = Office::new(trusting());
        let mut request = phone.request("OPTIONS", "sip:example.test");
        request.via = via.into();
        let sent = office.receive(phone.flow, request.wire());
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].flow.peer.to_string(), peer, "{via}");
        assert_eq!(sent[0].flow.connection, phone.flow.connection);
    }
}

/// Trap 14: `rport` is answered whenever it is asked for, also when the addresses are equal, and never when it is not.
#[test]
fn trap_14_rport_is_answered_when_it_is_asked_for() {
    for (via, expected) in [
        ("198.51.100.1:5060;rport", Some(";rport=5060;received=198.51.100.1")),
        ("198.51.100.1:7000;RPORT", Some(";RPORT=5060;received=198.51.100.1")),
        ("198.51.100.1;rport;rport=7", Some(";received=198.51.100.1;rport=5060")),
        ("198.51.100.1:5060", None),
        ("10.0.0.1:5060", Some(";received=198.51.100.1")),
    ] {
        let mut office = Office::new(trusting());
        let phone = Phone::udp(101);
        let mut request = phone.request("OPTIONS", "sip:example.test");
        request.via = format!("SIP/2.0/UDP {via}");
        let sent = office.receive(phone.flow, request.wire());
        let row = rows(&sent, Name::Via).remove(0);
        match expected {
            Some(noted) => {
                assert!(row.contains(noted) && row.matches("received").count() == 1, "{row}")
            }
            None => assert!(!row.contains("rport") && !row.contains("received"), "{row}"),
        }
    }
}

/// Trap 15: above 1,300 octets a request goes by TCP, with a Via that says so, decided for each request; who refuses TCP gets the
/// datagram.
#[test]
fn trap_15_large_requests_go_by_tcp_and_small_ones_do_not() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let say = |office: &mut Office, size: usize, call: &str| {
        let mut request = alice.request("MESSAGE", "sip:102@example.test").call(call);
        request.body = "x".repeat(size);
        let sent = only(&office.receive(alice.flow, request.wire()), "MESSAGE");
        let via = rows(std::slice::from_ref(&sent), Name::Via).remove(0);
        assert!(via.starts_with(&format!("SIP/2.0/{} ", sent.flow.transport)), "{via}");
        sent
    };
    assert_eq!(say(&mut office, 10, "1").flow.transport, Transport::Udp);
    let large = say(&mut office, 1300, "2");
    assert_eq!((large.flow.transport, large.flow.peer), (Transport::Tcp, bob.flow.peer));
    // A connection that breaks was taken all the same: it is tried once more, then the datagram; and the next request goes by TCP again.
    for (connection, instead) in [(5, Transport::Tcp), (6, Transport::Udp)] {
        let broken = Input::Failed(Flow { connection, ..large.flow });
        assert_eq!(only(&office.tell(broken), "MESSAGE").flow.transport, instead);
    }
    let large = say(&mut office, 1300, "after");
    assert_eq!(large.flow.transport, Transport::Tcp);
    assert_eq!(say(&mut office, 10, "3").flow.transport, Transport::Udp, "it does not stick");
    let again = only(&office.tell(Input::Failed(large.flow)), "MESSAGE");
    assert_eq!(again.flow.transport, Transport::Udp);
    assert!(rows(&[again], Name::Via)[0].starts_with("SIP/2.0/UDP "));
    assert_eq!(say(&mut office, 1300, "4").flow.transport, Transport::Udp, "it is remembered");
}

/// A call from 101 to 102 that is up, and our Record-Route in it.
fn up(bob: &Phone) -> (Office, Phone, Vec<String>) {
    let mut office = Office::default();
    let alice = Phone::udp(101);
    office.register(bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let contact = format!("Contact: <{}>\r\n", bob.contact());
    let copy = only(&sent, "INVITE");
    let ok = office.receive(bob.flow, reply(&copy.message, 200, &contact));
    let routes = rows(&ok, Name::RecordRoute);
    (office, alice, routes)
}

fn within(phone: &Phone, uri: &str) -> Request {
    let mut bye = phone.request("BYE", uri);
    bye.to = "<sip:102@example.test>;tag=to-tag".into();
    bye.cseq = 5;
    bye
}

/// Trap 26: a strict router before us is undone; our own Route comes off, however its `lr` is written; one after us is obeyed.
#[test]
fn trap_26_strict_routers_on_both_sides() {
    let bob = Phone::udp(102);
    let (mut office, alice, routes) = up(&bob);
    for lr in [";lr>", ";lr=on>", ";lr=true>", ";LR>"] {
        let row = format!("Route: {}", routes[0].replace(";lr>", lr));
        let bye = within(&alice, &bob.contact()).call("call-of-101").row(&row);
        let mut bye = bye;
        bye.branch += lr.trim_matches([';', '>']);
        let sent = only(&office.receive(alice.flow, bye.wire()), "BYE");
        assert_eq!((uri(&sent), sent.flow), (bob.contact(), bob.flow), "{lr}");
        assert!(!sent.message.has(Name::Route), "with only us in it, nothing is left of it");
    }
    let ours = routes[0].trim_matches(['<', '>']);
    let strict =
        within(&alice, ours).call("call-of-101").row(&format!("Route: <{}>", bob.contact()));
    let sent = only(&office.receive(alice.flow, strict.wire()), "BYE");
    assert_eq!((uri(&sent), sent.message.has(Name::Route)), (bob.contact(), false));
    let mut office = Office::new(trusting());
    let invite =
        alice.invite("sip:bob@203.0.113.5").row("Route: <sip:203.0.113.7>, <sip:203.0.113.8;lr>");
    let sent = only(&office.receive(alice.flow, invite.wire()), "INVITE");
    assert_eq!(
        (uri(&sent), sent.flow.peer.ip().to_string()),
        ("sip:203.0.113.7".into(), "203.0.113.7".into())
    );
    assert_eq!(rows(&[sent], Name::Route), ["<sip:203.0.113.8;lr>, <sip:bob@203.0.113.5>"]);
}

/// Trap 27: where the transport changes there is a Record-Route for each side, and both ends find the other by them.
#[test]
fn trap_27_a_record_route_for_each_side() {
    let bob = Phone::tcp(102, 7);
    let (mut office, alice, routes) = up(&bob);
    assert_eq!(routes.len(), 2);
    assert!(routes[0].contains(";transport=tcp") && !routes[1].contains("transport"), "{routes:?}");
    let row = format!("Route: {}, {}", routes[1], routes[0]);
    let bye = within(&alice, &bob.contact()).row(&row);
    assert_eq!(only(&office.receive(alice.flow, bye.wire()), "BYE").flow, bob.flow);
    let mut bye = within(&bob, &alice.contact());
    bye.from = "<sip:102@example.test>;tag=to-tag".into();
    bye.to = "<sip:101@example.test>;tag=from-101".into();
    let bye = bye.call("call-of-101").row(&format!("Route: {}, {}", routes[0], routes[1]));
    assert_eq!(only(&office.receive(bob.flow, bye.wire()), "BYE").flow, alice.flow);
    // Where nothing changes, one is enough.
    assert_eq!(up(&Phone::udp(102)).2.len(), 1);
}

/// Trap 28: what is for a `sips:` goes by TLS or not at all.
#[test]
fn trap_28_sips_never_falls_back() {
    let alice = Phone::udp(101);
    let targets = [
        ("sips:bob@203.0.113.5", ""),
        ("sips:bob@203.0.113.5;transport=udp", ""),
        ("sip:bob@203.0.113.5", "Route: <sips:203.0.113.7;lr>\r\n"),
    ];
    for (target, route) in targets {
        let mut invite = alice.invite(target);
        invite.rows += route;
        let mut office = Office::new(trusting());
        let sent = office.receive(alice.flow, invite.wire());
        assert!(requests(&sent, "INVITE").is_empty(), "{target}");
        assert!(sent.last().unwrap().message.status().unwrap().code() >= 400);
        let mut secure = trusting();
        let tls = Listener::new(2, Transport::Tls, "192.0.2.10:5061".parse().unwrap());
        secure.listeners.push(tls);
        let mut office = Office::new(secure);
        for sent in requests(&office.receive(alice.flow, invite.wire()), "INVITE") {
            assert_eq!(sent.flow.transport, Transport::Tls, "{target}");
            // It fails: nothing else is tried.
            let sent = office.tell(Input::Failed(sent.flow));
            assert!(requests(&sent, "INVITE").is_empty(), "{target}");
            assert!(status(&sent) >= 400);
        }
    }
}
