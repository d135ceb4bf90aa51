//! Traps 25 and 53: when two addresses are one.

use offhook_tests::office::{Office, Phone, requests, rows, settings, trusting, uri};
use server::Settings;
use server::settings::{Route, User};
use sip::uri::same;
use sip::{Name, Uri};

/// Trap 25: the comparison of RFC 3261 §19.1.4: the user has a case, the host has none; escapes mean what they stand for; some
/// parameters must be in both, others not.
#[test]
fn trap_25_when_uris_are_the_same() {
    let are = |a: &str, b: &str| {
        let (a, b) = (Uri::parse(a.as_bytes()).unwrap(), Uri::parse(b.as_bytes()).unwrap());
        assert_eq!(same(&a, &b), same(&b, &a), "in both directions");
        same(&a, &b)
    };
    for (a, b) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER",
            "sip:biloxi.com;method=REGISTER;transport=tcp",
        ),
        ("sip:a@h?x=1&y=2", "sip:a@h?y=2&x=1"),
    ] {
        assert!(are(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("SIP:ALICE@AtLanTa.CoM", "sip:alice@atlanta.com"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "sip:a:password@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;ttl=1", "sip:a@h"),
    ] {
        assert!(!are(a, b), "{a} {b}");
    }
}

/// Trap 25: a registrar compares by these rules: the same place written otherwise is one binding.
#[test]
fn trap_25_a_place_written_otherwise_is_one_binding() {
    let mut office = Office::new(trusting());
    let bob = Phone::udp(102);
    for contact in
        ["<sip:102@HOST.test;x=y>", "<sip:%3102@host.test>", "\"Bob\" <sip:102@Host.Test>;q=0.5"]
    {
        office.register_at(&bob, contact);
    }
    let mut look = bob.register("");
    look.cseq = 1000;
    let listed = office.receive(bob.flow, look.wire());
    assert_eq!(rows(&listed, Name::Contact).len(), 1);
    office.register_at(&bob, "<sip:102@host.test:5060>");
    look.cseq = 2000;
    look.branch += "x";
    assert_eq!(rows(&office.receive(bob.flow, look.wire()), Name::Contact).len(), 2);
}

/// Trap 53: separators in a number are for the eye; a global number is one number, however it is written; a local one needs its context.
#[test]
fn trap_53_numbers_are_compared_by_their_digits() {
    let route = Route::prefix("+44", "sip:gateway@203.0.113.9");
    let users = vec![User::new("+15551234567", "x")];
    let mut office =
        Office::new(Settings { routes: vec![route], users, challenge: Vec::new(), ..settings() });
    let alice = Phone::udp(101);
    let written = ["tel:+44-20-7946-0000", "tel:+44.20(7946)0000", "tel:+442079460000;isub=1"];
    for (nth, number) in written.into_iter().enumerate() {
        let call = format!("{nth}");
        let sent = office.receive(alice.flow, alice.invite(number).call(&call).wire());
        let invite = requests(&sent, "INVITE").remove(0);
        // RFC 3261 §19.1.6: its parameters go on with it.
        let isub = if number.contains("isub") { ";isub=1" } else { "" };
        assert_eq!(uri(&invite), format!("sip:+442079460000{isub}@203.0.113.9;user=phone"));
    }
    let mut phone = Phone::udp(105);
    phone.user = "+15551234567".into();
    office.register(&phone);
    for number in ["tel:+1-555-123-4567", "tel:+1(555)1234567"] {
        let sent = office.receive(alice.flow, alice.invite(number).call(number).wire());
        assert_eq!(requests(&sent, "INVITE")[0].flow, phone.flow, "{number}");
    }
    let foreign = alice.invite("tel:4567;phone-context=other.example").call("foreign");
    let sent = office.receive(alice.flow, foreign.wire());
    assert!(requests(&sent, "INVITE").is_empty(), "a number of somebody else's");
    let are = |a: &str, b: &str| {
        same(&Uri::parse(a.as_bytes()).unwrap(), &Uri::parse(b.as_bytes()).unwrap())
    };
    assert!(
        are("tel:+1-555-1", "tel:+15551")
            && are("tel:7;phone-context=A.b", "tel:7;phone-context=a.B")
    );
    assert!(!are("tel:+15551", "tel:15551;phone-context=+1") && !are("tel:+1;isub=1", "tel:+1"));
}
