//! Somebody writes into the store that nodes share, and does not know their secret: what it wrote, cut, moved or put back counts as nothing.

use offhook_tests::office::{self, Office, Phone, rows, status};
use protocol::doors::Event;
use protocol::{Answer, Input, Question};
use server::settings::Settings;
use sip::Name;

/// A node that has served a REGISTER, and what it had the store keep.
fn registered(settings: Settings, user: u16, cseq: u32, contacts: &[u16]) -> (Office, Box<[u8]>) {
    let mut office = Office::new(settings);
    let value = registers(&mut office, user, cseq, contacts);
    (office, value)
}

fn registers(office: &mut Office, user: u16, cseq: u32, contacts: &[u16]) -> Box<[u8]> {
    let phone = Phone::udp(user);
    let each =
        contacts.iter().map(|number| format!("Contact: <{}>\r\n", Phone::udp(*number).contact()));
    let mut request = phone.register(&each.collect::<String>());
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    assert!(office.receive(phone.flow, request.wire()).is_empty());
    let (ticket, question) = office.asked.pop().unwrap();
    let Question::Share(share) = question else { panic!("{question:?}") };
    assert_eq!(status(&office.tell(Input::Answered(ticket, Answer::Kept))), 200);
    share.record.value
}

/// The contacts of a user at a node whose store says this.
fn found(office: &mut Office, user: u16, told: &[u8]) -> Vec<String> {
    let phone = Phone { user: user.to_string(), ..Phone::udp(199) };
    let request = phone.register("").call(&format!("who is {user} {}", office.now.0));
    office.now.0 += 1_000;
    assert!(office.receive(phone.flow, request.wire()).is_empty());
    let (ticket, question) = office.asked.pop().unwrap();
    assert!(matches!(question, Question::Recall(_)), "{question:?}");
    let sent = office.tell(Input::Answered(ticket, Answer::Recalled(Some(told.into()))));
    assert_eq!(status(&sent), 200);
    rows(&sent, Name::Contact)
}

fn was_warned(office: &Office) -> bool {
    office.events.iter().any(|event| matches!(event, Event::Tampered { .. }))
}

fn other() -> Office {
    Office::new(office::node(1, 1))
}

#[test]
fn what_a_node_has_written_is_believed_by_another() {
    let (_, value) = registered(office::node(0, 1), 101, 1, &[101]);
    let mut office = other();
    assert_eq!(found(&mut office, 101, &value).len(), 1);
    assert!(!was_warned(&office));
}

#[test]
fn what_was_changed_or_cut_counts_as_nothing_and_is_said() {
    let (_, value) = registered(office::node(0, 1), 101, 1, &[101]);
    for at in 0..value.len() {
        let mut changed = value.clone();
        changed[at] ^= 1 << (at % 8);
        for forged in [&changed[..], &value[..at]] {
            let mut office = other();
            assert!(found(&mut office, 101, forged).is_empty(), "{at}");
            assert!(was_warned(&office), "{at}");
        }
    }
    let mut office = other();
    assert!(found(&mut office, 101, &[&value[..], &[0]].concat()).is_empty());
}

#[test]
fn what_was_written_for_another_user_or_by_another_cluster_counts_as_nothing() {
    let (_, value) = registered(office::node(0, 1), 102, 1, &[102]);
    let mut office = other();
    assert!(found(&mut office, 101, &value).is_empty() && was_warned(&office));
    let strange = Settings { secret: 8, ..office::node(0, 1) };
    let (_, value) = registered(strange, 101, 1, &[101]);
    let mut office = other();
    assert!(found(&mut office, 101, &value).is_empty() && was_warned(&office));
}

/// What was true once is signed, too: a node that knows what came after it is not taken in, and has it written again.
#[test]
fn what_is_put_back_is_not_believed_by_who_knows_better() {
    let (mut office, old) = registered(office::node(0, 1), 101, 1, &[101, 102]);
    registers(&mut office, 101, 2, &[103]);
    let mut request = Phone::udp(101)
        .register(&format!("Contact: <{}>;expires=0\r\n", Phone::udp(101).contact()));
    request.cseq = 3;
    request.branch += "3";
    office.receive(Phone::udp(101).flow, request.wire());
    let (ticket, _) = office.asked.pop().unwrap();
    office.tell(Input::Answered(ticket, Answer::Kept));
    let phone = Phone { user: "101".into(), ..Phone::udp(199) };
    office.receive(phone.flow, phone.register("").call("who").wire());
    let (ticket, _) = office.asked.pop().unwrap();
    let sent = office.tell(Input::Answered(ticket, Answer::Recalled(Some(old))));
    let contacts = rows(&sent, Name::Contact).join(", ");
    assert!(
        contacts.contains(&Phone::udp(102).contact())
            && contacts.contains(&Phone::udp(103).contact())
    );
    assert!(!contacts.contains(&Phone::udp(101).contact()), "{contacts}");
    assert!(matches!(office.asked.pop(), Some((_, Question::Share(_)))), "it is told again");
}
