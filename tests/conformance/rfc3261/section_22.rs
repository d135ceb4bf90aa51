//! §22: a server asks who it is.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, method, reply, rows, settings, status};
use protocol::auth::Protection;
use server::settings::Settings;
use sip::header::{AuthParams, ProxyAuthenticate, WwwAuthenticate};
use sip::{Message, Name};

fn asked(challenge: &Message, at: usize) -> AuthParams<'_> {
    let servers = challenge.all::<WwwAuthenticate>().map(|asked| asked.unwrap().0);
    let proxies = challenge.all::<ProxyAuthenticate>().map(|asked| asked.unwrap().0);
    servers.chain(proxies).nth(at).unwrap()
}

fn register(phone: &Phone) -> Request {
    phone.register(&format!("Contact: <{}>\r\n", phone.contact()))
}

/// "registrars and redirect servers MAY make use of 401 (Unauthorized) responses for authentication, but proxies MUST NOT, and instead
/// MAY use the 407" "The WWW-Authenticate response-header field MUST be included in 401" "The proxy MUST populate the 407 … with a
/// Proxy-Authenticate header field" "servers MUST always send a "qop" parameter"
/// Proves: rfc3261-22.1-1, rfc3261-22.1-4, rfc3261-22.2-1, rfc3261-22.3-1, rfc3261-22.4-5, rfc3261-22.3-10, rfc3261-6-1.
#[test]
fn trap_33_a_registrar_asks_with_401_a_proxy_with_407_the_strongest_first() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    for (request, code, name) in [
        (register(&phone), 401, Name::WwwAuthenticate),
        (phone.invite("sip:102@example.test"), 407, Name::ProxyAuthenticate),
        (phone.request("MESSAGE", "sip:102@elsewhere.example"), 407, Name::ProxyAuthenticate),
    ] {
        let sent = office.receive(phone.flow, request.wire());
        assert_eq!(status(&sent), code);
        let algorithms: Vec<_> =
            (0..2).map(|at| asked(&sent[0].message, at).text("algorithm").unwrap()).collect();
        assert_eq!(algorithms, ["SHA-256", "MD5"]);
        assert_eq!(rows(&sent, name).len(), 2);
        for at in 0..2 {
            let asked = asked(&sent[0].message, at);
            assert_eq!(
                (asked.text("qop").unwrap(), asked.text("realm").unwrap()),
                ("auth".into(), "example.test".into())
            );
        }
    }
}

/// Every method of the settings is asked for; what only goes on within a dialog is not, as long as it stays in the house.
/// Proves: rfc3261-22-1.
#[test]
fn trap_35_every_method_that_begins_something_is_challenged() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    for name in ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "OPTIONS"] {
        let sent = office.receive(phone.flow, phone.request(name, "sip:102@example.test").wire());
        assert_eq!(status(&sent), 407, "{name}");
    }
    assert_eq!(status(&office.receive(phone.flow, register(&phone).wire())), 401);
    for name in ["BYE", "INFO", "NOTIFY", "UPDATE", "PRACK", "FOO"] {
        let sent = office.receive(phone.flow, phone.request(name, "sip:102@203.0.113.5").wire());
        assert_eq!(status(&sent), 407, "{name}: nobody relays for strangers");
    }
}

/// "Servers MUST NOT accept credentials using the "Basic" authorization scheme, and servers also MUST NOT challenge with "Basic"."
/// Proves: rfc3261-22-2, rfc3261-22.4-2.
#[test]
fn a_password_in_the_open_is_no_proof() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let basic = register(&phone).row("Authorization: Basic MTAxOnNlY3JldC0xMDE=");
    let sent = office.receive(phone.flow, basic.wire());
    assert_eq!(status(&sent), 401);
    assert!(rows(&sent, Name::WwwAuthenticate).iter().all(|row| row.starts_with("Digest ")));
}

/// "any credentials in the INVITE that were accepted by a server MUST be accepted by that server for the ACK" "Servers MUST NOT attempt
/// to challenge an ACK" "servers MUST NOT attempt to challenge CANCEL requests"
/// Proves: rfc3261-22.1-6, rfc3261-22.1-7, rfc3261-22.1-8, rfc3261-22.1-9.
#[test]
fn trap_35_ack_and_cancel_are_never_challenged() {
    let mut everything = settings();
    everything.challenge.extend(["ACK", "CANCEL", "BYE"].map(Box::from));
    let mut office = Office::new(everything);
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:102@example.test");
    let challenge = office.receive(alice.flow, invite.wire());
    let again = invite.again().row(&alice.credentials(&invite, &challenge[0].message));
    let sent = office.receive(alice.flow, again.wire());
    assert_eq!(status(&sent), 100);
    office.receive(bob.flow, reply(&sent[1].message, 180, ""));
    let mut cancel = again.clone();
    cancel.method = "CANCEL".into();
    cancel.rows = String::new();
    let cancelled = office.receive(alice.flow, cancel.wire());
    assert_eq!((status(&cancelled), method(&cancelled[1])), (200, "CANCEL"));
    let mut ack = alice.request("ACK", "sip:102@198.51.100.2:5060");
    ack.to += ";tag=nobody";
    assert!(office.receive(alice.flow, ack.wire()).is_empty());
}

/// The answer says nothing about who exists, and neither does what was computed for it.
#[test]
fn known_and_unknown_users_get_the_same_answer() {
    let shape = |user: u16| {
        let mut office = Office::default();
        let phone = Phone::udp(user);
        let first = office.receive(phone.flow, register(&phone).wire());
        let mut credentials = phone.credentials(&register(&phone), &first[0].message);
        credentials = credentials.replace("response=\"", "response=\"0");
        let second = office.receive(phone.flow, register(&phone).again().row(&credentials).wire());
        let plain = |sent: &[Sent]| {
            let mut lines = Vec::new();
            for line in String::from_utf8_lossy(sent[0].message.wire()).lines() {
                lines.push(
                    line.split("nonce").next().unwrap().split(";tag").next().unwrap().to_owned(),
                );
            }
            lines
                .join("\n")
                .replace(&user.to_string(), "N")
                .replace(&format!("100.{}:", user % 100), "100.n:")
        };
        (plain(&first), plain(&second))
    };
    assert_eq!(shape(101), shape(199));
}

/// Right credentials open the door; a wrong password, another realm's, another method's or another body's do not.
#[test]
fn trap_33_every_algorithm_and_protection_opens_the_door_and_nothing_else_does() {
    for at in [0, 1] {
        for qop in ["auth", "auth-int", ""] {
            let protection = Protection::RequestOrBody;
            let mut office = Office::new(Settings { protection, ..settings() });
            let phone = Phone::udp(101);
            let request = register(&phone);
            let first = office.receive(phone.flow, request.wire());
            let asked = asked(&first[0].message, at);
            assert_eq!(asked.text("qop").unwrap(), "auth,auth-int");
            let right = format!("Authorization: {}", phone.answer(&request, &asked, (qop, 1)));
            let mut wrong = request.clone();
            for (from, to) in [
                ("response=\"", "response=\"0"),
                ("username=\"101\"", "username=\"102\""),
                ("realm=\"example.test\"", "realm=\"other\""),
                ("uri=\"sip:example.test\"", "uri=\"sip:other.example\""),
            ] {
                wrong = wrong.again();
                let answer = wrong.clone().row(&right.replace(from, to));
                assert_eq!(status(&office.receive(phone.flow, answer.wire())), 401, "{qop} {to}");
            }
            let good = wrong.again().row(&right);
            assert_eq!(status(&office.receive(phone.flow, good.wire())), 200, "{at} {qop}");
        }
    }
}

/// A nonce that is old, or whose count was used, is asked anew, and the phone need not ask its user.
#[test]
fn trap_34_what_was_heard_cannot_be_said_again() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let request = register(&phone);
    let first = office.receive(phone.flow, request.wire());
    let row = |count| {
        format!(
            "Authorization: {}",
            phone.answer(&request, &asked(&first[0].message, 0), ("auth", count))
        )
    };
    let mut next = request.clone();
    let mut say = |office: &mut Office, count| {
        next = next.again();
        let sent = office.receive(phone.flow, next.clone().row(&row(count)).wire());
        (
            status(&sent),
            rows(&sent, Name::WwwAuthenticate).iter().any(|row| row.contains("stale=true")),
        )
    };
    assert_eq!(say(&mut office, 1), (200, false));
    assert_eq!(say(&mut office, 1), (401, true), "a count is good once");
    assert_eq!(say(&mut office, 3), (200, false));
    assert_eq!(say(&mut office, 2), (200, false), "one that was overtaken is good");
    office.wait(Duration::from_secs(301));
    assert_eq!(say(&mut office, 4), (401, true), "a nonce grows old");
}

/// "When multiple proxies are used in a chain, a Proxy-Authorization header field value MUST NOT be consumed by any proxy whose realm
/// does not match" "Proxies MUST NOT add values to the Proxy-Authorization header field."
/// Proves: rfc3261-22.3-2, rfc3261-22.3-8.
#[test]
fn trap_33_credentials_for_us_end_here_and_those_for_others_go_on() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let other = "Proxy-Authorization: Digest username=\"x\", realm=\"other\", nonce=\"n\", uri=\"sip:a\", response=\"r\"";
    let invite = alice.invite("sip:102@example.test").row(other);
    let sent = office.converse(&alice, &invite);
    let copy = &sent[1..];
    assert_eq!(method(&copy[0]), "INVITE");
    assert_eq!(rows(copy, Name::ProxyAuthorization), [other.split_once(": ").unwrap().1]);
}

/// "All 407 (Proxy Authentication Required) responses MUST be forwarded upstream"
/// Proves: rfc3261-22.3-3.
#[test]
fn a_challenge_of_somebody_further_on_reaches_the_caller() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let asks = "Proxy-Authenticate: Digest realm=\"further\", nonce=\"n\"\r\n";
    let sent = office.receive(bob.flow, reply(&sent[1].message, 407, asks));
    let back = sent.iter().find(|sent| sent.flow == alice.flow).unwrap();
    assert_eq!(
        rows(std::slice::from_ref(back), Name::ProxyAuthenticate),
        ["Digest realm=\"further\", nonce=\"n\""]
    );
}

/// "Each WWW-Authenticate and Proxy-Authenticate value received in responses to the forked request MUST be placed into the single
/// response that is sent by the forking proxy to the UA"
/// Proves: rfc3261-22.3-11, rfc3261-16.7-33.
#[test]
fn trap_12_every_challenge_of_a_fork_is_in_the_one_answer() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    let both = "Contact: <sip:a@198.51.100.21>, <sip:b@198.51.100.22>\r\n";
    office.converse(&bob, &bob.register(both));
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let asks =
        |name: &str, realm: &str| format!("{name}: Digest realm=\"{realm}\", nonce=\"n\"\r\n");
    office.receive(bob.flow, reply(&sent[1].message, 401, &asks("WWW-Authenticate", "one")));
    let sent =
        office.receive(bob.flow, reply(&sent[2].message, 407, &asks("Proxy-Authenticate", "two")));
    let back = sent.iter().find(|sent| sent.flow == alice.flow).unwrap();
    let back = std::slice::from_ref(back);
    assert_eq!(
        rows(back, Name::WwwAuthenticate).len() + rows(back, Name::ProxyAuthenticate).len(),
        2
    );
}

/// "SIP servers supporting RFC 2617 MUST ensure they are backwards compatible with RFC 2069": an answer without qop is good, once.
/// Proves: rfc3261-22.4-1, rfc3261-22.4-7.
#[test]
fn an_old_phone_that_knows_no_qop_is_let_in_once_a_nonce() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let request = register(&phone);
    let first = office.receive(phone.flow, request.wire());
    let row =
        format!("Authorization: {}", phone.answer(&request, &asked(&first[0].message, 1), ("", 1)));
    let second = request.again().row(&row);
    assert_eq!(status(&office.receive(phone.flow, second.wire())), 200);
    let third = request.again().again().row(&row);
    assert_eq!(status(&office.receive(phone.flow, third.wire())), 401);
}

/// The From must belong to the credentials; who hides its name claims nobody's.
#[test]
fn trap_36_a_caller_cannot_borrow_a_name() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let mut invite = alice.invite("sip:102@example.test");
    invite.from = "<sip:109@example.test>;tag=1".into();
    assert_eq!(status(&office.converse(&alice, &invite)), 403);
    let mut invite = invite.again().again();
    invite.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1".into();
    assert_eq!(status(&office.converse(&alice, &invite)), 100);
}
