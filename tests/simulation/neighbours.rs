//! A phone has connections to several nodes of a cluster, and is called at one that has none of them: it is looked for at the next node when
//! the first is gone, and only at nodes that are not known to be gone.

use std::net::SocketAddr;

use offhook_tests::office::{self, Office, Phone, requests, status};
use protocol::doors::{Asker, Warning};
use protocol::locate::Failure;
use protocol::{Answer, Flow, Input, Question, Ticket, Transport};

/// What an office wants to be kept for all nodes.
fn shared(office: &mut Office) -> (Ticket, Box<[u8]>) {
    let (ticket, question) = office.asked.pop().unwrap();
    let Question::Share(share) = question else { panic!("{question:?}") };
    (ticket, share.record.value)
}

/// The phone registers at a node too, which finds what others have kept before; what is kept then.
fn registers(number: u8, before: Option<Box<[u8]>>) -> Box<[u8]> {
    let mut office = Office::new(office::node(number, 1));
    let phone = Phone::tcp(101, number.into());
    let instance = "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"";
    let contact = format!("Contact: <{}>;reg-id={number};{instance}", phone.contact());
    let mut request = phone.register("").row("Supported: path, outbound").row(&contact);
    request.cseq = number.into();
    request.call_id += &number.to_string();
    assert!(office.receive(phone.flow, request.wire()).is_empty());
    let (mut ticket, mut value) = shared(&mut office);
    if let Some(before) = before {
        assert!(office.tell(Input::Answered(ticket, Answer::Differs(before))).is_empty());
        (ticket, value) = shared(&mut office);
    }
    assert_eq!(status(&office.tell(Input::Answered(ticket, Answer::Kept))), 200);
    value
}

/// A node without a connection to the phone; nodes 1 to 3 have one each, the last is the latest.
fn caller_s_node(gone: &[u8]) -> (Office, Box<[u8]>) {
    let kept = (1..=3).fold(None, |before, number| Some(registers(number, before)));
    let mut office = Office::new(office::node(0, 1));
    for number in gone {
        let (transport, address) = (Transport::Tcp, between(*number));
        let failure = Some(Failure::Undelivered);
        office.tell(Input::Warned(Warning { transport, address, failure }));
    }
    (office, kept.unwrap())
}

/// Where nodes reach a node.
fn between(number: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 10 + number], 5070))
}

/// Somebody calls; by which flows an INVITE goes out then.
fn called(office: &mut Office, kept: Box<[u8]>) -> Vec<Flow> {
    let caller = Phone::udp(102);
    office.receive(caller.flow, caller.invite("sip:101@example.test").wire());
    // The shard that keeps bindings is asked: there is only one, and it asks the store.
    let (located, question) = office.asked.pop().unwrap();
    office.tell(Input::Asked(Asker { shard: 0, ticket: located }, question));
    let (ticket, question) = office.asked.pop().unwrap();
    assert!(matches!(question, Question::Recall(_)), "{question:?}");
    office.tell(Input::Answered(ticket, Answer::Recalled(Some(kept))));
    let found = office.told.pop().unwrap();
    let sent = office.tell(Input::Answered(located, found));
    requests(&sent, "INVITE").iter().map(|invite| invite.flow).collect()
}

fn peers(flows: &[Flow]) -> Vec<SocketAddr> {
    flows.iter().map(|flow| flow.peer).collect()
}

#[test]
fn nodes_that_are_known_to_be_gone_are_passed_over_however_many_they_are() {
    for (gone, asked) in [(&[][..], 3), (&[3], 2), (&[2], 3), (&[2, 3], 1), (&[1, 3], 2)] {
        let (mut office, kept) = caller_s_node(gone);
        assert_eq!(peers(&called(&mut office, kept)), [between(asked)], "{gone:?} are gone");
    }
}

/// The last one is asked all the same: it may be back, and there is nobody else.
#[test]
fn when_all_are_gone_one_is_asked_and_no_more() {
    let (mut office, kept) = caller_s_node(&[1, 2, 3]);
    assert_eq!(peers(&called(&mut office, kept)), [between(1)]);
}

/// It is found out by the call itself: the next way is tried, past a node that is known to be gone.
#[test]
fn a_node_that_fails_under_a_call_has_the_next_but_one_asked() {
    let (mut office, kept) = caller_s_node(&[2]);
    let flows = called(&mut office, kept);
    assert_eq!(peers(&flows), [between(3)]);
    let sent = office.tell(Input::Failed(flows[0]));
    let next: Vec<_> = requests(&sent, "INVITE").iter().map(|invite| invite.flow.peer).collect();
    assert_eq!(next, [between(1)]);
}
