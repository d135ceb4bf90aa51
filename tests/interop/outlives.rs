//! Calls outlive the node that set them up: what is asked within them finds its way through the other one, by what the Record-Route says.

use std::time::Instant;

use crate::baresip::PATIENCE;
use crate::cut::{SOON, refused};
use crate::phone::Phone;
use crate::town::Town;

/// Bob's phone, on a connection to the second node.
fn connected(town: &Town) -> Phone {
    let mut bob = Phone::start(&town.folder, &town.account("102", 1, "tcp"), &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    bob
}

/// The node that set the call up dies; the caller holds the other, takes it back and hangs up: all of it through the node that is left.
#[test]
fn a_call_is_held_and_hung_up_through_the_node_that_is_left() {
    let Some(town) = Town::open("outlives-held", 0) else { return };
    let (a, b) = (town.serve_moving(0), town.serve_moving(1));
    town.move_to(0, None);
    let mut bob = connected(&town);
    let deed = ["call", "102", "--hold-after", "4s", "--hangup-after", "10s"];
    let mut alice = Phone::start(&town.folder, &town.moving("101", "udp"), &deed);
    bob.hears();
    a.die();
    town.move_to(1, Some(0));
    let held = bob.peer.wait_for("\"held\"", PATIENCE);
    assert!(held.contains("true"), "{held}");
    let back = bob.peer.wait_for("\"held\"", PATIENCE);
    assert!(back.contains("false"), "{back}");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    let ended = alice.peer.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", alice.peer.said());
    bob.peer.end(PATIENCE);
    b.stop();
}

/// The same the other way: who was called hangs up.
#[test]
fn a_callee_hangs_up_through_the_node_that_is_left() {
    let Some(town) = Town::open("outlives-callee", 0) else { return };
    let (a, b) = (town.serve_moving(0), town.serve_moving(1));
    town.move_to(0, None);
    let deed = ["answer", "--hangup-after", "5s"];
    let mut bob = Phone::start(&town.folder, &town.moving("102", "udp"), &deed);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let mut alice = Phone::start(&town.folder, &town.moving("101", "udp"), &["call", "102"]);
    bob.hears();
    a.die();
    town.move_to(1, Some(0));
    alice.peer.wait_for("hung up by the other side", PATIENCE);
    bob.peer.end(PATIENCE);
    b.stop();
}

/// A phone whose node has died is not called for half a minute in vain: its caller hears so at once.
#[test]
fn who_was_connected_to_a_dead_node_is_not_there_and_that_is_said_at_once() {
    let Some(town) = Town::open("outlives-refused", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let bob = connected(&town);
    b.die();
    let began = Instant::now();
    assert_eq!(refused(&town, 0, "102"), "480");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    drop(bob);
    a.stop();
}
