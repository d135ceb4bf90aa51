//! §16.1 to §16.3: what a proxy does with every request, and what it refuses.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, answers, method, reply, requests, rows, status, trusting, uri,
};
use server::settings::Trying;
use sip::Name;

fn office() -> (Office, Phone, Phone) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    (office, alice, bob)
}

/// "Any request that is forwarded to more than one location MUST be handled statefully." A repeat makes no second set of branches.
/// "The proxy core MUST behave as a UAS with respect to sending an immediate provisional on that server transaction"
/// Proves: rfc3261-16.1-2, rfc3261-16.1-3, rfc3261-16.2-1, rfc3261-16.6-46.
#[test]
fn trap_43_an_invite_gets_a_100_at_once_and_its_repeat_nothing_else() {
    let (mut office, alice, bob) = office();
    office.register_at(&bob, "<sip:a@198.51.100.21>, <sip:b@198.51.100.22;transport=tcp>");
    let invite = alice.invite("sip:102@example.test");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!((status(&sent), requests(&sent, "INVITE").len()), (100, 3));
    let again = office.receive(alice.flow, invite.wire());
    assert_eq!((status(&again), again.len()), (100, 1));
}

/// "… unless it knows that the TU will generate a provisional or final response within 200 ms" (§17.2.1): who wishes it so has the 100
/// only when nobody has answered by then, and its repeat, which comes after half a second, finds it.
#[test]
fn trap_43_where_it_is_wished_a_100_comes_in_time_and_not_when_a_phone_rings_at_once() {
    let mut settings = trusting();
    settings.proxy.trying = Trying::InTime;
    let mut office = Office::new(settings);
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:102@example.test");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!((answers(&sent, alice.flow).len(), requests(&sent, "INVITE").len()), (0, 1));
    assert!(answers(&office.wait(Duration::from_millis(199)), alice.flow).is_empty());
    assert_eq!(answers(&office.wait(Duration::from_millis(1)), alice.flow), [100]);
    let again = office.receive(alice.flow, invite.wire());
    assert_eq!(answers(&again, alice.flow), [100]);
    let other = alice.invite("sip:102@example.test").call("another");
    let sent = office.receive(alice.flow, other.wire());
    let ringing = reply(&requests(&sent, "INVITE")[0].message, 180, "");
    assert_eq!(answers(&office.receive(bob.flow, ringing), alice.flow), [180]);
    assert!(answers(&office.wait(Duration::from_secs(1)), alice.flow).is_empty());
}

/// "a stateful proxy SHOULD NOT generate 100 (Trying) responses to non-INVITE requests", before RFC 4320 lets it.
/// Proves: rfc3261-16.2-2.
#[test]
fn trap_11_another_request_gets_no_100_before_its_sender_is_slow() {
    let (mut office, alice, _) = office();
    let message = alice.request("MESSAGE", "sip:102@example.test");
    let sent = office.receive(alice.flow, message.wire());
    assert!(answers(&sent, alice.flow).is_empty());
    let sent = office.wait(Duration::from_millis(3499));
    assert!(answers(&sent, alice.flow).is_empty());
    let sent = office.wait(Duration::from_secs(40));
    assert_eq!(answers(&sent, alice.flow), [100], "and no 408 at its end (RFC 4320 §4.2)");
}

/// "For all new requests, including any with unknown methods, an element intending to proxy the request MUST …"
/// "An element MUST NOT refuse to proxy a request because it contains a method or header field it does not know about"; what else stands there "SHOULD be
/// ignored and remain unchanged", well-formed or not.
/// Proves: rfc3261-16.2-3, rfc3261-1-3, rfc3261-1-4.
#[test]
fn trap_19_a_method_that_nobody_knows_is_forwarded_like_any_other() {
    let (mut office, alice, bob) = office();
    let strange = alice.request("FOO.bar", "sip:102@example.test");
    let rows = ["X-Unknown: \"half a quote", "Date: soon;;=", "Accept-Language: ,,"];
    let strange = rows.iter().fold(strange, |strange, row| strange.row(row));
    let sent = office.receive(alice.flow, strange.wire());
    assert_eq!((method(&sent[0]), sent[0].flow), ("FOO.bar", bob.flow));
    let wire = String::from_utf8(sent[0].message.wire().to_vec()).unwrap();
    assert!(rows.iter().all(|row| wire.contains(row)), "{wire}");
    assert_eq!(uri(&sent[0]), bob.contact());
}

/// "Before an element can proxy a request, it MUST verify the message's validity. … If any of these checks fail, the element MUST behave
/// as a user agent server … and respond with an error code": what it needs must be well-formed, the scheme known (416), the hops left (483), the extensions
/// of Proxy-Require its own (420, with those that are not).
/// Proves: rfc3261-16.3-1, rfc3261-16.3-2, rfc3261-1-1, rfc3261-1-2, rfc3261-2-1, rfc3261-3-1, rfc3261-3-2, rfc3261-5-1, rfc3261-5-2.
#[test]
fn what_is_not_valid_is_refused_and_forwarded_to_nobody() {
    let good = Phone::udp(101).invite("sip:102@example.test").wire();
    for (from, to, code) in [
        ("Max-Forwards: 70", "Max-Forwards: 0", 483),
        ("Max-Forwards: 70", "Max-Forwards: many", 400),
        ("sip:102@example.test SIP", "tel-me:102 SIP", 416),
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", 400),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nProxy-Require: magic", 420),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nRoute: nonsense", 400),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nMax-Breadth: 0", 440),
        ("To: ", "X-To: ", 400),
    ] {
        let (mut office, alice, _) = office();
        let sent = office.receive(alice.flow, good.replace(from, to));
        assert_eq!((status(&sent), sent.len()), (code, 1), "{to}");
        let named = rows(&sent, Name::Unsupported);
        assert_eq!(named, if code == 420 { vec!["magic".to_owned()] } else { vec![] }, "{to}");
    }
}

/// `Require` is for the one who is called, not for proxies.
#[test]
fn what_the_callee_must_have_is_not_our_business() {
    let (mut office, alice, bob) = office();
    let invite = alice.invite("sip:102@example.test").row("Require: 100rel, magic");
    let sent = office.receive(alice.flow, invite.wire());
    assert_eq!(
        (sent[1].flow, rows(&sent[1..], Name::Require)),
        (bob.flow, vec!["100rel, magic".into()])
    );
}

/// "a proxy is not required to detect merged requests and MUST NOT treat merged requests as an error condition"
/// Proves: rfc3261-16.3-3.
#[test]
fn a_request_that_comes_by_two_paths_is_forwarded_twice() {
    let (mut office, alice, _) = office();
    let first = alice.invite("sip:102@example.test");
    let mut second = first.clone();
    second.branch += "-other-path";
    for invite in [first, second] {
        let sent = office.receive(alice.flow, invite.wire());
        assert_eq!(requests(&sent, "INVITE").len(), 1);
    }
}
