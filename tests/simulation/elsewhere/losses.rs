//! Bindings are taken away, or lose their connection, while the store cannot be told: they do not come back when it can.

use std::time::Duration;

use offhook_tests::office::{Phone, Request, answers, requests, rows};
use protocol::{Input, Question};
use server::Removal;
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

/// An operator takes it away, or all, at a node; so many as that knows, once it has asked the store.
pub(super) fn unregister(pair: &mut Pair, number: usize, contact: Option<&str>) -> usize {
    look_up(pair, number, contact);
    take_away(pair, number, contact)
}

/// What a node does first: it asks the store.
pub(super) fn look_up(pair: &mut Pair, number: usize, contact: Option<&str>) {
    let (office, mut out) = (&mut pair.offices[number], Vec::new());
    office.node.look_up(office.now, b"101", contact.map(str::as_bytes), &mut out);
    office.take(out);
    pair.answer();
}

/// What it does then.
pub(super) fn take_away(pair: &mut Pair, number: usize, contact: Option<&str>) -> usize {
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

/// The node at which a thief is thrown out has never heard of him. If it cannot ask the store either, he is gone as soon as it can.
#[test]
fn what_the_node_does_not_know_of_is_taken_away_as_well() {
    for (cut, all) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut pair = Pair::new(|settings| settings);
        let (thief, desk) = (of_101(110), of_101(111));
        registers(&mut pair, 1, &thief, 1);
        registers(&mut pair, 1, &desk, 1);
        pair.wait(Duration::from_millis(1));
        pair.cut = [cut, false];
        let (uri, left) = (thief.contact(), usize::from(!all));
        let gone = unregister(&mut pair, 0, (!all).then_some(&uri));
        assert_eq!(gone, if cut { 0 } else { 2 - left }, "{cut} {all}");
        let state = pair.offices[0].node.removal(b"101");
        assert_eq!(state, if cut { Removal::Refused } else { Removal::Kept }, "{cut} {all}");
        pair.cut = [false; 2];
        pair.wait(Duration::from_secs(if cut { 3 } else { 0 }));
        for found in listed_everywhere(&mut pair) {
            assert_eq!(found.len(), left, "{cut} {all}: {found:?}");
            assert!(!found.concat().contains(&uri), "{cut} {all}: {found:?}");
        }
        assert_eq!(pair.offices[0].node.removal(b"101"), Removal::Kept);
    }
}

/// A thief's phone refreshes at one node while he is thrown out at the other: whichever of both comes to the store first, and however late its answer comes to
/// the phone's node, he is out.
#[test]
fn a_removal_wins_over_a_refresh_that_began_before_it() {
    for (removal_first, late) in [(true, false), (false, false), (false, true)] {
        let mut pair = Pair::new(|settings| settings);
        let thief = of_101(110);
        registers(&mut pair, 1, &thief, 1);
        look_up(&mut pair, 0, None);
        let sent = pair.offices[1].receive(thief.flow, register(&thief, 2, 600).wire());
        assert!(sent.is_empty(), "it waits for the store");
        let Some((ticket, Question::Share(refresh))) = pair.offices[1].asked.pop() else {
            panic!()
        };
        pair.offices[0].now.0 += 1_000_000;
        if removal_first {
            assert_eq!(take_away(&mut pair, 0, None), 1);
        }
        let answer = Input::Answered(ticket, pair.share(1, refresh));
        let mut said = Vec::new();
        if !late {
            said.extend(pair.tell(1, answer.clone()));
        }
        if !removal_first {
            // It has not heard of the refresh.
            pair.offices[0].asked.clear();
            assert_eq!(take_away(&mut pair, 0, None), 1);
        }
        if late {
            said.extend(pair.tell(1, answer));
        }
        let status = if removal_first { 503 } else { 200 };
        assert_eq!(answers(&said, thief.flow), [status]);
        assert!(pair.offices[1].node.registration(pair.now, b"101").is_none(), "a copy is left");
        assert!(listed_everywhere(&mut pair).concat().is_empty(), "{removal_first} {late}");
        // Who knows the password may come back.
        registers(&mut pair, 1, &thief, 3);
        assert_eq!(listed(&mut pair, 0).len(), 1);
    }
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
