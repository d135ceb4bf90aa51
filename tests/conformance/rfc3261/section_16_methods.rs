//! §16: every method passes, outside of a dialog and within, in both directions; the proxy knows what begins a dialog, and nothing else
//! of what they mean (RFC 3262, 3311, 3428, 3515, 6086, 6665).

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, method, reply, requests, rows, status, uri,
};
use sip::{Message, Name};

/// A call between 101 and 102 that rings, or is up; the response that 101 got, and the INVITE that 102 got.
fn call(code: u16) -> (Office, [Phone; 2], Message, Message) {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&alice);
    office.register(&bob);
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    let invite = requests(&sent, "INVITE").remove(0).message;
    let contact = format!("Contact: <{}>\r\nRequire: 100rel\r\nRSeq: 1\r\n", bob.contact());
    let sent = office.receive(bob.flow, reply(&invite, code, &contact));
    (office, [alice, bob], sent[0].message.clone(), invite)
}

/// A request within that call: of the caller by the routes of the response, of the callee by those of the INVITE.
fn within(from: &Phone, to: &Phone, name: &str, routes: &Message) -> Request {
    let mut request = from.request(name, &to.contact());
    let tags = [";tag=from-101", ";tag=to-tag"];
    let [near, far] = if from.user == "101" { tags } else { [tags[1], tags[0]] };
    request.from = format!("<sip:{}@example.test>{near}", from.user);
    request.to = format!("<sip:{}@example.test>{far}", to.user);
    request.call_id = "call-of-101".into();
    request.cseq = 3;
    let routes =
        routes.rows(Name::RecordRoute).map(|row| String::from_utf8_lossy(row).into_owned());
    request.row(&format!("Route: {}", routes.collect::<Vec<_>>().join(", ")))
}

/// Sends it; it arrives as it was sent but for what §16.6 changes, and its 200 comes back. Nobody is asked who it is: the call was let pass.
fn passes(office: &mut Office, from: &Phone, to: &Phone, request: &Request) -> Sent {
    let name = &request.method;
    let sent = office.receive(from.flow, request.wire());
    let copy = requests(&sent, name).pop().unwrap_or_else(|| panic!("{name}: {sent:?}"));
    assert_eq!((copy.flow, uri(&copy)), (to.flow, to.contact()), "{name}");
    assert_eq!(copy.message.body(), request.body.as_bytes(), "{name}");
    for row in request.rows.lines().filter(|row| !row.starts_with("Route")) {
        assert!(String::from_utf8_lossy(copy.message.wire()).contains(row), "{name}: {row}");
    }
    let sent = office.receive(to.flow, reply(&copy.message, 200, ""));
    assert_eq!(answers(&sent, from.flow), [200], "{name}");
    copy
}

#[test]
fn within_a_call_every_method_passes_in_both_directions() {
    for (name, row, begins) in [
        ("UPDATE", "Contact: <sip:x@198.51.100.9>", true),
        ("INFO", "Info-Package: dtmf", false),
        ("REFER", "Refer-To: <sip:103@example.test>", true),
        ("NOTIFY", "Event: refer", true),
        ("SUBSCRIBE", "Event: dialog", true),
        ("MESSAGE", "Content-Type: text/plain", false),
        ("OPTIONS", "Accept: application/sdp", false),
        ("PUBLISH", "Event: presence", false),
        ("BYE", "Reason: Q.850;cause=16;text=\"Terminated\"", false),
        ("CHEER", "X-Loud: yes", true),
    ] {
        for caller in [true, false] {
            let (mut office, [alice, bob], ok, invite) = call(200);
            let (from, to, routes) =
                if caller { (&alice, &bob, &ok) } else { (&bob, &alice, &invite) };
            let mut request = within(from, to, name, routes).row(row);
            request.body = "any\r\n".into();
            let copy = passes(&mut office, from, to, &request);
            assert_eq!(copy.message.has(Name::RecordRoute), begins, "{name}");
        }
    }
}

/// While it rings: a PRACK with its RAck, and an UPDATE, go to the phone that rings.
#[test]
fn before_a_call_is_answered_prack_and_update_pass() {
    let (mut office, [alice, bob], ringing, _) = call(183);
    assert_eq!(ringing.rows(Name::RSeq).count(), 1);
    for (name, row) in [("PRACK", "RAck: 1 1 INVITE"), ("UPDATE", "Supported: timer")] {
        passes(&mut office, &alice, &bob, &within(&alice, &bob, name, &ringing).row(row));
    }
}

/// Outside of a call they pass, too, from whoever has proven who it is.
#[test]
fn outside_of_a_call_every_method_passes() {
    for name in ["MESSAGE", "REFER", "SUBSCRIBE", "OPTIONS", "PUBLISH", "INFO", "NOTIFY", "CHEER"] {
        let mut office = Office::default();
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register(&bob);
        let request = alice.request(name, "sip:102@example.test").row("Event: presence");
        assert_eq!(status(&office.receive(alice.flow, request.wire())), 407, "{name}");
        let sent = office.converse(&alice, &request);
        let copy = requests(&sent, name).pop().unwrap_or_else(|| panic!("{name}: {sent:?}"));
        let sent = office.receive(bob.flow, reply(&copy.message, 200, ""));
        assert_eq!(answers(&sent, alice.flow), [200], "{name}");
    }
}

/// RFC 6665 §4.3: a SUBSCRIBE that forks has one 200, of whoever was first; but the NOTIFY of every phone reaches the subscriber, each
/// in its own dialog, also before that 200.
#[test]
fn a_subscription_that_forks_hears_every_phone() {
    let mut office = Office::default();
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>");
    let row = format!("Contact: <{}>\r\nEvent: dialog", alice.contact());
    let subscribe = alice.request("SUBSCRIBE", "sip:102@example.test").row(&row);
    let copies = requests(&office.converse(&alice, &subscribe), "SUBSCRIBE");
    assert_eq!(copies.len(), 2);
    let mut oks = Vec::new();
    for (number, copy) in copies.iter().enumerate() {
        let phone = Phone { user: "102".into(), flow: copy.flow };
        let mut notify = within(&phone, &alice, "NOTIFY", &copy.message).row("Event: dialog");
        notify.from = format!("<sip:102@example.test>;tag=phone-{number}");
        notify.branch += &number.to_string();
        notify.call_id = String::from_utf8_lossy(copy.message.call_id()).into_owned();
        let sent = office.receive(phone.flow, notify.wire());
        let arrived = requests(&sent, "NOTIFY");
        assert_eq!((arrived.len(), arrived[0].flow), (1, alice.flow), "{sent:?}");
        let back = office.receive(alice.flow, reply(&arrived[0].message, 200, ""));
        assert_eq!(answers(&back, phone.flow), [200]);
        oks.extend(office.receive(copy.flow, reply(&copy.message, 200, "")));
    }
    assert_eq!(answers(&oks, alice.flow), [200], "one answer, and no more");
    assert!(oks.iter().all(|sent| method(sent).is_empty()), "nothing but an INVITE is cancelled");
    assert!(rows(&oks, Name::RecordRoute)[0].contains("192.0.2.10"));
}

/// Who writes no Max-Forwards gets one (§16.6 step 3).
#[test]
fn trap_46_whoever_counts_no_hops_gets_seventy() {
    let (mut office, [alice, bob], ok, _) = call(200);
    let wire = within(&alice, &bob, "INFO", &ok).wire().replace("Max-Forwards: 70\r\n", "");
    assert!(!wire.contains("Max-Forwards"));
    let copy = requests(&office.receive(alice.flow, wire), "INFO").remove(0);
    assert_eq!(rows(&[copy], Name::MaxForwards), ["70"]);
}
