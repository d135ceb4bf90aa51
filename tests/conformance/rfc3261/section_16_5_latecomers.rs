//! §16.5: phones that register while their number is being called.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, answers, reply, requests, trusting};
use protocol::doors::Reach;
use protocol::{Answer, Input, Question};
use server::settings::{Settings, Shard};

/// Alice calls 102, whose first phone rings.
fn ringing(office: &mut Office) -> (Phone, Phone) {
    let (alice, first) = (Phone::udp(101), Phone::udp(102));
    office.register(&first);
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let [copy] = &requests(&sent, "INVITE")[..] else { panic!("{sent:?}") };
    office.receive(first.flow, reply(&copy.message, 180, ""));
    (alice, first)
}

/// "If a proxy uses a dynamic source of information while building the target set (for instance, if it consults a SIP Registrar), it
/// SHOULD monitor that source for the duration of processing the request. New locations SHOULD be added to the target set as they
/// become available."
/// Proves: rfc3261-16.5-8, rfc3261-16.5-9.
#[test]
fn a_phone_that_registers_while_its_number_is_called_rings_too() {
    let mut office = Office::new(trusting());
    let (alice, first) = ringing(&mut office);
    let late = Phone { user: "102".into(), ..Phone::udp(103) };
    office.register(&late);
    let (ticket, question) = office.asked.remove(0);
    assert_eq!(question, Question::Locate(b"102"[..].into()));
    let reach = [&first, &late].map(|phone| Reach::to(phone.contact().as_bytes()));
    let sent = office.tell(Input::Answered(ticket, Answer::Bindings(reach.into())));
    let [copy] = &requests(&sent, "INVITE")[..] else { panic!("{sent:?}") };
    assert_eq!(copy.flow.peer, late.flow.peer);
    let sent = office.receive(late.flow, reply(&copy.message, 200, ""));
    assert_eq!(answers(&sent, alice.flow), [200]);
    assert_eq!(requests(&sent, "CANCEL").len(), 1, "the first one stops");
    // A refresh is nothing new, and a call that is answered asks for nobody.
    office.register(&late);
    assert!(office.asked.is_empty());
    let another = Phone { user: "102".into(), ..Phone::udp(104) };
    office.register(&another);
    office.wait(Duration::from_secs(300));
    assert_eq!(office.node.forwarding(), 0);
}

/// Whoever registers anew and anew while being called has only so many phones that ring.
#[test]
fn a_phone_that_moves_without_end_does_not_make_a_call_grow_without_end() {
    let mut office = Office::new(trusting());
    ringing(&mut office);
    let mut copies = 0;
    for port in 6000..6100 {
        office.tell(Input::Announced(b"102"[..].into()));
        let (ticket, _) = office.asked.remove(0);
        let there = Reach::to(format!("sip:102@198.51.100.2:{port}").as_bytes());
        let sent = office.tell(Input::Answered(ticket, Answer::Bindings(vec![there])));
        for copy in requests(&sent, "INVITE") {
            copies += 1;
            // It rings no longer, and leaves room for the next.
            office.receive(copy.flow, reply(&copy.message, 480, ""));
        }
    }
    assert!((1..=32).contains(&copies), "{copies}");
}

/// The bindings of a user live on one shard, a call on any: all are told of a new phone, and who rings there asks.
#[test]
fn other_shards_are_told_of_a_new_phone_and_ask_when_it_is_called_there() {
    let on = |number| {
        let shard = Shard { number, count: 2 };
        Office::new(Settings { shard, ..trusting() })
    };
    let mut keeper = on(0);
    keeper.register(&Phone::udp(102));
    keeper.register(&Phone::udp(102));
    assert_eq!(keeper.announced, [Box::from(&b"102"[..])], "a refresh is nothing new");
    let announced = || Input::Announced(b"102"[..].into());
    let calls = |mut office: Office| {
        office.tell(announced());
        assert!(office.asked.is_empty(), "nobody is called there");
        let alice = Phone::udp(101);
        office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
        let (ticket, _) = office.asked.pop()?;
        let there = Reach::to(Phone::udp(102).contact().as_bytes());
        office.tell(Input::Answered(ticket, Answer::Bindings(vec![there])));
        office.tell(announced());
        Some(office.asked.into_iter().map(|(_, question)| question).collect::<Vec<_>>())
    };
    // One of the two is the user's own shard, which asks nobody.
    let asked: Vec<_> = [0, 1].map(on).into_iter().filter_map(calls).collect();
    assert_eq!(asked, [[Question::Locate(b"102"[..].into())]]);
}
