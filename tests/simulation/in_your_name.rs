//! Somebody writes the address of others into its datagrams, thousands of times: they are served all the same by their connections, in their
//! calls, when they call for help, and when they answer what they were asked.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, reply, requests, rows, settings, status, trusting,
};
use protocol::doors::Event;
use protocol::{Flow, Identity, Transport};
use server::Settings;
use server::settings::Overload;
use sip::Name;

/// More than an address may begin at once.
const MANY: u32 = 5_000;

/// The same address, by TCP.
fn by_tcp(phone: &Phone) -> Phone {
    let flow = Flow {
        transport: Transport::Tcp,
        listener: 1,
        connection: 9,
        peer: (phone.flow.peer.ip(), 40_000).into(),
        identity: Identity::NONE,
    };
    Phone { user: phone.user.clone(), flow }
}

/// Somebody sends what it likes in the name of a phone.
fn pretends(office: &mut Office, victim: &Phone, change: impl Fn(Request) -> Request) {
    let flow = Flow { peer: (victim.flow.peer.ip(), 9_999).into(), ..victim.flow };
    for nth in 0..MANY {
        let request = victim.request("OPTIONS", "sip:example.test").call(&format!("forged-{nth}"));
        office.receive(flow, change(request).wire());
    }
    assert!(office.events.iter().any(|event| matches!(event, Event::TooFast { .. })));
}

/// A call that stands: what the caller has to write into its requests within it.
fn call(office: &mut Office, caller: &Phone, callee: &Phone) -> Request {
    office.register(caller);
    office.register(callee);
    let uri = format!("sip:{}@example.test", callee.user);
    let invite = caller.invite(&uri);
    let mut sent = office.converse(caller, &invite);
    sent.extend(office.locate());
    let copy = requests(&sent, "INVITE").remove(0);
    let contact = format!("Contact: <{}>\r\n", callee.contact());
    let sent = office.receive(callee.flow, reply(&copy.message, 200, &contact));
    let answer: Vec<Sent> = sent.into_iter().filter(|one| one.flow == caller.flow).collect();
    assert_eq!(status(&answer), 200);
    let mut bye = caller.request("BYE", &callee.contact());
    bye.to = rows(&answer, Name::To).remove(0);
    bye.cseq = 9;
    let mut route = rows(&answer, Name::RecordRoute);
    route.reverse();
    bye.row(&format!("Route: {}", route.join(", ")))
}

/// A REGISTER that nobody has seen before.
fn registers(phone: &Phone, name: &str) -> Request {
    phone.register(&format!("Contact: <{}>\r\n", phone.contact())).call(name)
}

#[test]
fn whose_address_others_write_is_served_by_its_connections_in_its_calls_and_when_it_needs_help() {
    for forged in [
        |request: Request| request,
        |mut request: Request| {
            // As if it belonged to a call.
            request.to += ";tag=x";
            request.row("Route: <sip:example.test;lr>")
        },
    ] {
        let mut office = Office::default();
        let (victim, callee) = (Phone::udp(101), Phone::udp(102));
        let bye = call(&mut office, &victim, &callee);
        pretends(&mut office, &victim, forged);

        let stranger = Phone { user: "109".into(), flow: victim.flow };
        let sent = office.receive(stranger.flow, registers(&stranger, "stranger").wire());
        assert!(matches!(status(&sent), 0 | 503), "what is not known to come from there is held");
        let tcp = by_tcp(&victim);
        let sent = office.receive(tcp.flow, registers(&tcp, "tcp").wire());
        assert_eq!(status(&sent), 401, "by its connections");
        let help = victim.invite("sip:112@example.test").call("help");
        assert_eq!(status(&office.receive(victim.flow, help.wire())), 407, "it calls for help");
        let sent = office.receive(victim.flow, bye.wire());
        assert_eq!(requests(&sent, "BYE").len(), 1, "its calls go on: {sent:?}");
    }
}

/// Who has been asked before, at that very address, is known by its answer; and who is registered by its port.
#[test]
fn a_phone_that_answers_what_it_was_asked_is_heard() {
    let mut office = Office::default();
    let (phone, other) = (Phone::udp(101), Phone::udp(102));
    let first = registers(&phone, "first");
    let asked = office.receive(phone.flow, first.wire());
    pretends(&mut office, &phone, |request| request);
    let answer = phone.credentials(&first, &asked[0].message);
    let sent = office.receive(phone.flow, first.again().row(&answer).wire());
    assert_eq!(status(&sent), 200);
    let renewal = registers(&phone, "renewal");
    assert_eq!(status(&office.receive(phone.flow, renewal.wire())), 401, "from its port");
    // An answer to what others were asked proves nothing, nor does an old one.
    let elsewhere = Phone { user: "103".into(), ..other };
    let foreign = registers(&elsewhere, "foreign");
    let asked = office.receive(elsewhere.flow, foreign.wire());
    let answer = elsewhere.credentials(&foreign, &asked[0].message);
    let forged = Phone { user: "103".into(), flow: phone.flow };
    let sent = office.receive(forged.flow, foreign.again().row(&answer).wire());
    assert!(matches!(status(&sent), 0 | 503), "{sent:?}");
    office.wait(Duration::from_secs(25));
    assert_eq!(status(&office.receive(forged.flow, foreign.again().again().wire())), 401);
}

/// When there are too many connections those keep theirs who have proven something: the driver hears who has. Strangers have nothing but what anybody can say.
#[test]
fn whoever_has_proven_something_keeps_its_connection() {
    let unlimited = vec!["203.0.113.7/32".parse().unwrap()];
    let overload = Overload { unlimited, ..Overload::default() };
    let mut office = Office::new(Settings { overload, ..settings() });
    let vouched = |office: &mut Office| std::mem::take(&mut office.vouched);
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    let connected = by_tcp(&alice);
    let invite = connected.invite("sip:102@example.test");
    assert_eq!(status(&office.receive(connected.flow, invite.wire())), 407);
    let end = call(&mut office, &alice, &bob);
    assert_eq!(vouched(&mut office), [], "it was asked, and datagrams have no connection");
    assert_eq!(requests(&office.receive(connected.flow, end.wire()), "BYE").len(), 1);
    assert_eq!(vouched(&mut office), [connected.flow], "it has the pass of a call");
    office.converse(&connected, &connected.invite("sip:102@example.test").call("answered"));
    assert_eq!(vouched(&mut office), [connected.flow], "it knows a password");
    let neighbour = Phone::tcp(107, 3);
    let asks = neighbour.request("OPTIONS", "sip:example.test");
    assert_eq!(status(&office.receive(neighbour.flow, asks.wire())), 401);
    assert_eq!(vouched(&mut office), [neighbour.flow], "the operator knows it");
    let mut open = Office::new(trusting());
    open.register(&connected);
    assert_eq!(
        vouched(&mut open),
        [connected.flow],
        "it is registered, and nobody has to prove more"
    );
}

/// Whoever has a pass of ours has no more than its share either.
#[test]
fn a_call_that_stands_is_no_way_past_the_counting() {
    let overload = Overload { per_source: 10, at_once: 100, ..Overload::default() };
    let mut office = Office::new(Settings { overload, ..settings() });
    let (caller, callee) = (Phone::udp(101), Phone::udp(102));
    let bye = call(&mut office, &caller, &callee);
    let mut passed = 0;
    for nth in 0..1_000 {
        let mut info = Request { method: "INFO".into(), cseq: 10 + nth, ..bye.clone() };
        info.branch += &nth.to_string();
        passed += requests(&office.receive(caller.flow, info.wire()), "INFO").len();
    }
    assert_eq!(passed, 800, "eight times what may be begun");
}
