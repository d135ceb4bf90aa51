//! Traps 1 and 2: CANCEL, and what it meets on its way.

use std::time::Duration;

use offhook_tests::office::{Sent, answers, requests, rows, status};
use sip::Name;
use sip::header::To;

use crate::ring::{ONE, Ring, THREE, TWO, via};

/// Proves: rfc5393-8-7.
/// Trap 1: a CANCEL has the branch of its INVITE on every leg and a transaction of its own; its 200 and the 487 have one To tag.
#[test]
fn trap_1_a_cancel_is_that_of_its_invite_on_every_leg() {
    let mut ring = Ring::at(TWO);
    ring.answer(0, 180);
    ring.answer(1, 183);
    let sent = ring.cancel();
    assert_eq!(answers(&sent, ring.alice.flow), [200]);
    let cancels = requests(&sent, "CANCEL");
    assert_eq!(cancels.len(), 2);
    for (cancel, copy) in cancels.iter().zip(&ring.copies) {
        assert_eq!((via(cancel), cancel.flow), (via(copy), copy.flow));
        assert_eq!(cancel.message.request_uri(), copy.message.request_uri());
        assert_eq!(rows(std::slice::from_ref(cancel), Name::Via).len(), 1, "hop by hop");
        for name in [Name::From, Name::To, Name::CallId] {
            let row = |sent| rows(std::slice::from_ref(sent), name);
            assert_eq!(row(cancel), row(copy));
        }
    }
    assert!(answers(&ring.answer(0, 487), ring.alice.flow).is_empty());
    assert_eq!(answers(&ring.answer(1, 487), ring.alice.flow), [487]);
    ring.assert_nothing_is_left();
}

/// Trap 1: when the 487 is ours, it has the To tag of the 200 to the CANCEL: the caller sees one element answer both.
#[test]
fn trap_1_the_200_and_the_487_have_one_to_tag() {
    let tag = |sent: &Sent| sent.message.get::<To>().unwrap().tag().map(<[u8]>::to_vec);
    let mut ring = Ring::at(ONE);
    ring.answer(0, 180);
    let ok = ring.cancel().remove(0);
    assert!(tag(&ok).is_some());
    // The phone does not even answer the CANCEL.
    let sent = ring.office.wait(Duration::from_secs(33));
    let end = sent.iter().find(|sent| sent.flow == ring.alice.flow).unwrap();
    assert_eq!((end.message.status().unwrap().code(), tag(end)), (487, tag(&ok)));
}

/// Trap 1: in each state the CANCEL does what that state allows, and is answered 200.
#[test]
fn trap_1_a_cancel_in_each_state() {
    for before in [None, Some(100), Some(180), Some(200), Some(486)] {
        let mut ring = Ring::at(ONE);
        if let Some(code) = before {
            ring.answer(0, code);
        }
        let sent = ring.cancel();
        assert_eq!(answers(&sent, ring.alice.flow), [200], "{before:?}");
        let goes_on = requests(&sent, "CANCEL").len();
        match before {
            // A phone that rings, or may, is told at once.
            Some(100 | 180) => assert_eq!(goes_on, 1, "{before:?}"),
            // A CANCEL that overtakes its INVITE would find nothing: it waits for a sign of life.
            None => {
                assert_eq!(goes_on, 0);
                assert_eq!(requests(&ring.answer(0, 180), "CANCEL").len(), 1);
            }
            // What is answered stays answered.
            Some(_) => assert_eq!(goes_on, 0, "{before:?}"),
        }
        ring.assert_nothing_is_left();
    }
}

/// Trap 1: what cancels nothing is told so and leaves nothing; a CANCEL by another branch cancels nothing.
#[test]
fn trap_1_a_cancel_of_nothing_is_481() {
    let mut ring = Ring::at(ONE);
    ring.answer(0, 180);
    let before = ring.office.node.transactions();
    let mut other = ring.invite.clone();
    other.method = "CANCEL".into();
    other.branch += "other";
    let sent = ring.office.receive(ring.alice.flow, other.wire());
    assert_eq!((status(&sent), sent.len()), (481, 1));
    assert_eq!(ring.office.node.transactions(), before);
}

/// Trap 2: the callee picks up while the CANCEL is on its way: the 200 reaches the caller, who alone can acknowledge it and hang up, and
/// so does every copy of it.
#[test]
fn trap_2_an_answer_that_meets_the_cancel_is_not_lost() {
    let mut ring = Ring::at(ONE);
    ring.answer(0, 180);
    ring.cancel();
    for copy in 0..3 {
        assert_eq!(answers(&ring.answer(0, 200), ring.alice.flow), [200], "copy {copy}");
        ring.office.wait(Duration::from_millis(500));
    }
    // Nobody has put a 487 in its place.
    let later = ring.office.wait(Duration::from_secs(40));
    assert!(answers(&later, ring.alice.flow).is_empty());
    ring.assert_nothing_is_left();
}

/// Trap 2: on every branch.
#[test]
fn trap_2_every_branch_that_picks_up_too_late_is_told_to_the_caller() {
    let mut ring = Ring::at(THREE);
    (0..3).for_each(|phone| drop(ring.answer(phone, 180)));
    let first = ring.answer(1, 200);
    assert_eq!(
        (answers(&first, ring.alice.flow), requests(&first, "CANCEL").len()),
        (vec![200], 2)
    );
    for phone in [0, 2] {
        assert_eq!(answers(&ring.answer(phone, 200), ring.alice.flow), [200], "{phone}");
    }
    ring.assert_nothing_is_left();
}
