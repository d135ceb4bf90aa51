//! The disk is slow, full or dead, and the server dies: what a phone was promised stays true.

use std::sync::Arc;
use std::time::Duration;

use machine::{Dice, Time};
use offhook_tests::office::{self, Office, Phone, Request, Sent, answers, requests, status};
use protocol::{Answer, Flow, Input, Question, Record, Ticket};
use server::Node;
use server::settings::{Bindings, Registrar, Settings};
use sip::Name;

fn settings() -> Settings {
    let registrar = Registrar { jitter: 0, ..Registrar::default() };
    Settings { bindings: Bindings::Kept, registrar, ..office::trusting() }
}

/// A REGISTER of a phone; later ones have later CSeqs.
fn register(phone: &Phone, cseq: u32, expires: u32) -> Request {
    let rows = format!("Contact: <{}>;expires={expires}\r\n", phone.contact());
    let mut request = phone.register(&rows);
    request.cseq = cseq;
    request.branch += &format!("-{cseq}");
    request
}

/// What the server wants to have kept.
fn record(office: &mut Office) -> Option<(Ticket, Record)> {
    office.asked.drain(..).find_map(|(ticket, question)| match question {
        Question::Keep(record) => Some((ticket, Arc::unwrap_or_clone(record))),
        _ => None,
    })
}

/// Sends a REGISTER; what is to be kept, while the phone waits.
fn begin(office: &mut Office, request: &Request, phone: &Phone) -> (Ticket, Record) {
    let sent = office.receive(phone.flow, request.wire());
    assert!(sent.is_empty(), "nothing is promised yet: {sent:?}");
    record(office).expect("something to keep")
}

fn rings(office: &mut Office, callee: &str) -> bool {
    let uri = format!("sip:{callee}@example.test");
    // A call of its own.
    office.now.0 += 1;
    let call = format!("call {callee} at {}", office.now.0);
    let caller = Phone::udp(109);
    let sent = office.receive(caller.flow, caller.invite(&uri).call(&call).wire());
    !requests(&sent, "INVITE").is_empty()
}

fn contacts(sent: &[Sent]) -> usize {
    sent[0].message.elements(Name::Contact).count()
}

#[test]
fn a_200_waits_until_its_bindings_are_safe() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let (ticket, record) = begin(&mut office, &register(&phone, 1, 3600), &phone);
    assert_eq!(&*record.key, b"101");
    assert_eq!(record.until, office.now + Duration::from_secs(3600));
    assert!(office.wait(Duration::from_secs(3)).is_empty());
    // The phone repeats itself meanwhile; that is no second registration.
    assert!(office.receive(phone.flow, register(&phone, 1, 3600).wire()).is_empty());
    assert!(office.asked.is_empty());
    let sent = office.tell(Input::Answered(ticket, Answer::Kept));
    assert_eq!((status(&sent), contacts(&sent)), (200, 1));
    assert!(rings(&mut office, "101"));
}

#[test]
fn a_full_disk_is_no_promise_and_changes_nothing() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let (ticket, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
    let sent = office.tell(Input::Answered(ticket, Answer::NotKept));
    assert_eq!(status(&sent), 503);
    assert!(sent[0].message.has(Name::RetryAfter));
    assert_eq!(office.node.registered(), 0);
    assert!(!rings(&mut office, "101"));
    // Neither is a phone forgotten that could not sign off.
    let (ticket, _) = begin(&mut office, &register(&phone, 2, 3600), &phone);
    office.tell(Input::Answered(ticket, Answer::Kept));
    let (ticket, gone) = begin(&mut office, &register(&phone, 3, 0), &phone);
    assert!(gone.value.is_empty());
    assert_eq!(status(&office.tell(Input::Answered(ticket, Answer::NotKept))), 503);
    assert!(rings(&mut office, "101"));
}

/// Its transaction has the request, however long the disk takes, and whatever becomes of the connection.
#[test]
fn who_is_refused_late_is_refused_by_tcp_too_and_by_the_next_connection() {
    for cut in [false, true] {
        let mut office = Office::new(settings());
        let phone = Phone::tcp(101, 7);
        let (ticket, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
        office.wait(Duration::from_secs(6));
        if cut {
            office.tell(Input::Failed(phone.flow));
        }
        let sent = office.tell(Input::Answered(ticket, Answer::NotKept));
        // RFC 3261 §18.2.2: a connection that is gone is opened anew.
        let connection = if cut { 0 } else { phone.flow.connection };
        assert_eq!(answers(&sent, Flow { connection, ..phone.flow }), [503], "{sent:?}");
        assert!(!rings(&mut office, "101"));
    }
}

#[test]
fn what_came_later_is_not_undone_by_an_earlier_failure() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let other = Phone { user: "101".into(), ..Phone::udp(102) };
    let (first, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
    let (second, _) = begin(&mut office, &register(&other, 2, 3600), &other);
    assert_eq!(status(&office.tell(Input::Answered(first, Answer::NotKept))), 503);
    let sent = office.tell(Input::Answered(second, Answer::Kept));
    assert_eq!((status(&sent), contacts(&sent)), (200, 2));
}

/// Both were told that it did not work: nobody is there.
#[test]
fn what_was_refused_together_is_gone_together() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let other = Phone { user: "101".into(), ..Phone::udp(102) };
    let (first, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
    let (second, _) = begin(&mut office, &register(&other, 2, 3600), &other);
    for ticket in [first, second] {
        assert_eq!(status(&office.tell(Input::Answered(ticket, Answer::NotKept))), 503);
    }
    assert_eq!(office.node.registered(), 0);
}

/// What was given up may come to the disk all the same, when that has slept and not died. Then what is so comes after it.
#[test]
fn what_comes_late_to_the_disk_is_put_right() {
    for late in [0, 3600] {
        let mut office = Office::new(settings());
        let phone = Phone::udp(101);
        if late == 0 {
            let (ticket, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
            office.tell(Input::Answered(ticket, Answer::Kept));
        }
        let (ticket, _) = begin(&mut office, &register(&phone, 2, late), &phone);
        assert_eq!(answers(&office.wait(Duration::from_secs(8)), phone.flow).last(), Some(&503));
        let (_, last) = record(&mut office).expect("what is so is written");
        office.tell(Input::Answered(ticket, Answer::Kept));
        let was_there = usize::from(late == 0);
        assert_eq!(office.node.registered(), was_there);
        let later = next_life(&[last], settings(), (office.now, 0));
        assert_eq!(later.node.registered(), was_there, "{late}");
    }
}

#[test]
fn a_disk_that_says_nothing_is_given_up_after_eight_seconds() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let (ticket, _) = begin(&mut office, &register(&phone, 1, 3600), &phone);
    // RFC 4320 §4.1: meanwhile there may be a 100.
    assert_eq!(answers(&office.wait(Duration::from_millis(7_999)), phone.flow), [100]);
    assert_eq!(answers(&office.wait(Duration::from_millis(2)), phone.flow), [503]);
    assert_eq!(office.node.registered(), 0);
    assert!(office.tell(Input::Answered(ticket, Answer::Kept)).is_empty(), "too late");
    office.wait(Duration::from_secs(40));
    assert_eq!(office.node.transactions(), 0);
}

#[test]
fn what_ends_by_itself_is_taken_from_the_disk_too() {
    let mut office = Office::new(settings());
    let phone = Phone::udp(101);
    let (ticket, kept) = begin(&mut office, &register(&phone, 1, 60), &phone);
    assert!(!kept.value.is_empty());
    office.tell(Input::Answered(ticket, Answer::Kept));
    office.wait(Duration::from_secs(61));
    let (_, gone) = record(&mut office).expect("something to forget");
    assert_eq!((&*gone.key, &*gone.value), (&b"101"[..], &b""[..]));
}

/// One life of a server and the next: who was promised to be found is found, for as long as was promised.
#[test]
fn after_a_restart_every_phone_is_found_for_the_time_it_has_left() {
    let mut first = Office::new(settings());
    let phones: Vec<_> = (101..106).map(Phone::udp).collect();
    let mut disk = Vec::new();
    for (phone, expires) in phones.iter().zip([60, 600, 3600, 3600, 3600]) {
        let (ticket, record) = begin(&mut first, &register(phone, 1, expires), phone);
        first.tell(Input::Answered(ticket, Answer::Kept));
        disk.push(record);
    }
    let mut later = next_life(&disk, settings(), (first.now + Duration::from_secs(30), 0));
    assert_eq!(later.node.registered(), 5);
    assert!(rings(&mut later, "101"));
    later.wait(Duration::from_secs(31));
    assert!(!rings(&mut later, "101"), "its minute is over");
    assert!(rings(&mut later, "102"));
    later.wait(Duration::from_secs(570));
    assert!(!rings(&mut later, "102"));
    assert!(rings(&mut later, "103"));
}

#[test]
fn a_clock_that_was_set_by_a_day_between_two_lives_changes_no_registration() {
    let day = 86_400_000;
    for shift in [day, -day] {
        let mut first = Office::new(settings());
        let phone = Phone::udp(101);
        let (_, kept) = begin(&mut first, &register(&phone, 1, 600), &phone);
        let now = (first.now + Duration::from_secs(1)).shifted(shift);
        let mut later = next_life(&[kept], settings(), (now, shift));
        later.wait(Duration::from_secs(598));
        assert!(rings(&mut later, "101"));
        later.wait(Duration::from_secs(2));
        assert!(!rings(&mut later, "101"));
    }
}

#[test]
fn connections_of_an_earlier_life_are_gone_and_so_is_who_could_be_reached_by_them_alone() {
    let mut first = Office::new(settings());
    let behind_a_nat = Phone::tcp(101, 7);
    let mut reachable = Phone::udp(102);
    reachable.flow.listener = 1;
    reachable.flow.transport = protocol::Transport::Tcp;
    reachable.flow.connection = 8;
    let (_, one) = begin(&mut first, &register(&behind_a_nat, 1, 600), &behind_a_nat);
    let mut request = register(&reachable, 1, 600);
    request.rows = format!("Contact: <sip:102@{};transport=tcp>\r\n", reachable.flow.peer);
    let (_, two) = begin(&mut first, &request, &reachable);
    let mut later = next_life(&[one, two], settings(), (first.now, 0));
    assert!(!rings(&mut later, "101"));
    assert!(rings(&mut later, "102"));
}

#[test]
fn whoever_is_no_user_any_more_is_not_found_again() {
    let mut first = Office::new(settings());
    let phone = Phone::udp(101);
    let (_, kept) = begin(&mut first, &register(&phone, 1, 600), &phone);
    let strict = Settings { challenge: office::settings().challenge, ..settings() };
    let fired = Settings { users: strict.users[1..].to_vec(), ..strict.clone() };
    assert_eq!(next_life(std::slice::from_ref(&kept), strict, (first.now, 0)).node.registered(), 1);
    assert_eq!(next_life(&[kept], fired, (first.now, 0)).node.registered(), 0);
}

fn next_life(disk: &[Record], settings: Settings, (now, shift): (Time, i64)) -> Office {
    let mut office = Office::new(settings.clone());
    (office.now, office.node) = (now, Node::new(settings, Dice::new(2)));
    for record in disk {
        office.node.restore(now, (&record.key, &record.value), shift);
    }
    office
}
