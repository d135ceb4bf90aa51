//! §20: which headers stand in what we write, and what comes of those that should not have come.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::Exchange;
use offhook_tests::office::{Office, Phone, rows, settings, status, trusting};
use protocol::Transport;
use server::Settings;
use sim::Weather;
use sip::{Message, Method, Name};

/// "The header field SHOULD be sent, but clients/servers need to be prepared to receive messages without that header field."
/// Proves: rfc3261-20-1, rfc3261-20-2.
#[test]
fn what_should_be_there_may_be_missing_and_we_write_it() {
    let mut office = Office::new(trusting());
    let phone = Phone::udp(101);
    let wire = phone.request("OPTIONS", "sip:example.test").wire();
    let bare = wire.replace("Max-Forwards: 70\r\n", "").replace("Content-Length: 0\r\n", "");
    let sent = office.receive(phone.flow, bare);
    assert_eq!(status(&sent), 200);
    for name in [
        Name::Allow,
        Name::Accept,
        Name::AcceptEncoding,
        Name::AcceptLanguage,
        Name::Supported,
        Name::ContentLength,
    ] {
        assert!(sent[0].message.has(name), "{name:?}");
    }
}

/// "A mandatory response header field MUST be present in the response"
/// Proves: rfc3261-20-5.
#[test]
fn a_refusal_has_the_header_that_it_needs() {
    let phone = Phone::udp(101);
    let (open, closed) = (trusting(), settings());
    let options = |rows: &str| phone.request("OPTIONS", "sip:example.test").call(rows).row(rows);
    let mut body = options("Content-Type: a/b");
    body.body = "x".into();
    for (house, request, code, name) in [
        (&closed, options("X: 401"), 401, Name::WwwAuthenticate),
        (&closed, phone.request("MESSAGE", "sip:102@example.test"), 407, Name::ProxyAuthenticate),
        (&open, phone.request("FOO", "sip:example.test"), 405, Name::Allow),
        (&open, body, 415, Name::Accept),
        (&open, options("Require: foo"), 420, Name::Unsupported),
        (&open, phone.register("Contact: <sip:a@b>;expires=1\r\n"), 423, Name::MinExpires),
    ] {
        let sent = Office::new(house.clone()).receive(phone.flow, request.wire());
        assert_eq!((status(&sent), sent[0].message.has(name)), (code, true), "{name:?}");
    }
}

/// Headers that stand in requests only, and in responses only.
const OF_REQUESTS: [Name; 9] = [
    Name::MaxForwards,
    Name::Route,
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::ProxyRequire,
    Name::Priority,
    Name::InReplyTo,
    Name::MaxBreadth,
    Name::Subject,
];
const OF_RESPONSES: [Name; 8] = [
    Name::WwwAuthenticate,
    Name::ProxyAuthenticate,
    Name::Unsupported,
    Name::MinExpires,
    Name::RetryAfter,
    Name::AuthenticationInfo,
    Name::ErrorInfo,
    Name::Server,
];

/// "Not applicable" means that the header field MUST NOT be present in a request. If one is placed in a request by mistake, it MUST be
/// ignored by the UAS" "a header field labeled "not applicable" for a response means that the UAS MUST NOT place the header field in the
/// response, and the UAC MUST ignore the header field in the response."
/// Proves: rfc3261-20-6, rfc3261-20-7, rfc3261-20-8.
#[test]
fn what_does_not_belong_there_is_not_written_and_does_no_harm() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let bob = exchange.puppet("102", Transport::Udp);
    exchange.register(bob, 1);
    exchange.sign_on(&[alice]);
    let call = exchange.dial(alice, "102", Wish::default());
    exchange.live(100);
    let invite = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &invite, |bob, invite| {
        let mut odd = bob.accept(invite);
        for name in OF_REQUESTS {
            odd = odd.edit().append_raw(name.as_str(), b"0").finish().unwrap();
        }
        odd
    });
    exchange.live(1000);
    assert!(exchange.attendant(alice).was_up(call), "the phone ignores them");
    for id in [alice, exchange.server] {
        for (_, message) in exchange.sent_by(id) {
            let (wrong, ours): (&[Name], _) = if message.is_request() {
                (&OF_RESPONSES, true)
            } else {
                // What is forwarded stays as it came; our own have no Contact of Bob's.
                (&OF_REQUESTS, !message.has(Name::RecordRoute))
            };
            assert!(!ours || wrong.iter().all(|name| !message.has(*name)), "{message:?}");
        }
    }
    let mut office = Office::new(trusting());
    let phone = Phone::udp(101);
    let mut request = phone.request("OPTIONS", "sip:example.test");
    for name in OF_RESPONSES {
        request = request.row(&format!("{}: 0", name.as_str()));
    }
    assert_eq!(status(&office.receive(phone.flow, request.wire())), 200, "the server ignores them");
}

/// "if no Accept header field is present, the server SHOULD assume a default value of application/sdp" "If no Accept-Encoding header field
/// is present, the server SHOULD assume a default value of identity" "If no Accept-Language … all languages are acceptable" "The absence of an
/// Allow header field MUST NOT be interpreted to mean that the UA sending the message supports no methods."
/// Proves: rfc3261-20.1-1, rfc3261-20.2-1, rfc3261-20.3-1, rfc3261-20.5-2.
#[test]
fn who_says_nothing_of_its_abilities_has_the_usual_ones() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.puppet("101", Transport::Udp);
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.register(alice, 1);
    exchange.sign_on(&[bob]);
    let invite = exchange.say(alice, |alice| alice.invite("sip:102@example.test", 7, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&invite, &challenge));
    let invite = exchange.say(alice, |alice| alice.again_with_credentials(&invite, &challenge));
    for name in [Name::Accept, Name::AcceptEncoding, Name::AcceptLanguage, Name::Allow] {
        assert!(!invite.has(name));
    }
    exchange.live(1500);
    let answer = exchange.look(alice).last_response(200);
    assert_eq!(answer.rows(Name::ContentType).next(), Some(&b"application/sdp"[..]));
    assert!(!answer.has(Name::ContentEncoding) && !answer.has(Name::ContentLanguage));
    exchange.say_in_call(alice, |alice| alice.ack(&invite, &answer));
    exchange.live(100);
    let call = exchange.attendant(bob).incoming().unwrap();
    exchange.by_hand(bob, |phone, now, out| phone.hold(now, call, out)).unwrap();
    exchange.live(100);
    let (_, hold) = exchange.look(alice).last_request(Method::Invite);
    assert!(String::from_utf8_lossy(hold.body()).contains("a=sendonly"));
}

/// The option tags of standards-track RFCs that we could have.
const TAGS: [&str; 12] = [
    "path",
    "gruu",
    "outbound",
    "timer",
    "replaces",
    "100rel",
    "norefersub",
    "join",
    "tdialog",
    "eventlist",
    "pref",
    "histinfo",
];

/// "A UAC/UA compliant to this specification MUST only include option tags corresponding to standards-track RFCs."
/// Proves: rfc3261-20.32-3, rfc3261-20.37-1.
#[test]
fn every_option_tag_of_ours_is_of_a_standards_track_rfc() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let bob = exchange.phone("102", Transport::Tcp, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    exchange.dial(alice, "102", Wish { patience: None, talk: Some(Duration::from_secs(2)) });
    exchange.live(5000);
    let mut all: Vec<Message> = [alice, bob, exchange.server]
        .into_iter()
        .flat_map(|id| exchange.sent_by(id))
        .map(|(_, message)| message)
        .collect();
    let mut office = Office::new(trusting());
    let phone = Phone::udp(101);
    let sent = office.receive(phone.flow, phone.request("OPTIONS", "sip:example.test").wire());
    all.extend(sent.into_iter().map(|sent| sent.message));
    let mut seen = 0;
    for message in &all {
        for name in [Name::Supported, Name::Require, Name::ProxyRequire, Name::Unsupported] {
            for tag in message.elements(name).filter(|tag| !tag.is_empty()) {
                let tag = String::from_utf8_lossy(tag);
                assert!(TAGS.contains(&&*tag), "{tag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1, "{seen}");
}

/// "Implementers SHOULD make the Server header field a configurable option."
/// Proves: rfc3261-20.35-1.
#[test]
fn a_server_says_its_name_or_nothing() {
    for software in ["", "A PBX/1.0 (quiet)"] {
        let mut office = Office::new(Settings { software: software.into(), ..trusting() });
        let phone = Phone::udp(101);
        let sent = office.receive(phone.flow, phone.request("OPTIONS", "sip:example.test").wire());
        let expected: Vec<&str> =
            Some(software).filter(|name| !name.is_empty()).into_iter().collect();
        assert_eq!(rows(&sent, Name::Server), expected);
    }
}
