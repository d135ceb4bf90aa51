//! Phones that ring for long: what is kept of their calls gets small, and they go on as all others do (RFC 3261 §16.7, §16.8, §16.10).

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, method, reply, requests, rows, settings, uri,
};
use sip::Name;

const A_WHILE: Duration = Duration::from_secs(20);

/// 101 calls 102, whose phone has rung for a while, and has said so twice.
fn ringing() -> (Office, Request, Sent) {
    let mut office = Office::new(settings());
    office.register(&Phone::udp(102));
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:102@example.test");
    let sent = office.converse(&alice, &invite);
    let copy = requests(&sent, "INVITE").remove(0);
    for status in [180, 183] {
        let heard = office.receive(copy.flow, reply(&copy.message, status, ""));
        assert_eq!(answers(&heard, alice.flow), [status]);
        assert!(office.wait(A_WHILE).is_empty(), "nothing is to be done meanwhile");
    }
    (office, invite.again(), copy)
}

/// What an ACK and a CANCEL share with their INVITE (§9.1, §17.1.1.3).
fn shared(sent: &Sent) -> (String, Vec<Vec<String>>, Option<u32>) {
    let one = std::slice::from_ref(sent);
    let names = [Name::Via, Name::From, Name::CallId, Name::Route];
    let top = |name| rows(one, name).into_iter().take(1).collect();
    let number = sent.message.get::<sip::header::CSeq>().map(|cseq| cseq.number);
    (uri(sent), names.map(top).into(), number)
}

#[test]
fn who_answers_is_connected() {
    let (mut office, _, copy) = ringing();
    let heard = office.receive(copy.flow, reply(&copy.message, 200, ""));
    assert_eq!(answers(&heard, Phone::udp(101).flow), [200]);
}

#[test]
fn a_repeated_invite_gets_what_was_said_last_octet_for_octet() {
    let (mut office, invite, copy) = ringing();
    let alice = Phone::udp(101).flow;
    let answer = reply(&copy.message, 180, "Contact: <sip:102@198.51.100.2:5060>\r\n");
    let first = office.receive(copy.flow, answer).remove(0).message;
    office.wait(A_WHILE);
    for _ in 0..2 {
        let heard = office.receive(alice, invite.wire());
        assert_eq!(answers(&heard, alice), [180]);
        assert_eq!(heard[0].message.wire(), first.wire());
    }
}

#[test]
fn who_refuses_is_acknowledged_as_it_was_called() {
    let (mut office, _, copy) = ringing();
    let heard = office.receive(copy.flow, reply(&copy.message, 486, ""));
    assert_eq!(answers(&heard, Phone::udp(101).flow), [486]);
    let ack = requests(&heard, "ACK").remove(0);
    assert_eq!((shared(&ack), ack.flow), (shared(&copy), copy.flow));
    assert_eq!(rows(&[ack], Name::Via).len(), 1);
}

#[test]
fn who_is_cancelled_is_told_as_it_was_called() {
    let (mut office, invite, copy) = ringing();
    let cancel = Request { method: "CANCEL".into(), rows: String::new(), ..invite };
    let sent = office.receive(Phone::udp(101).flow, cancel.wire());
    let cancel = requests(&sent, "CANCEL").remove(0);
    assert_eq!((shared(&cancel), cancel.flow), (shared(&copy), copy.flow));
    assert_eq!(rows(&[cancel], Name::To), rows(std::slice::from_ref(&copy), Name::To));
    let heard = office.receive(copy.flow, reply(&copy.message, 487, ""));
    assert_eq!(answers(&heard, Phone::udp(101).flow), [487]);
}

#[test]
fn who_never_answers_is_cancelled() {
    let (mut office, _, copy) = ringing();
    let sent = office.wait(Duration::from_secs(600));
    let cancel = sent.iter().find(|sent| method(sent) == "CANCEL").expect("a CANCEL");
    assert_eq!(shared(cancel), shared(&copy));
    assert!(answers(&sent, Phone::udp(101).flow).contains(&408));
}

#[test]
fn a_phone_that_comes_late_rings_too() {
    let (mut office, _, _) = ringing();
    office.register_at(&Phone::udp(102), "<sip:102@198.51.100.77:5060>");
    let sent = office.locate();
    let copies = requests(&sent, "INVITE");
    assert_eq!(copies.iter().map(uri).collect::<Vec<_>>(), ["sip:102@198.51.100.77:5060"]);
}
