//! Bindings are taken away, or lose their connection, while the store cannot be told: they do not come back when it can.

use std::time::Duration;

use offhook_tests::office::{Phone, Request, answers, requests, rows};
use protocol::Input;
use sip::Name;

use super::Pair;

/// A phone of 101 at an address of its own registers, for so many seconds.
pub(super) fn register(phone: &Phone, nth: u32, expires: u32) -> Request {
    let contact = format!("Contact: <{}>;expires={expires}\r\n", phone.contact());
    let mut request = phone.register(&contact);
    request.cseq = nth;
    request.call_id += &phone.flow.peer.ip().to_string();
    request.branch += &format!("{}-{nth}", phone.flow.peer.port());
    request
}

fn of_101(number: u16) -> Phone {
    Phone { user: "101".into(), ..Phone::udp(number) }
}

fn registers(pair: &mut Pair, number: usize, phone: &Phone, nth: u32) {
    let sent = pair.hear(number, phone, &register(phone, nth, 600));
    assert_eq!(answers(&sent, phone.flow), [200]);
}

/// Who is registered, as a node says.
pub(super) fn listed(pair: &mut Pair, number: usize) -> Vec<String> {
    let asker = of_101(199);
    let name = format!("who is there {number} {:?}", pair.now);
    let sent = pair.hear(number, &asker, &asker.register("").call(&name));
    rows(&sent, Name::Contact)
}

/// Each node is asked twice: what the first answer has changed shows in the second.
fn listed_everywhere(pair: &mut Pair) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for number in [0, 1, 0, 1] {
        all.push(listed(pair, number));
        pair.wait(Duration::from_millis(10));
    }
    all
}

/// An operator takes it away, or all, at a node.
pub(super) fn unregister(pair: &mut Pair, number: usize, contact: Option<&str>) -> usize {
    let (office, mut out) = (&mut pair.offices[number], Vec::new());
    let contact = contact.map(str::as_bytes);
    let gone = office.node.unregister(office.now, b"101", contact, &mut out);
    office.take(out);
    pair.answer();
    gone
}

/// An account was stolen; the master of its slot fails over while the thief is thrown out.
#[test]
fn what_was_taken_away_while_the_store_was_gone_does_not_come_back() {
    for asked_meanwhile in [false, true] {
        let mut pair = Pair::new(|settings| settings);
        let (thief, desk) = (of_101(110), of_101(111));
        registers(&mut pair, 0, &thief, 1);
        registers(&mut pair, 1, &desk, 1);
        assert_eq!(listed(&mut pair, 0).len(), 2);
        pair.cut = [true, true];
        assert_eq!(unregister(&mut pair, 0, Some(&thief.contact())), 1);
        pair.wait(Duration::from_secs(5));
        pair.cut = [false, false];
        if !asked_meanwhile {
            pair.wait(Duration::from_secs(3));
        }
        // Who calls at once has the store told at once.
        listed(&mut pair, 0);
        for found in listed_everywhere(&mut pair) {
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(&desk.contact()), "{found:?}");
        }
    }
}

/// The node that throws the thief out does not know that his phone has refreshed at the other one before.
#[test]
fn what_another_node_has_refreshed_is_taken_away_as_well() {
    let mut pair = Pair::new(|settings| settings);
    let thief = of_101(110);
    registers(&mut pair, 0, &thief, 1);
    registers(&mut pair, 1, &thief, 2);
    pair.cut = [true, true];
    assert_eq!(unregister(&mut pair, 0, None), 1);
    pair.wait(Duration::from_secs(5));
    pair.cut = [false, false];
    pair.wait(Duration::from_secs(3));
    assert!(listed_everywhere(&mut pair).concat().is_empty());
}

/// One node is cut off from the store. A phone that registers at the other meanwhile has its 200 and stays, the one too that was taken away before.
#[test]
fn who_registers_at_the_other_node_meanwhile_stays() {
    for again in [false, true] {
        let mut pair = Pair::new(|settings| settings);
        let (thief, desk) = (of_101(110), of_101(111));
        registers(&mut pair, 0, &thief, 1);
        pair.cut = [true, false];
        assert_eq!(unregister(&mut pair, 0, None), 1);
        pair.wait(Duration::from_secs(5));
        registers(&mut pair, 1, &desk, 1);
        if again {
            registers(&mut pair, 1, &thief, 2);
        }
        pair.cut = [false, false];
        pair.wait(Duration::from_secs(3));
        for found in listed_everywhere(&mut pair) {
            assert_eq!(found.len(), 1 + usize::from(again), "{found:?}");
            assert!(found[0].contains(&desk.contact()), "{found:?}");
        }
    }
}

/// The store is never told what it knows: a loss that it has taken, although its answer was lost, is written once.
#[test]
fn a_connection_that_ends_while_the_store_is_gone_is_no_way_afterwards() {
    let mut pair = Pair::new(|settings| settings);
    let phone = Phone { user: "101".into(), ..Phone::tcp(110, 7) };
    registers(&mut pair, 0, &phone, 1);
    assert_eq!(listed(&mut pair, 1).len(), 1);
    pair.cut = [true, true];
    pair.tell(0, Input::Failed(phone.flow));
    pair.wait(Duration::from_secs(5));
    pair.cut = [false, false];
    pair.wait(Duration::from_secs(3));
    assert!(listed_everywhere(&mut pair).concat().is_empty());
    let caller = Phone::udp(102);
    let sent = pair.hear(1, &caller, &caller.invite("sip:101@example.test"));
    assert!(requests(&sent, "INVITE").is_empty());
    assert_eq!(answers(&sent, caller.flow), [100, 480]);
    let known = pair.store.kept.values().map(|(value, _)| value.clone()).collect::<Vec<_>>();
    pair.wait(Duration::from_secs(20));
    let later = pair.store.kept.values().map(|(value, _)| value.clone()).collect::<Vec<_>>();
    assert_eq!(known, later, "it is told once");
}
