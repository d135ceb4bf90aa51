//! Calls that come while others are up, or while nobody is to be disturbed; what is remembered of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod desk;

use desk::{Desk, phone, sounding};
use offhook_phone::{Call, Direction, Past, PhoneEvent, Unable};
use sim::{HostId, Realm, Weather};

fn with_carol(mut desk: Desk) -> (Desk, HostId) {
    let home = [(Realm::INTERNET, "192.0.2.3".parse().unwrap())];
    let carol = desk.world.add("carol", phone("carol", "192.0.2.3", 3), &home);
    (desk, carol)
}

fn call(desk: &mut Desk, who: HostId, target: &'static str) -> Call {
    let call = desk
        .command(who, move |phone, now, out| phone.call(now, target, sounding(880.0), out))
        .unwrap();
    desk.run(2.0);
    call
}

fn hang_up(desk: &mut Desk, who: HostId, call: Call) {
    desk.command(who, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
    desk.run(2.0);
}

fn answer(desk: &mut Desk, who: HostId) -> Call {
    let last = desk.events(who).into_iter().rev().find_map(|event| match event {
        PhoneEvent::Incoming { call, .. } => Some(call),
        _ => None,
    });
    let call = last.unwrap();
    desk.command(who, |phone, now, out| phone.answer(now, call, sounding(660.0), out)).unwrap();
    desk.run(2.0);
    call
}

fn incoming(desk: &Desk, who: HostId) -> usize {
    let events = desk.events(who).into_iter();
    events.filter(|event| matches!(event, PhoneEvent::Incoming { .. })).count()
}

fn past(desk: &mut Desk, who: HostId) -> Vec<Past> {
    desk.command(who, |phone, _, _| phone.history().cloned().collect())
}

const BOB: &str = "sip:bob@192.0.2.2";
const CAROL: &str = "sip:carol@192.0.2.3";

#[test]
fn a_second_call_waits_and_the_first_is_held_for_it() {
    let (desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (mut desk, carol) = with_carol(desk);
    let (alice, bob) = (desk.alice, desk.bob);
    let hers = call(&mut desk, carol, BOB);
    let second = answer(&mut desk, bob);
    let talk_in = |desk: &mut Desk, call| {
        desk.command(bob, |phone, now, out| phone.talk_in(now, call, out)).unwrap();
        desk.run(2.0);
    };
    let held =
        |desk: &Desk, who, call, held| desk.events(who).contains(&PhoneEvent::Held { call, held });
    talk_in(&mut desk, second);
    assert!(held(&desk, alice, ours, true) && !held(&desk, carol, hers, true));
    talk_in(&mut desk, theirs);
    assert!(held(&desk, alice, ours, false) && held(&desk, carol, hers, true));
    assert!(desk.command(bob, |phone, now, out| phone.talk_in(now, Call(77), out)).is_err());
}

/// Whoever goes back before the other side has said that it is held is heard all the same.
#[test]
fn who_changes_its_mind_while_it_holds_talks_in_the_call_that_it_picked() {
    let (desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (mut desk, carol) = with_carol(desk);
    let (alice, bob) = (desk.alice, desk.bob);
    call(&mut desk, carol, BOB);
    let second = answer(&mut desk, bob);
    for call in [second, theirs] {
        desk.command(bob, |phone, now, out| phone.talk_in(now, call, out)).unwrap();
    }
    desk.run(2.0);
    let events = desk.events(alice);
    let last = events.iter().rev().find(|event| matches!(event, PhoneEvent::Held { .. }));
    assert_eq!(last, Some(&PhoneEvent::Held { call: ours, held: false }));
}

#[test]
fn nobody_disturbs_who_does_not_want_to_be() {
    let mut desk = Desk::new(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.command(bob, |phone, _, _| phone.do_not_disturb());
    call(&mut desk, alice, BOB);
    assert_eq!((past(&mut desk, alice)[0].status, incoming(&desk, bob)), (480, 0));
    let from = "sip:alice@192.0.2.1".into();
    assert_eq!(desk.events(bob), [PhoneEvent::TurnedAway { from, status: 480 }]);
    assert!(past(&mut desk, bob)[0].is_missed());
    desk.command(bob, |phone, _, _| phone.open());
    call(&mut desk, alice, BOB);
    assert_eq!(incoming(&desk, bob), 1);
}

#[test]
fn calls_are_forwarded_all_or_one() {
    let (mut desk, carol) = with_carol(Desk::new(Weather::FAIR));
    let (alice, bob) = (desk.alice, desk.bob);
    desk.command(bob, |phone, _, _| phone.forward_all(CAROL)).unwrap();
    let first = call(&mut desk, alice, BOB);
    assert_eq!((incoming(&desk, bob), incoming(&desk, carol)), (0, 1));
    hang_up(&mut desk, alice, first);
    desk.command(bob, |phone, _, _| phone.open());
    call(&mut desk, alice, BOB);
    let theirs = desk.incoming(bob);
    desk.command(bob, |phone, now, out| phone.forward(now, theirs, CAROL, out)).unwrap();
    desk.run(2.0);
    assert_eq!((incoming(&desk, bob), incoming(&desk, carol)), (1, 2));
    assert!(desk.command(bob, |phone, _, _| phone.forward_all("sips:x@y")).is_err());
}

#[test]
fn what_was_is_remembered_and_the_last_is_called_again() {
    let mut desk = Desk::new(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    let redial = |desk: &mut Desk| {
        let call = desk.command(alice, |phone, now, out| phone.redial(now, sounding(1.0), out));
        desk.run(2.0);
        call
    };
    assert!(redial(&mut desk).is_err());
    let first = call(&mut desk, alice, BOB);
    answer(&mut desk, bob);
    hang_up(&mut desk, alice, first);
    let again = redial(&mut desk).unwrap();
    hang_up(&mut desk, alice, again);
    let (ours, bobs) = (past(&mut desk, alice), past(&mut desk, bob));
    assert_eq!((&*ours[1].with, ours[1].direction), (BOB, Direction::Out));
    assert_eq!((ours[0].status, ours[1].status), (200, 487));
    assert!((ours[0].ended.unwrap() - ours[0].answered.unwrap()).as_secs() >= 1);
    assert!(!bobs[0].is_missed() && bobs[1].is_missed());
    assert_eq!(&*bobs[1].with, "sip:alice@192.0.2.1");
}

/// What was read in somebody's document, or in a message, is called as an address and as nothing else.
#[test]
fn no_address_breaks_out_of_its_brackets() {
    let mut desk = Desk::new(Weather::FAIR);
    for bad in ["sip:a@h;x=1>,<sip:b@h", "sip:a@h;x=\"1\"", "sip:a@h;x=1\r\nVia: y", "sip:a b@h"] {
        let bob = desk.bob;
        let called = desk.command(bob, |phone, now, out| phone.call(now, bad, sounding(1.0), out));
        assert!(matches!(called, Err(Unable::BadTarget(_))), "{bad:?}: {called:?}");
    }
}
