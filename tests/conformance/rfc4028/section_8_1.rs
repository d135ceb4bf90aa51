//! §8, §8.1: what a proxy writes into requests.

use offhook_tests::office::{Office, Phone, Sent, reply, requests, trusting};
use sip::{Message, Name};

use super::{forwarded, invite, office};

fn said(copy: &Sent) -> (Vec<String>, Vec<String>) {
    let rows = |name| {
        let rows = copy.message.rows(name);
        rows.map(|row| String::from_utf8_lossy(row).into_owned()).collect()
    };
    (rows(Name::SessionExpires), rows(Name::MinSe))
}

/// "Proxies that ask for session timers SHOULD record-route"; "The proxy MUST NOT include a refresher parameter"; "MAY reduce its value but
/// MUST NOT set it to a duration lower than the value in the Min-SE"; "If the value … is greater than or equal to the value in the Min-SE …, the
/// proxy MUST NOT increase"; "is lower than the value of the Min-SE …, the proxy MUST increase"; "MUST NOT insert or modify the value of the
/// 'refresher' parameter"; without timer "the proxy SHOULD insert a Min-SE header field containing its minimum interval. If a Min-SE header field
/// is already present, the proxy SHOULD increase (but MUST NOT decrease) the value …. MUST then increase the Session-Expires"; with timer "MUST
/// NOT insert a Min-SE header field or modify the value of an existing"
/// Proves: rfc4028-8-2, rfc4028-8.1-1, rfc4028-8.1-2, rfc4028-8.1-3, rfc4028-8.1-4, rfc4028-8.1-5, rfc4028-8.1-8, rfc4028-8.1-9,
/// rfc4028-8.1-10, rfc4028-8.1-11.
#[test]
fn a_session_timer_is_asked_for_and_nobodys_minimum_is_broken() {
    for (rows, expires, min) in [
        ("", "1800", None),
        ("Supported: timer\r\n", "1800", None),
        ("Session-Expires: 7200;refresher=uac\r\n", "1800;refresher=uac", None),
        (
            "Session-Expires: 7200;refresher=uas\r\nMin-SE: 3600\r\n",
            "3600;refresher=uas",
            Some("3600"),
        ),
        ("Supported: timer\r\nSession-Expires: 400\r\nMin-SE: 95\r\n", "400", Some("95")),
        ("Session-Expires: 400\r\nMin-SE: 500\r\n", "500", Some("500")),
        ("Session-Expires: 100;refresher=uas\r\n", "300;refresher=uas", Some("300")),
        ("Session-Expires: 100\r\nMin-SE: 100\r\n", "300", Some("300")),
        ("Session-Expires: 100\r\nMin-SE: 900\r\n", "900", Some("900")),
        ("Supported: timer\r\nMin-SE: 2000\r\n", "2000", Some("2000")),
    ] {
        let copy = forwarded(&mut office(), rows);
        let expected = (vec![expires.to_owned()], min.map(str::to_owned).into_iter().collect());
        assert_eq!(said(&copy), expected, "{rows}");
        assert!(copy.message.has(Name::RecordRoute) && !copy.message.has(Name::Require));
    }
}

/// "Stateless proxies MUST NOT attempt to request session timers", and who was not told to does not: what the phones want passes.
/// Proves: rfc4028-8-1.
#[test]
fn without_a_setting_what_phones_want_passes_untouched() {
    let mut office = Office::new(trusting());
    office.register(&Phone::udp(102));
    let rows = "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nMin-SE: 90\r\n";
    let copy = forwarded(&mut office, rows);
    assert_eq!(said(&copy), (vec!["90;refresher=uas".into()], vec!["90".into()]));
    let sent = office.receive(copy.flow, reply(&copy.message, 200, ""));
    assert!(!sent[0].message.has(Name::SessionExpires) && !sent[0].message.has(Name::Require));
}

/// A refresh asks again, and so does an UPDATE; nothing else is a session.
#[test]
fn every_refresh_asks_and_nothing_else_does() {
    let (mut office, alice, bob) = (office(), Phone::udp(101), Phone::udp(102));
    let copy = forwarded(&mut office, "");
    let ok = reply(&copy.message, 200, &format!("Contact: <{}>\r\n", bob.contact()));
    let ok = office.receive(bob.flow, ok).remove(0).message;
    for (method, asks) in [("INVITE", true), ("UPDATE", true), ("INFO", false), ("BYE", false)] {
        let sent = office.receive(alice.flow, within(&alice, method, &ok));
        let copy = requests(&sent, method).pop().unwrap_or_else(|| panic!("{method}: {sent:?}"));
        assert_eq!(copy.message.has(Name::SessionExpires), asks, "{method}");
    }
    let options = alice.request("OPTIONS", "sip:102@example.test");
    let sent = requests(&office.receive(alice.flow, options.wire()), "OPTIONS");
    assert!(!sent[0].message.has(Name::SessionExpires));
    assert!(!invite("").wire().contains("Session-Expires"));
}

/// A request of alice within the call that this 200 began.
fn within(alice: &Phone, method: &str, ok: &Message) -> String {
    let mut request = alice.request(method, &Phone::udp(102).contact());
    request.to = "<sip:102@example.test>;tag=to-tag".into();
    request.cseq = 2;
    request.branch += "-within";
    let routes = ok.rows(Name::RecordRoute).map(|row| String::from_utf8_lossy(row).into_owned());
    let routes: Vec<_> = routes.collect();
    request.row(&format!("Route: {}", routes.join(", "))).wire()
}
