//! Strangers who say they are somebody else, or want the server to speak to others for them.

use std::net::IpAddr;

use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::office::{Office, Phone, answers, requests, rows};
use offhook_tests::puppet::read;
use protocol::Transport;
use sim::{HostId, Parcel, Realm, Weather};
use sip::header::To;
use sip::{Method, Name};

/// Somebody who wants nothing of us.
const VICTIM: &str = "203.0.113.66";

/// Where strangers send from.
const STRANGER: &str = "203.0.113.9:5060";

fn exchange() -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(5, Weather::FAIR);
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
    exchange.register(alice, 1);
    exchange.register(bob, 2);
    exchange.world.tap_on();
    (exchange, alice, bob)
}

/// A stranger's datagram comes to the server.
fn inject(exchange: &mut Exchange, from: &str, wire: &str) {
    let parcel = Parcel::datagram(address(from), address(SERVER), wire.to_owned());
    exchange.world.inject(Realm::INTERNET, parcel);
    exchange.live(50);
}

/// What the server has sent to addresses with this IP: first lines.
fn sent_to(exchange: &mut Exchange, ip: &str) -> Vec<String> {
    let (server, ip): (_, IpAddr) = (exchange.server, ip.parse().unwrap());
    let from_server = exchange.world.tap().sightings().filter(|one| one.from == Some(server));
    let line = |payload: &[u8]| String::from_utf8_lossy(payload).lines().next().map(str::to_owned);
    from_server
        .filter(|one| one.parcel.to.ip() == ip)
        .filter_map(|one| line(one.parcel.payload()))
        .collect()
}

fn request(method: &str, uri: &str, rows: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {STRANGER};branch=z9hG4bKforged{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:mallory@elsewhere.test>;tag=m\r\nTo: <{uri}>;tag=t\r\nCall-ID: forged-{method}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:mallory@{STRANGER}>\r\n{rows}Content-Length: 0\r\n\r\n"
    )
}

const METHODS: [&str; 9] =
    ["INVITE", "ACK", "BYE", "INFO", "MESSAGE", "UPDATE", "OPTIONS", "NOTIFY", "PUBLISH"];

/// A To tag is no ticket: whoever has no dialog of ours gets nothing carried, whatever the method and the Routes.
#[test]
fn the_server_carries_nothing_to_others_for_strangers() {
    for method in METHODS {
        let routes = [
            String::new(),
            format!("Route: <sip:{SERVER};lr>\r\n"),
            format!("Route: <sip:{SERVER};lr>, <sip:{VICTIM};lr>\r\n"),
            format!("Route: <sip:{VICTIM};lr>\r\n"),
        ];
        for route in routes {
            let (mut exchange, ..) = exchange();
            let uri = format!("sip:victim@{VICTIM}");
            inject(&mut exchange, STRANGER, &request(method, &uri, &route));
            exchange.live(40_000);
            assert!(sent_to(&mut exchange, VICTIM).is_empty(), "{method} {route}");
        }
    }
}

/// A user of ours is not reached either: a stranger is asked who it is, or refused. An ACK without a call goes nowhere.
#[test]
fn a_to_tag_without_a_dialog_is_no_ticket() {
    for method in METHODS {
        let (mut exchange, _, bob) = exchange();
        let before = exchange.look(bob).heard.len();
        inject(&mut exchange, STRANGER, &request(method, "sip:102@example.test", ""));
        inject(&mut exchange, STRANGER, &request(method, "sip:102@198.51.100.3:5060", ""));
        assert_eq!(exchange.look(bob).heard.len(), before, "{method}");
    }
}

/// Bob, whom Alice has called, has seen the pass of that call. It is good within that call, and begins no other: not in her name, and not for
/// somebody whom he does not prove to be.
#[test]
fn the_pass_of_a_call_begins_no_other() {
    let mut office = Office::default();
    let [alice, bob, carol] = [101, 102, 103].map(Phone::udp);
    office.register(&bob);
    office.register(&carol);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let pass = rows(&requests(&sent, "INVITE"), Name::RecordRoute).remove(0);
    for (nth, method) in ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER"].into_iter().enumerate() {
        let mut forged = bob.request(method, "sip:103@example.test").call("call-of-101");
        forged.branch += method;
        forged.from = "<sip:101@example.test>;tag=from-101".into();
        forged.cseq = 10 + nth as u32;
        let forged = forged.row(&format!("Contact: <{}>\r\nRoute: {pass}", bob.contact()));
        let sent = office.receive(bob.flow, forged.wire());
        assert_eq!(answers(&sent, bob.flow), [407], "{method}");
        assert_eq!(sent.len(), 1, "{method}");
    }
}

/// The Via decides nothing about where an answer goes: all answers go to the source, and none is much longer than its question
/// (RELIABILITY R13).
#[test]
fn no_answer_goes_to_another_address_than_the_source() {
    let vias = [
        format!("SIP/2.0/UDP {VICTIM}:5060"),
        format!("SIP/2.0/UDP {VICTIM}:5060;rport"),
        format!("SIP/2.0/UDP {STRANGER};maddr={VICTIM}"),
        format!("SIP/2.0/UDP {STRANGER};received={VICTIM};rport=5060"),
        format!("SIP/2.0/TCP {VICTIM}:5060"),
        format!("SIP/2.0/UDP {STRANGER}, SIP/2.0/UDP {VICTIM}:5060"),
    ];
    for via in vias {
        for method in ["OPTIONS", "INVITE", "REGISTER", "BYE", "CANCEL", "FOO"] {
            let (mut exchange, ..) = exchange();
            let wire = request(method, "sip:102@example.test", "");
            let own = wire.lines().nth(1).unwrap();
            let (first, rest) = via.split_once(',').unwrap_or((&via, ""));
            let comma = if rest.is_empty() { "" } else { "," };
            let wire =
                wire.replace(own, &format!("Via: {first};branch=z9hG4bK{method}{comma}{rest}"));
            let wire = wire.replace(";tag=t", "");
            inject(&mut exchange, STRANGER, &wire);
            exchange.live(40_000);
            assert!(sent_to(&mut exchange, VICTIM).is_empty(), "{method} {via}");
            let server = exchange.server;
            let answers: Vec<usize> = exchange
                .world
                .tap()
                .sightings()
                .filter(|one| one.from == Some(server))
                .map(|one| one.parcel.payload().len())
                .collect();
            let most = wire.len() * 3 / 2 + 200;
            assert!(answers.iter().all(|length| *length <= most), "{method} {via}: {answers:?}");
        }
    }
}

/// Octets that are no message are not worth an answer that could be aimed either.
#[test]
fn garbage_with_a_forged_via_reaches_nobody_else() {
    for tail in
        ["Content-Length: 99\r\n\r\n", "Content-Length: x\r\n\r\n", "CSeq: x\r\n\r\n", "\r\n"]
    {
        let (mut exchange, ..) = exchange();
        let wire = format!(
            "INVITE sip:102@example.test SIP/2.0\r\nVia: SIP/2.0/UDP {VICTIM}:5060;branch=z9hG4bKx\r\n{tail}"
        );
        inject(&mut exchange, STRANGER, &wire);
        exchange.live(40_000);
        assert!(sent_to(&mut exchange, VICTIM).is_empty(), "{tail:?}");
    }
}

/// Who proves to be 101 may not say that it is 102.
#[test]
fn credentials_belong_to_the_name_in_from() {
    let (mut exchange, alice, bob) = exchange();
    let before = exchange.look(bob).heard.len();
    let first = exchange.say(alice, |alice| {
        let invite = alice.invite("sip:102@example.test", 7, 1);
        invite.edit().replace_raw(Name::From, b"<sip:102@example.test>;tag=f").finish().unwrap()
    });
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    assert_eq!(exchange.look(alice).statuses().last().unwrap(), "403");
    assert_eq!(exchange.look(bob).heard.len(), before);
}

/// A user of ours, or who has its password, reaches no other domain than those that a route is for, in the Request-URI or by Route.
#[test]
fn a_password_is_no_ticket_to_everywhere() {
    let ways = [
        (format!("sip:x@{VICTIM}"), String::new()),
        ("sip:102@example.test".to_owned(), format!("<sip:{VICTIM};lr>")),
        (format!("sip:x@{VICTIM}"), format!("<sip:{SERVER};lr>, <sip:{VICTIM};lr>")),
    ];
    for (uri, route) in ways {
        let (mut exchange, alice, _) = exchange();
        let first = exchange.say(alice, |alice| {
            let invite = alice.invite(&uri, 7, 1);
            if route.is_empty() {
                return invite;
            }
            invite.edit().push_raw(Name::Route, route.as_bytes()).finish().unwrap()
        });
        exchange.live(20);
        let challenge = exchange.look(alice).last_response(407);
        exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
        exchange.live(40_000);
        assert_eq!(exchange.look(alice).statuses().last().unwrap(), "403", "{uri} {route}");
        assert!(sent_to(&mut exchange, VICTIM).is_empty(), "{uri} {route}");
    }
}

/// Who proves to be 101 may not move 102's calls to itself.
#[test]
fn nobody_registers_for_another() {
    let (mut exchange, alice, _) = exchange();
    let first = exchange.say(alice, |alice| {
        let register = alice.register(9, 1, 3600);
        register.edit().replace_raw(Name::To, b"<sip:102@example.test>").finish().unwrap()
    });
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(401);
    exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    assert_eq!(exchange.look(alice).statuses().last().unwrap(), "403");
}

/// A request with credentials, caught on the wire, is worth nothing to who caught it.
#[test]
fn credentials_are_good_once() {
    let (mut exchange, alice, bob) = exchange();
    let first = exchange.say(alice, |alice| alice.invite("sip:102@example.test", 7, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&first, &challenge));
    let good = exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    let reached = exchange.look(bob).statuses().iter().filter(|word| *word == "INVITE").count();
    assert_eq!(reached, 1);
    let caught = String::from_utf8(good.wire().to_vec()).unwrap();
    let branch = caught.split("branch=").nth(1).unwrap().split(['\r', ';']).next().unwrap();
    let other_branch = caught.replace(branch, "z9hG4bKcaught");
    let other_call = other_branch.replace("7@198.51.100.2", "other@call");
    let other_method = other_call.replace("INVITE", "MESSAGE");
    let other_target = other_call.replace("sip:102@example.test", "sip:101@example.test");
    for (nth, wire) in [other_branch, other_call, other_method, other_target].iter().enumerate() {
        let source = format!("203.0.113.{}:5060", 20 + nth);
        inject(&mut exchange, &source, wire);
        let answers = sent_to(&mut exchange, source.split(':').next().unwrap());
        let refused = |line: &String| {
            ["401", "407", "403", "482"]
                .iter()
                .any(|status| line.starts_with(&format!("SIP/2.0 {status}")))
        };
        assert!(!answers.is_empty() && answers.iter().all(refused), "{answers:?}\n{wire}");
    }
    let reached = exchange.look(bob).statuses().iter().filter(|word| *word == "INVITE").count();
    assert_eq!(reached, 1, "nobody was called with what was caught");
}

/// Bob answers without the Vias of those before him: his answer leads to nobody, and Alice is told so instead of waiting for ever.
#[test]
fn an_answer_without_our_vias_ends_the_request_and_leaves_nothing() {
    for method in [Method::Invite, Method::Message] {
        for status in [200, 486] {
            let mut exchange = Exchange::with(5, Weather::FAIR, 1, |settings| {
                settings.challenge = vec!["REGISTER".into()];
            });
            let (alice, bob) =
                (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
            exchange.register(bob, 2);
            exchange.say(alice, |alice| {
                let contact = alice.contact();
                let draft = alice.draft(method, "sip:102@example.test", 7, 1);
                read(draft.raw(Name::Contact, contact.as_bytes()))
            });
            exchange.live(20);
            let heard = exchange.look(bob).last_request(method);
            exchange.answer(bob, &heard, |bob, request| {
                let good = read(bob.reply(request, status));
                let first = good.rows(Name::Via).next().unwrap().to_vec();
                let mut edit = good.edit();
                edit.remove_all(Name::Via).append_raw("Via", &first);
                edit.finish().unwrap()
            });
            exchange.live(100);
            let told = exchange.look(alice).statuses();
            assert_eq!(told.last().unwrap(), "502", "{method} {status}: {told:?}");
            exchange.live(100_000);
            exchange.assert_nothing_is_left();
        }
    }
}

/// A nonce of ours that is too old is called stale when the answer is right, so that the phone need not ask its user.
#[test]
fn an_old_nonce_is_stale_and_a_foreign_one_is_not() {
    let (mut exchange, alice, _) = exchange();
    let first = exchange.say(alice, |alice| alice.invite("sip:102@example.test", 7, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.live(24 * 3600 * 1000);
    exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    let again = exchange.look(alice).last_response(407);
    let row = again.rows(Name::ProxyAuthenticate).next().unwrap();
    assert!(String::from_utf8_lossy(row).to_lowercase().contains("stale=true"));
}

/// What comes back to the server by its own Contact goes round once and ends.
#[test]
fn a_registration_that_points_to_the_server_is_no_loop() {
    let (mut exchange, alice, bob) = exchange();
    for target in [format!("sip:102@{SERVER}"), "sip:102@example.test".to_owned()] {
        let first = exchange.say(bob, |bob| {
            let register = bob.register(11, 1, 3600);
            let contact = format!("<{target}>;expires=3600");
            register.edit().replace_raw(Name::Contact, contact.as_bytes()).finish().unwrap()
        });
        exchange.live(20);
        let challenge = exchange.look(bob).last_response(401);
        exchange.say(bob, |bob| bob.again_with_credentials(&first, &challenge));
        exchange.live(20);
    }
    let first = exchange.say(alice, |alice| alice.invite("sip:102@example.test", 7, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&first, &challenge));
    exchange.world.tap_on();
    exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(200_000);
    let server = exchange.server;
    let sent = exchange.world.tap().sightings().filter(|one| one.from == Some(server)).count();
    assert!(sent < 100, "{sent} messages for one call");
}

/// The To of what the server says itself has a tag of its own.
#[test]
fn a_refusal_has_a_to_tag() {
    let (mut exchange, alice, _) = exchange();
    exchange.say(alice, |alice| {
        let to = "sip:nobody@example.test";
        read(alice.draft(Method::Message, to, 3, 1))
    });
    exchange.live(20);
    let refusal = exchange.look(alice).last_response(407);
    assert!(refusal.get::<To>().unwrap().tag().is_some());
}
