//! §16.5: where a request may go.

use offhook_tests::office::{
    Office, Phone, found, reply, requests, rows, settings, status, trusting, uri,
};
use protocol::{Answer, Question, Transport};
use server::settings::{Route, Settings, Shard};

fn office() -> (Office, Phone) {
    (Office::new(trusting()), Phone::udp(101))
}

/// "If the Request-URI of the request contains an maddr parameter, the Request-URI MUST be placed into the target set as the only target
/// URI" "If the domain of the Request-URI indicates a domain this element is not responsible for, the Request-URI MUST be placed into the
/// target set as the only target" "A proxy MUST NOT add additional targets …"
/// Proves: rfc3261-16.5-1, rfc3261-16.5-2, rfc3261-16.5-7.
#[test]
fn somebody_elsewhere_is_called_as_written() {
    let (mut office, alice) = office();
    for (asked, peer) in [
        ("sip:bob@203.0.113.5", "203.0.113.5:5060"),
        ("sip:bob@203.0.113.5:5070;a=b", "203.0.113.5:5070"),
        ("sip:102@example.test;maddr=203.0.113.6", "203.0.113.6:5060"),
        ("sip:[2001:db8::5]", "[2001:db8::5]:5060"),
    ] {
        let invite = alice.invite(asked).call(asked);
        let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        let seen: Vec<_> =
            copies.iter().map(|copy| (uri(copy), copy.flow.peer.to_string())).collect();
        if asked.contains('[') {
            assert!(seen.is_empty(), "this office has no IPv6");
        } else {
            assert_eq!(seen, [(asked.to_owned(), peer.to_owned())]);
        }
    }
}

/// "When accessing the location service constructed by a registrar, the Request-URI MUST first be canonicalized"
/// Proves: rfc3261-10.1-1, rfc3261-16.5-3.
#[test]
fn a_user_is_found_however_it_is_written() {
    let (mut office, alice) = office();
    let bob = Phone::udp(102);
    office.register(&bob);
    for asked in [
        "sip:%3102@example.test",
        "sip:102@EXAMPLE.TEST",
        "sip:102@192.0.2.10;user=phone",
        "tel:102",
    ] {
        let invite = alice.invite(asked).call(asked);
        let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        assert_eq!(copies.iter().map(uri).collect::<Vec<_>>(), [bob.contact()], "{asked}");
    }
}

/// "If a target URI is already present in the set …, it MUST NOT be added again." "any given URI MUST NOT be added to the set more than
/// once"
/// Proves: rfc3261-16.5-6, rfc3261-16.5-10.
#[test]
fn nobody_is_rung_twice() {
    let (mut office, alice) = office();
    let bob = Phone::udp(102);
    office
        .register_at(&bob, "<sip:a@198.51.100.21>, <sip:%61@198.51.100.21>, <sip:a@198.51.100.22>");
    let copies = requests(
        &office.receive(alice.flow, alice.invite("sip:102@example.test").wire()),
        "INVITE",
    );
    assert_eq!(
        copies.iter().map(uri).collect::<Vec<_>>(),
        ["sip:%61@198.51.100.21", "sip:a@198.51.100.22"]
    );
}

/// "If the Request-URI indicates a resource at this proxy that does not exist, the proxy MUST return a 404" "If the target set remains
/// empty …, the proxy MUST return an error response, which SHOULD be the 480"
/// Proves: rfc3261-16.5-11, rfc3261-16.5-12.
#[test]
fn nobody_of_that_name_and_nobody_at_home() {
    let mut office = Office::default();
    let alice = Phone::udp(101);
    for (asked, code) in [("sip:nobody@example.test", 404), ("sip:102@example.test", 480)] {
        let invite = alice.invite(asked).call(asked);
        let sent = office.converse(&alice, &invite);
        assert_eq!(sent.last().unwrap().message.status().unwrap().code(), code);
    }
}

/// Who lives on another shard is asked there; the answer comes by another door, and one that comes too late is ignored.
#[test]
fn a_user_of_another_shard_is_asked_for() {
    let shard = |number| Shard { number, count: 2 };
    let mut here = Office::new(Settings { shard: shard(0), ..trusting() });
    let mut there = Office::new(Settings { shard: shard(1), ..trusting() });
    let alice = Phone::udp(101);
    let steering = server::Steering::new(trusting().secret, 2);
    let user = (101..110).find(|user| steering.home_of(user.to_string().as_bytes()) == 1).unwrap();
    let bob = Phone::udp(user);
    there.register(&bob);
    let sent = here.receive(alice.flow, alice.invite(&format!("sip:{user}@example.test")).wire());
    assert_eq!((status(&sent), sent.len()), (100, 1));
    let (ticket, question) = here.asked.pop().unwrap();
    assert_eq!(question, Question::Locate(user.to_string().into_bytes().into()));
    let asker = protocol::doors::Asker { shard: 0, ticket };
    there.tell(protocol::Input::Asked(asker, question));
    let answer = there.told.pop().unwrap();
    let sent = here.tell(protocol::Input::Answered(ticket, answer.clone()));
    assert_eq!((uri(&sent[0]), sent[0].flow), (bob.contact(), bob.flow));
    assert!(here.tell(protocol::Input::Answered(ticket, answer)).is_empty());
}

/// A name is looked up; its addresses are tried in their order.
#[test]
fn a_name_is_looked_up() {
    let (mut office, alice) = office();
    let sent =
        office.receive(alice.flow, alice.invite("sip:bob@other.example;transport=tcp").wire());
    assert_eq!(sent.len(), 1);
    let (ticket, question) = office.asked.pop().unwrap();
    let transport = Transport::Tcp;
    let Question::Resolve(hop) = question else { panic!("{question:?}") };
    assert_eq!((&*hop.domain, hop.port, hop.transport), ("other.example", None, Some(transport)));
    let sent =
        office.tell(protocol::Input::Answered(ticket, found(&[(transport, "203.0.113.5:5060")])));
    assert_eq!(
        (sent[0].flow.transport, sent[0].flow.peer.to_string()),
        (transport, "203.0.113.5:5060".into())
    );
    let unknown = alice.invite("sip:bob@nowhere.example").call("2");
    office.receive(alice.flow, unknown.wire());
    let (ticket, _) = office.asked.pop().unwrap();
    let sent = office.tell(protocol::Input::Answered(ticket, Answer::Nothing));
    assert_eq!(status(&sent), 500);
}

fn routed() -> Settings {
    let routes = vec![
        Route::domain("other.test", Some("sip:203.0.113.7:5070;transport=tcp")),
        Route::prefix("+49", "sip:203.0.113.9:5080"),
        Route::prefix("+", "sip:203.0.113.8"),
    ];
    Settings { routes, ..settings() }
}

/// The routes of the settings: a domain keeps its URI, a number gets the host of its route; the first route that fits counts.
#[test]
fn routes_lead_where_they_say_and_only_for_those_we_know() {
    let mut office = Office::new(routed());
    let alice = Phone::udp(101);
    for (asked, expected, peer) in [
        ("sip:bob@other.test", "sip:bob@other.test", "203.0.113.7:5070"),
        ("sip:+4930123@example.test", "sip:+4930123@203.0.113.9:5080", "203.0.113.9:5080"),
        ("sip:+33@example.test", "sip:+33@203.0.113.8", "203.0.113.8:5060"),
    ] {
        let invite = alice.invite(asked).call(asked);
        let copies = requests(&office.converse(&alice, &invite), "INVITE");
        assert_eq!(copies.len(), 1, "{asked}");
        assert_eq!(
            (uri(&copies[0]), copies[0].flow.peer.to_string()),
            (expected.into(), peer.into())
        );
    }
    let mut stranger = Phone::udp(77).invite("sip:+33@example.test");
    stranger.from = "<sip:x@other.test>;tag=1".into();
    assert_eq!(status(&office.receive(Phone::udp(77).flow, stranger.wire())), 407);
}

/// Callers of a domain that we have a route for reach our users, from where the route says; nobody else's callers do.
#[test]
fn callers_of_a_friendly_domain_reach_our_users() {
    let mut office = Office::new(routed());
    let bob = Phone::udp(102);
    office.register(&bob);
    let mut friend = Phone::udp(77);
    let mut invite = friend.invite("sip:102@example.test");
    invite.from = "<sip:carol@other.test>;tag=1".into();
    assert_eq!(status(&office.receive(friend.flow, invite.wire())), 407, "not from there");
    friend.flow.peer = "203.0.113.7:33000".parse().unwrap();
    assert_eq!(status(&office.receive(friend.flow, invite.wire())), 100);
    invite = invite.again();
    invite.from = "<sip:carol@elsewhere.test>;tag=1".into();
    assert_eq!(status(&office.receive(friend.flow, invite.wire())), 407);
}

/// A call that was let out of the house goes on unasked; a number is asked for each time.
#[test]
fn within_a_call_to_a_friendly_domain_nobody_is_asked_again() {
    let mut office = Office::new(routed());
    let alice = Phone::udp(101);
    for (asked, contact, code) in [
        ("sip:bob@other.test", "sip:bob@other.test", 0),
        ("sip:+33@example.test", "sip:+33@example.test", 407),
    ] {
        let invite = alice.invite(asked).call(asked);
        let copy = requests(&office.converse(&alice, &invite), "INVITE").remove(0);
        let ok = reply(&copy.message, 200, &format!("Contact: <{contact}>\r\n"));
        let route = rows(&office.receive(copy.flow, ok), sip::Name::RecordRoute).remove(0);
        let mut again = alice.invite(contact).call(asked).again().again();
        again.to = format!("<{asked}>;tag=to-tag");
        let sent = office.receive(alice.flow, again.row(&format!("Route: {route}")).wire());
        let refused = if code == 0 { 100 } else { code };
        assert_eq!(status(&sent), refused, "{asked}");
    }
}
