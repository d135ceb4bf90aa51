//! §16.8 to §16.10: timer C, transport errors, CANCEL.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, found, method, reply, requests, rows, status, trusting,
};
use protocol::Input;
use sip::Name;

fn call(contacts: &str) -> (Office, Phone, Request, Vec<Sent>) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, contacts);
    let invite = alice.invite("sip:102@example.test");
    let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
    (office, alice, invite, copies)
}

const ONE: &str = "<sip:a@198.51.100.21>";
const TWO: &str = "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>";

fn answer(office: &mut Office, to: &Sent, code: u16) -> Vec<Sent> {
    office.receive(to.flow, reply(&to.message, code, ""))
}

fn cancel(office: &mut Office, alice: &Phone, invite: &Request) -> Vec<Sent> {
    let mut cancel = invite.clone();
    cancel.method = "CANCEL".into();
    cancel.rows = String::new();
    cancel.body = String::new();
    office.receive(alice.flow, cancel.wire())
}

/// "If timer C should fire, the proxy MUST either reset the timer with any value it chooses, or terminate the client transaction. If the client
/// transaction has received a provisional response, the proxy MUST generate a CANCEL request matching that transaction."
/// Proves: rfc3261-16.8-1, rfc3261-16.8-2.
#[test]
fn trap_10_what_rings_too_long_is_cancelled_and_the_caller_told() {
    let (mut office, alice, _, copies) = call(ONE);
    answer(&mut office, &copies[0], 180);
    let sent = office.wait(Duration::from_secs(201));
    let cancels = requests(&sent, "CANCEL");
    assert_eq!((cancels[0].flow, answers(&sent, alice.flow).len()), (copies[0].flow, 0));
    let branch = |sent: &Sent| rows(std::slice::from_ref(sent), Name::Via)[0].clone();
    assert_eq!(branch(&cancels[0]), branch(&copies[0]));
    assert_eq!(answers(&answer(&mut office, &copies[0], 487), alice.flow), [487]);
    // One that does not even answer the CANCEL is given up after 64·T1 (§9.1).
    let (mut office, alice, _, copies) = call(ONE);
    answer(&mut office, &copies[0], 180);
    let sent = office.wait(Duration::from_secs(201 + 33));
    assert_eq!(answers(&sent, alice.flow).first(), Some(&408));
    office.wait(Duration::from_secs(200));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}

/// "If the client transaction has not received a provisional response, the proxy MUST behave as if the transaction received a 408"
/// Proves: rfc3261-16.8-3.
#[test]
fn trap_10_what_never_gives_a_sign_of_life_is_a_408() {
    let (mut office, alice, _, _) = call("<sip:a@198.51.100.21>, <sip:b@198.51.100.22>;q=0.1");
    let sent = office.wait(Duration::from_secs(33));
    assert_eq!(
        requests(&sent, "INVITE").last().unwrap().flow.peer.ip().to_string(),
        "198.51.100.22",
        "the next one is tried"
    );
    let sent = office.wait(Duration::from_secs(33));
    assert_eq!(answers(&sent, alice.flow).first(), Some(&408));
}

/// "If the transport layer notifies a proxy of an error when it tries to forward a request …, the proxy MUST behave as if the forwarded request
/// received a 503 (Service Unavailable) response." "The proxy SHOULD NOT cancel any outstanding client transactions … due to this notification."
/// Proves: rfc3261-16.9-1, rfc3261-16.9-2.
#[test]
fn a_phone_that_cannot_be_reached_is_a_503_and_the_others_ring_on() {
    let (mut office, alice, _, copies) = call(TWO);
    let sent = office.tell(Input::Failed(copies[0].flow));
    assert!(sent.is_empty());
    assert_eq!(answers(&answer(&mut office, &copies[1], 180), alice.flow), [180]);
    assert_eq!(answers(&answer(&mut office, &copies[1], 200), alice.flow), [200]);
    let (mut office, alice, _, copies) = call(ONE);
    assert_eq!(answers(&office.tell(Input::Failed(copies[0].flow)), alice.flow), [500]);
}

/// "A proxy MUST cancel any pending client transactions associated with a response context when it receives a matching CANCEL request. … the
/// element MUST immediately return a 200 (OK) response to the CANCEL request. … the element MUST generate CANCEL requests for all pending client
/// transactions in the context"
/// Proves: rfc3261-16.10-1, rfc3261-16.10-2, rfc3261-16.10-3.
#[test]
fn trap_1_a_cancel_reaches_every_phone_that_rings() {
    let (mut office, alice, invite, copies) = call(TWO);
    for copy in &copies {
        answer(&mut office, copy, 180);
    }
    let sent = cancel(&mut office, &alice, &invite);
    assert_eq!(answers(&sent, alice.flow), [200]);
    let flows: Vec<_> = requests(&sent, "CANCEL").iter().map(|sent| sent.flow).collect();
    assert_eq!(flows, [copies[0].flow, copies[1].flow]);
    assert!(answers(&answer(&mut office, &copies[0], 487), alice.flow).is_empty());
    assert_eq!(answers(&answer(&mut office, &copies[1], 487), alice.flow), [487]);
}

/// A CANCEL waits for a sign of life (§9.1), finds no later target, and comes too late after an answer.
#[test]
fn trap_1_a_cancel_in_every_state() {
    // Nothing heard yet: it goes as soon as something is.
    let (mut office, alice, invite, copies) =
        call("<sip:a@198.51.100.21>, <sip:b@198.51.100.22>;q=0.1");
    assert_eq!(answers(&cancel(&mut office, &alice, &invite), alice.flow), [200]);
    let sent = answer(&mut office, &copies[0], 180);
    assert_eq!((method(&sent[0]), sent.len()), ("CANCEL", 1));
    let sent = answer(&mut office, &copies[0], 487);
    assert_eq!((answers(&sent, alice.flow), requests(&sent, "INVITE").len()), (vec![487], 0));
    // A 200 that crosses it: the caller gets it, to hang up.
    let (mut office, alice, invite, copies) = call(ONE);
    answer(&mut office, &copies[0], 180);
    cancel(&mut office, &alice, &invite);
    assert_eq!(answers(&answer(&mut office, &copies[0], 200), alice.flow), [200]);
    // After the answer there is nothing left to cancel.
    let (mut office, alice, invite, copies) = call(ONE);
    answer(&mut office, &copies[0], 200);
    let sent = cancel(&mut office, &alice, &invite);
    assert_eq!((answers(&sent, alice.flow), sent.len()), (vec![200], 1));
    // While a name is looked up; the answer that comes later changes nothing.
    let mut office = Office::new(trusting());
    let invite = alice.invite("sip:bob@other.example");
    office.receive(alice.flow, invite.wire());
    assert_eq!(answers(&cancel(&mut office, &alice, &invite), alice.flow), [200, 487]);
    let (ticket, _) = office.asked.pop().unwrap();
    let late = found(&[(protocol::Transport::Udp, "203.0.113.1:5060")]);
    assert!(office.tell(Input::Answered(ticket, late)).is_empty());
    // Nobody ever gives a sign of life: the caller has hung up, and is told so.
    let (mut office, alice, invite, _) = call(ONE);
    cancel(&mut office, &alice, &invite);
    assert_eq!(answers(&office.wait(Duration::from_secs(33)), alice.flow).first(), Some(&487));
}

/// A CANCEL for nothing that we know is told so (§9.2).
#[test]
fn trap_1_a_cancel_for_nothing() {
    let mut office = Office::new(trusting());
    let alice = Phone::udp(101);
    let sent = cancel(&mut office, &alice, &alice.invite("sip:102@example.test"));
    assert_eq!((status(&sent), sent.len()), (481, 1));
}

/// A phone that stopped ringing because another one was answered shows no missed call when it is told why (RFC 3326).
#[test]
fn a_phone_is_told_that_another_one_was_answered() {
    let (mut office, _, _, copies) = call(TWO);
    for copy in &copies {
        answer(&mut office, copy, 180);
    }
    let cancels = requests(&answer(&mut office, &copies[0], 200), "CANCEL");
    assert_eq!(rows(&cancels, Name::Reason), [r#"SIP;cause=200;text="Call completed elsewhere""#]);
}

/// And why else nobody wants it any more (RFC 3326 §2): what the caller says passes, what we know we say; also to a phone that rings later.
#[test]
fn a_cancel_says_why() {
    let reason = |cancels: &[Sent]| rows(cancels, Name::Reason);
    for first in [180, 0] {
        let (mut office, alice, invite, copies) = call(ONE);
        if first != 0 {
            answer(&mut office, &copies[0], first);
        }
        let said = "Reason: SIP;cause=600;text=\"Busy\", Q.850;cause=17\r\nReason: x;cause=1";
        let mut cancel = invite.clone().row(said);
        (cancel.method, cancel.body) = ("CANCEL".into(), String::new());
        let mut sent = office.receive(alice.flow, cancel.wire());
        sent.extend(if first == 0 { answer(&mut office, &copies[0], 180) } else { Vec::new() });
        let expected = r#"SIP;cause=600;text="Busy", Q.850;cause=17, x;cause=1"#;
        assert_eq!(reason(&requests(&sent, "CANCEL")), [expected]);
    }
    let (mut office, _, _, copies) = call(TWO);
    answer(&mut office, &copies[0], 180);
    let cancels = requests(&answer(&mut office, &copies[1], 603), "CANCEL");
    assert_eq!(reason(&cancels), [r#"SIP;cause=603;text="Declined elsewhere""#]);
    let (mut office, _, _, copies) = call(ONE);
    answer(&mut office, &copies[0], 180);
    let cancels = requests(&office.wait(Duration::from_secs(250)), "CANCEL");
    assert_eq!(reason(&cancels[..1]), [r#"SIP;cause=408;text="Nobody answered""#]);
    let (mut office, alice, invite, copies) = call(ONE);
    answer(&mut office, &copies[0], 180);
    let cancels = requests(&cancel(&mut office, &alice, &invite), "CANCEL");
    assert!(!cancels[0].message.has(Name::Reason), "who says nothing has no reason");
}

/// A lookup that nobody answers ends too.
#[test]
fn trap_30_a_lookup_that_is_never_answered_ends_the_call() {
    let mut office = Office::new(trusting());
    let alice = Phone::udp(101);
    office.receive(alice.flow, alice.invite("sip:bob@other.example").wire());
    let sent = office.wait(Duration::from_secs(33));
    assert_eq!(answers(&sent, alice.flow).first(), Some(&500));
    office.wait(Duration::from_secs(100));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}

/// No setting makes timer C three minutes or less.
#[test]
fn trap_10_nobody_can_wish_for_less_than_three_minutes() {
    let ring = Duration::from_secs(1);
    let mut office = Office::new(server::settings::Settings { ring, ..trusting() });
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:102@example.test");
    let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
    answer(&mut office, &copies[0], 180);
    assert!(requests(&office.wait(Duration::from_secs(180)), "CANCEL").is_empty());
    assert!(!requests(&office.wait(Duration::from_secs(2)), "CANCEL").is_empty());
}
