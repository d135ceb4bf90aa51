//! §4, §4.3, §4.4: a transaction has one server; when it fails, a new transaction has the next.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, method, reply, settings, status};
use protocol::locate::{Failure, Target};
use protocol::{Answer, Flow, Identity, Input, Question, Transport};
use server::settings::{Route, Settings};
use sip::header::{MAGIC, Via};

/// An office that takes calls to far.test, which has two servers, without asking who calls.
fn office() -> Office {
    let route = Route::domain("far.test", None);
    Office::new(Settings { challenge: Vec::new(), routes: vec![route], ..settings() })
}

const SERVERS: [&str; 2] = ["203.0.113.1:5060", "203.0.113.2:5060"];

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// Answers the one question that was asked; what the office sends then.
fn answer(office: &mut Office) -> Vec<Sent> {
    let [(ticket, Question::Resolve(hop))] = &office.asked[..] else {
        panic!("{:?}", office.asked)
    };
    assert_eq!(&*hop.domain, "far.test");
    let ticket = *ticket;
    office.asked.clear();
    let target = |address: &str| Target {
        transport: Transport::Udp,
        address: at(address),
        domain: "far.test".into(),
    };
    let targets = Answer::Targets(SERVERS.iter().map(|address| target(address)).collect());
    office.tell(Input::Answered(ticket, targets))
}

/// The requests that went out, as method and address.
fn went(sent: &[Sent]) -> Vec<(String, SocketAddr)> {
    let requests = sent.iter().filter(|sent| !method(sent).is_empty());
    requests.map(|sent| (method(sent).to_owned(), sent.flow.peer)).collect()
}

fn invited() -> (Office, Phone, Vec<Sent>) {
    let (mut office, alice) = (office(), Phone::udp(101));
    assert_eq!(status(&office.receive(alice.flow, alice.invite("sip:bob@far.test").wire())), 100);
    let sent = answer(&mut office);
    (office, alice, sent)
}

fn branch(sent: &Sent) -> Vec<u8> {
    sent.message.get::<Via>().unwrap().branch().unwrap().to_vec()
}

fn only(sent: &[Sent], name: &str) -> Sent {
    let mut found = sent.iter().filter(|sent| method(sent) == name);
    let one = found.next().expect(name).clone();
    assert!(found.next().is_none(), "{sent:?}");
    one
}

/// "The procedures here MUST be done exactly once per transaction": copies and the ACK of a refusal go where the request went.
/// Proves: rfc3263-4-1, rfc3263-4-2, rfc3263-4.4-1.
#[test]
fn copies_and_the_ack_of_a_refusal_go_to_the_same_server() {
    let (mut office, _, sent) = invited();
    let invite = only(&sent, "INVITE");
    let copies = office.wait(Duration::from_millis(1600));
    assert_eq!(went(&copies), vec![("INVITE".to_owned(), at(SERVERS[0])); 2]);
    assert!(copies.iter().all(|copy| copy.message.wire() == invite.message.wire()));
    let sent = office.receive(invite.flow, reply(&invite.message, 486, ""));
    let ack = only(&sent, "ACK");
    assert_eq!((ack.flow, branch(&ack)), (invite.flow, branch(&invite)));
    assert!(office.asked.is_empty());
}

/// "a CANCEL for a particular SIP request MUST be sent to the same SIP server that the SIP request was delivered to"
/// Proves: rfc3263-4-3.
#[test]
fn a_cancel_goes_to_the_server_that_has_the_request() {
    let (mut office, alice, _) = invited();
    let sent = office.tell(Input::Failed(flow(SERVERS[0])));
    let invite = only(&sent, "INVITE");
    assert_eq!(invite.flow.peer, at(SERVERS[1]));
    office.receive(invite.flow, reply(&invite.message, 180, ""));
    let mut cancel = alice.invite("sip:bob@far.test");
    cancel.method = "CANCEL".into();
    cancel.body.clear();
    let sent = office.receive(alice.flow, cancel.wire());
    let cancel = only(&sent, "CANCEL");
    assert_eq!((cancel.flow, branch(&cancel)), (invite.flow, branch(&invite)));
}

fn flow(peer: &str) -> Flow {
    Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer: at(peer),
        identity: Identity::NONE,
    }
}

/// "If a failure occurs, the client SHOULD create a new request, which is identical to the previous, but has a different value of
/// the Via branch ID": after a broken transport, silence, or a 503. The proxy has the state that §4.4 asks for: what the caller repeats
/// meanwhile goes nowhere else.
/// Proves: rfc3263-4.3-1, rfc3263-4.4-4.
#[test]
fn a_failure_makes_a_new_transaction_with_the_next_server() {
    let failures: [fn(&mut Office, &Sent) -> Vec<Sent>; 3] = [
        |office, invite| office.tell(Input::Failed(invite.flow)),
        |office, _| office.wait(Duration::from_millis(3_600)),
        |office, invite| office.receive(invite.flow, reply(&invite.message, 503, "")),
    ];
    for fail in failures {
        let (mut office, alice, sent) = invited();
        let first = only(&sent, "INVITE");
        assert_eq!(first.flow.peer, at(SERVERS[0]));
        let sent = fail(&mut office, &first);
        let to_second = |sent: &&Sent| sent.flow.peer == at(SERVERS[1]);
        let second: Vec<Sent> = sent.iter().filter(to_second).cloned().collect();
        let second = only(&second, "INVITE");
        assert_ne!(branch(&first), branch(&second));
        assert!(branch(&second).starts_with(MAGIC.as_bytes()));
        let without_via = |sent: &Sent| {
            let text = String::from_utf8(sent.message.wire().to_vec()).unwrap();
            let rows = text.split("\r\n").filter(|row| !row.starts_with("Via: "));
            rows.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_via(&first), without_via(&second));
        let again = office.receive(alice.flow, alice.invite("sip:bob@far.test").wire());
        assert_eq!(went(&again), []);
        assert!(office.asked.is_empty());
    }
}

/// A server that was silent until the next one was asked gets no more copies; when it rings after all, it is cancelled; and when it
/// answers after all, its 2xx reaches the caller, who hangs it up.
#[test]
fn who_speaks_too_late_is_told_that_nobody_waits() {
    let (mut office, alice, sent) = invited();
    let first = only(&sent, "INVITE");
    let sent = office.wait(Duration::from_millis(3_600));
    assert!(sent.iter().any(|sent| sent.flow.peer == at(SERVERS[1])));
    let later = office.wait(Duration::from_millis(3_000));
    assert!(later.iter().all(|sent| sent.flow.peer == at(SERVERS[1])), "{later:?}");
    let sent = office.receive(first.flow, reply(&first.message, 180, ""));
    let cancel = only(&sent, "CANCEL");
    assert_eq!((cancel.flow, branch(&cancel)), (first.flow, branch(&first)));
    assert!(
        office.receive(first.flow, reply(&first.message, 180, "")).is_empty(),
        "once is enough"
    );
    let sent = office.receive(first.flow, reply(&first.message, 200, ""));
    assert_eq!((sent.len(), sent[0].flow.peer, status(&sent)), (1, alice.flow.peer, 200));
}

/// RFC 3261 §9.1: "If there is no final response for the original request in 64*T1 seconds … the client SHOULD then consider the
/// original transaction cancelled and SHOULD destroy the client transaction".
#[test]
fn who_rings_too_late_and_falls_silent_is_forgotten() {
    let (mut office, _, sent) = invited();
    let first = only(&sent, "INVITE");
    office.wait(Duration::from_millis(3_600));
    only(&office.receive(first.flow, reply(&first.message, 180, "")), "CANCEL");
    office.wait(Duration::from_secs(300));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}

/// What one shard has found out, the others need not: two of them share a domain's servers.
#[test]
fn a_failure_is_told_to_the_other_shards_once() {
    let (mut here, alice, _) = invited();
    here.wait(Duration::from_millis(3_600));
    let [warning] = here.warnings[..] else { panic!("{:?}", here.warnings) };
    assert_eq!((warning.address, warning.failure), (at(SERVERS[0]), Some(Failure::Unanswered)));
    let mut there = office();
    assert!(there.tell(Input::Warned(warning)).is_empty());
    there.receive(alice.flow, alice.invite("sip:bob@far.test").wire());
    assert_eq!(only(&answer(&mut there), "INVITE").flow.peer, at(SERVERS[1]));
    assert!(there.warnings.is_empty());
}
