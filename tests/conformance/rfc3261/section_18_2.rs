//! §18.2.2: where answers go when the connection of their request is gone.

use std::net::SocketAddr;

use offhook_tests::office::{Office, Phone, Sent, reply, requests, status, trusting};
use protocol::locate::{Target, Unlocated};
use protocol::transport::Identity;
use protocol::{Answer, Flow, Input, Question, Transport};

/// A phone on a connection calls 102, its Via says `sent_by`, and its connection breaks. The INVITE at 102.
fn cut_off(sent_by: &str) -> (Office, Phone, Sent) {
    let (mut office, alice, bob) = (Office::new(trusting()), Phone::tcp(101, 7), Phone::udp(102));
    office.register(&bob);
    let mut invite = alice.invite("sip:102@example.test");
    invite.via = format!("SIP/2.0/TCP {sent_by}");
    let sent = office.receive(alice.flow, invite.wire());
    let invite = requests(&sent, "INVITE").remove(0);
    assert!(office.tell(Input::Failed(alice.flow)).is_empty());
    (office, alice, invite)
}

fn to(peer: &str) -> Flow {
    let peer: SocketAddr = peer.parse().unwrap();
    Flow { transport: Transport::Tcp, listener: 1, connection: 0, peer, identity: Identity::NONE }
}

/// "If that connection is no longer open, the server SHOULD open a connection to the IP address in the 'received' parameter, if
/// present, using the port in the 'sent-by' value"
/// Proves: rfc3261-18.2.2-3.
#[test]
fn an_answer_goes_by_a_new_connection_to_where_its_request_came_from() {
    let (mut office, alice, invite) = cut_off("phone.far.test:5070");
    let sent = office.receive(invite.flow, reply(&invite.message, 486, ""));
    let answer: Vec<_> = sent.iter().filter(|sent| sent.message.status().is_some()).collect();
    assert_eq!((answer.len(), answer[0].message.status().unwrap().code()), (1, 486));
    assert_eq!(answer[0].flow, to(&format!("{}:5070", alice.flow.peer.ip())));
}

/// "the next entry in the list is tried if the one before it results in a failure" (RFC 3263 §5), and never a wait: other calls
/// go on while the DNS is asked.
/// Proves: rfc3261-18.2.2-4.
#[test]
fn and_when_nobody_is_there_where_the_sent_by_leads() {
    let (mut office, alice, invite) = cut_off("phone.far.test:5070");
    office.receive(invite.flow, reply(&invite.message, 486, ""));
    let gone = to(&format!("{}:5070", alice.flow.peer.ip()));
    assert!(office.tell(Input::Failed(gone)).is_empty());
    let [(ticket, Question::Resolve(hop))] = &office.asked[..] else {
        panic!("{:?}", office.asked)
    };
    assert_eq!((&*hop.domain, hop.port), ("phone.far.test", Some(5070)));
    assert_eq!(hop.transport, Some(Transport::Tcp));
    let targets = ["198.51.100.71:5070", "198.51.100.72:5070"].map(|address| Target {
        transport: Transport::Tcp,
        address: address.parse().unwrap(),
        domain: "phone.far.test".into(),
    });
    let answer = Input::Answered(*ticket, Answer::Targets(targets.into()));
    let sent = office.tell(answer);
    assert_eq!((status(&sent), sent[0].flow), (486, to("198.51.100.71:5070")));
    let sent = office.tell(Input::Failed(sent[0].flow));
    assert_eq!((status(&sent), sent[0].flow), (486, to("198.51.100.72:5070")));
    assert!(office.tell(Input::Failed(sent[0].flow)).is_empty(), "there is nowhere left");
}

#[test]
fn a_number_needs_no_question() {
    let (mut office, alice, invite) = cut_off("198.51.100.71:5075");
    let gone = to(&format!("{}:5075", alice.flow.peer.ip()));
    assert!(office.tell(Input::Failed(gone)).is_empty() && office.asked.is_empty());
    let sent = office.receive(invite.flow, reply(&invite.message, 180, ""));
    assert_eq!((status(&sent), sent[0].flow), (180, to("198.51.100.71:5075")));
}

/// Proves: rfc3261-17.2.4-1.
#[test]
fn who_cannot_be_found_gets_no_answer_and_nothing_is_left_of_it() {
    let (mut office, alice, invite) = cut_off("phone.far.test");
    office.receive(invite.flow, reply(&invite.message, 486, ""));
    office.tell(Input::Failed(to(&format!("{}:5060", alice.flow.peer.ip()))));
    let ticket = office.asked[0].0;
    let answer = Input::Answered(ticket, Answer::Unlocated(Unlocated::Unknown));
    assert!(office.tell(answer).is_empty());
    office.wait(std::time::Duration::from_secs(300));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}
